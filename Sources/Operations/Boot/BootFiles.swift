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

  /// The unit of a service.
  func unit(_ service: BootService) -> String {
    root + "\(Self.units)/\(service.unitName(table))"
  }
  /// What makes systemd start a service.
  func want(_ service: BootService) -> String {
    root + "\(Self.units)/multi-user.target.wants/\(service.unitName(table))"
  }
  /// Where ``want(_:)`` points to.
  func wantTarget(_ service: BootService) -> String {
    "\(Self.units)/\(service.unitName(table))"
  }
  /// The manual page.
  var manual: String { root + "/usr/local/share/man/man1/weir.1" }

  /// What each shell completes words with.
  func completion(_ shell: InstallExtras.Shell) -> String {
    switch shell {
    case .bash: root + "/etc/bash_completion.d/weir"
    case .zsh: root + "/usr/local/share/zsh/site-functions/_weir"
    case .fish: root + "/etc/fish/completions/weir.fish"
    }
  }

  /// Every file that there may be, links last, in the order in which they are written.
  var all: [String] {
    [rules, closed, unit, manual] + InstallExtras.Shell.allCases.map(completion)
      + BootService.allCases.map(unit) + links
  }
  /// Those among them that are links.
  var links: [String] { [want] + BootService.allCases.map(want) }
  /// The folders that must be there.
  var folders: [String] {
    [
      root + Self.state, root + "\(Self.units)/sysinit.target.wants",
      root + "\(Self.units)/multi-user.target.wants", root + "/usr/local/share/man/man1",
    ]
  }
  /// The folder that is weir's own.
  var stateFolder: String { root + Self.state }

  /// The first line of the text files: what uninstalling may remove.
  static let mark = "# Written by weir install; weir uninstall removes it."

  /// A text with the mark behind its first line, which programs look at, as a comment of its kind.
  static func marked(_ text: String, by sign: String) -> String {
    let end = text.firstIndex(of: "\n") ?? text.endIndex
    return text[..<end] + "\n\(sign) \(mark.dropFirst(2))" + text[end...]
  }

  /// Whether a file is weir's: the mark is in one of its first two lines, behind the shell's or the
  /// manual's own sign for a comment.
  static func isOurs(_ bytes: [UInt8]) -> Bool {
    let lines = bytes.prefix(512).split(separator: 0x0a, maxSplits: 2).prefix(2)
    return lines.contains { line in
      String(decoding: line, as: UTF8.self).hasSuffix(String(mark.dropFirst(2)))
    }
  }

  private static let state = "/var/lib/weir"
  private static let units = "/etc/systemd/system"
  private var unitName: String {
    table == "weir" ? "weir-boot.service" : "weir-boot-\(table).service"
  }
  private var rulesInSystem: String { "\(Self.state)/\(table).nft" }
  private var closedInSystem: String { "\(Self.state)/\(table)-closed.nft" }

  /// The unit of a service, which reads a file of the installed system.
  ///
  /// There is no ExecStop that opens anything: the rules are the kernel's.
  func text(_ service: BootService, _ extras: InstallExtras, reading file: String) -> String {
    let own = table == "weir" ? "" : " --table \(table)"
    let command =
      switch service {
      case .guard:
        "guard \(file)\(own)" + extras.essentials.map { " --essential \($0)" }.joined()
      case .scopes: "scope watch \(file)\(own)"
      }
    return """
      \(Self.mark)
      [Unit]
      Description=\(service.description)
      Documentation=man:weir(1)
      After=\(unitName) network-online.target
      Wants=network-online.target

      [Service]
      Type=notify
      ExecStart=\(extras.program) \(command) --format json
      ExecReload=/bin/kill -HUP $MAINPID
      Restart=on-failure
      RestartSec=2s
      WatchdogSec=60s
      CapabilityBoundingSet=CAP_NET_ADMIN CAP_SYS_PTRACE CAP_DAC_READ_SEARCH CAP_SYS_ADMIN
      NoNewPrivileges=yes
      ProtectSystem=strict
      ProtectHome=read-only
      ProtectClock=yes
      ProtectHostname=yes
      ProtectKernelLogs=yes
      RestrictRealtime=yes
      RestrictSUIDSGID=yes
      LockPersonality=yes
      MemoryDenyWriteExecute=yes
      SystemCallArchitectures=native
      MemoryMax=256M

      [Install]
      WantedBy=multi-user.target

      """
  }

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

/// A service that runs while the system does.
enum BootService: CaseIterable {
  /// `weir guard`.
  case `guard`
  /// `weir scope watch`.
  case scopes

  /// What systemd says of it.
  fileprivate var description: String {
    switch self {
    case .guard: "weir guard: watches over the egress policy"
    case .scopes: "weir scope watch: keeps tenants bound to their egress policies"
    }
  }

  /// The name of its unit, with the table where that is not the usual one.
  fileprivate func unitName(_ table: String) -> String {
    let name =
      switch self {
      case .guard: "weir-guard"
      case .scopes: "weir-scopes"
      }
    return table == "weir" ? "\(name).service" : "\(name)-\(table).service"
  }
}
