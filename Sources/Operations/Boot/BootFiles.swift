/// The files by which a host has its rules before it has a network.
struct BootFiles {
  /// The folder that stands for `/`, without a slash at the end; empty for the running system.
  let root: String
  /// The nftables table.
  let table: String

  init(root: String, table: String) {
    self.root = String(root.reversed().drop { $0 == "/" }.reversed())
    self.table = table
  }

  /// The rules, as text of nft(8).
  var rules: String { root + rulesInSystem }
  /// Rules that let nothing leave, for when the others cannot be loaded.
  var closed: String { root + closedInSystem }
  /// The unit of systemd.
  var unit: String { root + "\(Self.units)/\(unitName)" }
  /// What makes systemd start it.
  var want: String { root + "\(Self.units)/sysinit.target.wants/\(unitName)" }
  /// Where the link of ``want`` points to.
  var wantTarget: String { "\(Self.units)/\(unitName)" }

  /// Every file, in the order in which they are written.
  var all: [String] { [rules, closed, unit, want] }
  /// The folders that must be there.
  var folders: [String] { [root + Self.state, root + "\(Self.units)/sysinit.target.wants"] }
  /// The folder that is weir's own.
  var stateFolder: String { root + Self.state }

  /// The first line of the text files: what uninstalling may remove.
  static let mark = "# Written by weir install; weir uninstall removes it."

  private static let state = "/var/lib/weir"
  private static let units = "/etc/systemd/system"
  private var unitName: String {
    table == "weir" ? "weir-boot.service" : "weir-boot-\(table).service"
  }
  private var rulesInSystem: String { "\(Self.state)/\(table).nft" }
  private var closedInSystem: String { "\(Self.state)/\(table)-closed.nft" }

  /// What the unit runs: nothing where rules are in force already.
  func command(nft: String) -> String {
    "\(nft) list table inet \(table) >/dev/null 2>&1"
      + " || \(nft) -f \(rulesInSystem) || \(nft) -f \(closedInSystem)"
  }

  /// The unit.
  ///
  /// It needs no name, link or file that may be missing: `nft -f` of one file, before anything brings
  /// a link up. There is no ExecStop: stopping it keeps the rules.
  func unitText(nft: String) -> String {
    """
    \(Self.mark)
    [Unit]
    Description=Egress rules of weir, before the network
    Documentation=man:weir(1)
    DefaultDependencies=no
    RequiresMountsFor=/var/lib/weir
    Wants=network-pre.target
    Before=network-pre.target sysinit.target shutdown.target
    Conflicts=shutdown.target

    [Service]
    Type=oneshot
    RemainAfterExit=yes
    ExecStart=/bin/sh -c '\(command(nft: nft))'
    CapabilityBoundingSet=CAP_NET_ADMIN
    NoNewPrivileges=yes
    ProtectSystem=strict
    ProtectHome=yes
    PrivateDevices=yes
    RestrictAddressFamilies=AF_NETLINK AF_UNIX
    MemoryDenyWriteExecute=yes
    LockPersonality=yes

    [Install]
    WantedBy=sysinit.target

    """
  }
}
