/// What `xfrm` can load.
///
/// Source: `enum nft_xfrm_keys`.
public enum TransformKey: UInt32, Hashable, Sendable, CaseIterable {
  /// IPv4 destination of the outer packet.
  case daddr4 = 1
  /// IPv6 destination of the outer packet.
  case daddr6 = 2
  /// IPv4 source of the outer packet.
  case saddr4 = 3
  /// IPv6 source of the outer packet.
  case saddr6 = 4
  /// The request id, 4 bytes host order.
  case reqid = 5
  /// The security parameters index, 4 bytes network order.
  case spi = 6

  /// The word `nft --debug=netlink` prints.
  public var keyword: String {
    switch self {
    case .daddr4: "daddr4"
    case .daddr6: "daddr6"
    case .saddr4: "saddr4"
    case .saddr6: "saddr6"
    case .reqid: "reqid"
    case .spi: "spi"
    }
  }
}

/// Loads a fact about the packet's IPsec transformation (`xfrm`, `ipsec`); breaks without one.
///
/// Source: `net/netfilter/nft_xfrm.c`.
public struct TransformLoad: Hashable, Sendable {
  /// What to load.
  public var key: TransformKey
  /// 0 in, 1 out.
  public var direction: UInt8
  /// Which of several transformations, 0 first.
  public var number: UInt32
  /// Where to.
  public var destination: Register

  /// Makes it.
  public init(
    _ key: TransformKey, direction: UInt8, number: UInt32 = 0, into destination: Register
  ) {
    self.key = key
    self.direction = direction
    self.number = number
    self.destination = destination
  }
}
