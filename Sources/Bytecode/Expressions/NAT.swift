/// How an address translation picks addresses and ports.
///
/// `MAP_IPS` and `PROTO_SPECIFIED` follow from the registers and are left out where they do.
///
/// Source: `NF_NAT_RANGE_*`, `linux/netfilter/nf_nat.h`.
public struct NATFlags: OptionSet, Hashable, Sendable {
  /// The bits as netlink carries them.
  public let rawValue: UInt32
  /// Any bits.
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// An address is given.
  public static let mapAddresses = NATFlags(rawValue: 1)
  /// A port is given.
  public static let portSpecified = NATFlags(rawValue: 2)
  /// The port is randomised (`random`).
  public static let random = NATFlags(rawValue: 4)
  /// A source keeps its address from flow to flow (`persistent`).
  public static let persistent = NATFlags(rawValue: 8)
  /// The port is fully randomised (`fully-random`).
  public static let fullyRandom = NATFlags(rawValue: 16)
  /// The port is shifted by a base.
  public static let portOffset = NATFlags(rawValue: 32)
  /// A prefix is mapped one to one to another (`prefix`).
  public static let netmap = NATFlags(rawValue: 64)
  /// Every bit the kernel knows.
  public static let known = NATFlags(rawValue: 127)
}

/// Which end ``NAT`` changes.
///
/// Source: `enum nft_nat_types`.
public enum NATKind: UInt32, Hashable, Sendable, CaseIterable {
  /// The source address, `snat`.
  case source = 0
  /// The destination address, `dnat`.
  case destination = 1

  /// The word nft(8) uses.
  public var keyword: String {
    switch self {
    case .source: "snat"
    case .destination: "dnat"
    }
  }
}

/// Translates the source or destination of a flow; terminal, in nat chains only.
///
/// Source: `nft_nat_eval`, `net/netfilter/nft_nat.c`.
public struct NAT: Hashable, Sendable {
  /// Which end.
  public var kind: NATKind
  /// The family of the addresses: `ip`, `ip6`, or `inet` when only ports change.
  public var family: TableFamily
  /// The register of the lowest address; nil keeps the address.
  public var address: Register?
  /// The register of the highest address; nil when it is ``address``.
  public var addressMax: Register?
  /// The register of the lowest port, 2 bytes network order; nil keeps the port.
  public var port: Register?
  /// The register of the highest port; nil when it is ``port``.
  public var portMax: Register?
  /// How to pick.
  public var flags: NATFlags

  /// Makes it.
  public init(
    _ kind: NATKind, family: TableFamily, address: Register? = nil, addressMax: Register? = nil,
    port: Register? = nil, portMax: Register? = nil, flags: NATFlags = []
  ) {
    self.kind = kind
    self.family = family
    self.address = address
    self.addressMax = addressMax
    self.port = port
    self.portMax = portMax
    self.flags = flags
  }
}

/// Translates the source of a flow to the address of the interface it leaves by; terminal, in nat
/// chains only.
///
/// Source: `nft_masq_ipv4_eval`, `net/netfilter/nft_masq.c`.
public struct Masquerade: Hashable, Sendable {
  /// The register of the lowest port; nil keeps the port.
  public var port: Register?
  /// The register of the highest port; nil when it is ``port``.
  public var portMax: Register?
  /// How to pick.
  public var flags: NATFlags

  /// Makes it.
  public init(
    port: Register? = nil, portMax: Register? = nil, flags: NATFlags = []
  ) {
    self.port = port
    self.portMax = portMax
    self.flags = flags
  }
}
