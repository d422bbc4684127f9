/// Gives the packet to a transparent socket of this host (`tproxy`); breaks without one.
///
/// Source: `net/netfilter/nft_tproxy.c`.
public struct TransparentProxy: Hashable, Sendable {
  /// `ip`, `ip6`, or `inet` when only the port is given.
  public var family: TableFamily
  /// The register of the address.
  public var address: Register?
  /// The register of the port, 2 bytes network order.
  public var port: Register?

  /// Makes it.
  public init(
    family: TableFamily, address: Register? = nil, port: Register? = nil
  ) {
    self.family = family
    self.address = address
    self.port = port
  }
}
