import CLinux
public import NetworkTypes

/// A route of the namespace, in whichever table.
///
/// Source: `struct rtmsg`, `linux/rtnetlink.h`.
public struct Route: Hashable, Sendable {
  /// What happens to a packet that takes it.
  public enum Kind: UInt8, Hashable, Sendable {
    /// It is sent on: `RTN_UNICAST`.
    case unicast = 1
    /// It is ours: `RTN_LOCAL`.
    case local = 2
    /// It is sent to everyone on the link: `RTN_BROADCAST`.
    case broadcast = 3
    /// It is ours, but sent on as unicast: `RTN_ANYCAST`.
    case anycast = 4
    /// It is sent to a group: `RTN_MULTICAST`.
    case multicast = 5
    /// It is dropped without a word: `RTN_BLACKHOLE`.
    case blackhole = 6
    /// It is refused as unreachable: `RTN_UNREACHABLE`.
    case unreachable = 7
    /// It is refused as prohibited: `RTN_PROHIBIT`.
    case prohibit = 8
  }

  /// The first address of the destination; zero for a default route.
  public let destination: IPAddress
  /// The bits of the destination, 0…32 or 0…128.
  public let prefixLength: UInt8
  /// The routing table, such as 254 (main) and 255 (local).
  public let table: UInt32
  /// What the route does; nil for a kind that this module does not know.
  public let kind: Kind?
  /// The link that packets leave by, where there is just one.
  public let linkIndex: Int32?
  /// The next hop, where there is just one.
  public let gateway: IPAddress?

  init?(_ reply: RouteReply) {
    let head = reply.payload
    guard reply.type == Int(RTM_NEWROUTE), let number = head.number(UInt8.self, at: 0),
      let family = Family(rawValue: number), let prefix = head.number(UInt8.self, at: 1),
      let shortTable = head.number(UInt8.self, at: 4), let kind = head.number(UInt8.self, at: 7)
    else { return nil }
    let attributes = reply.attributes(after: 12)
    destination =
      attributes[Int(RTA_DST.rawValue)].flatMap { IPAddress(networkOrderBytes: $0) }
      ?? (family == .ipv4 ? .v4(0) : .v6(0))
    prefixLength = prefix
    table = attributes[Int(RTA_TABLE.rawValue)]?.number(UInt32.self, at: 0) ?? UInt32(shortTable)
    self.kind = Kind(rawValue: kind)
    linkIndex = attributes[Int(RTA_OIF.rawValue)]?.number(Int32.self, at: 0)
    gateway = attributes[Int(RTA_GATEWAY.rawValue)].flatMap { IPAddress(networkOrderBytes: $0) }
  }
}
