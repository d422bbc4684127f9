/// What `rt` can load.
///
/// Source: `enum nft_rt_keys`.
public enum RouteKey: UInt32, Hashable, Sendable, CaseIterable {
  /// Realm, 4 bytes host order.
  case classid = 0
  /// IPv4 address of the next hop.
  case nexthop4 = 1
  /// IPv6 address of the next hop.
  case nexthop6 = 2
  /// TCP maximum segment size of the route, 2 bytes host order.
  case tcpMSS = 3
  /// Whether the route transforms the packet (IPsec), 1 byte.
  case xfrm = 4

  /// The word `nft --debug=netlink` uses after `rt load`.
  public var keyword: String {
    switch self {
    case .classid: "classid"
    case .nexthop4: "nexthop4"
    case .nexthop6: "nexthop6"
    case .tcpMSS: "tcpmss"
    case .xfrm: "ipsec"
    }
  }

  /// How many bytes the load writes.
  public var lengthBytes: Int {
    switch self {
    case .classid, .nexthop4: 4
    case .nexthop6: 16
    case .tcpMSS: 2
    case .xfrm: 1
    }
  }
}

/// Loads a fact about the packet's route; breaks without one.
///
/// Source: `nft_rt_get_eval`, `net/netfilter/nft_rt.c`.
public struct RouteLoad: Hashable, Sendable {
  /// What to load.
  public var key: RouteKey
  /// Where to.
  public var destination: Register

  /// Makes it.
  public init(
    _ key: RouteKey, into destination: Register
  ) {
    self.key = key
    self.destination = destination
  }
}
