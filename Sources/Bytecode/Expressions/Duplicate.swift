/// Sends a copy of the packet to another host or device; the packet itself goes on.
///
/// The copy leaves by a route of its own, untracked.
///
/// Source: `net/ipv4/netfilter/nft_dup_ipv4.c`, `net/netfilter/nft_dup_netdev.c`.
public struct Duplicate: Hashable, Sendable {
  /// The register of the address (ip, ip6, inet).
  public var address: Register?
  /// The register of the interface index, 4 bytes host order.
  public var device: Register?

  /// Makes it.
  public init(
    address: Register? = nil, device: Register? = nil
  ) {
    self.address = address
    self.device = device
  }
}

/// Sends the packet out of another device and ends its way here (netdev).
///
/// Source: `net/netfilter/nft_fwd_netdev.c`.
public struct Forward: Hashable, Sendable {
  /// The register of the interface index, 4 bytes host order.
  public var device: Register
  /// The register of the next hop's address.
  public var address: Register?
  /// The family of that address: 2 IPv4, 10 IPv6.
  public var family: UInt32?

  /// Makes it.
  public init(
    device: Register, address: Register? = nil, family: UInt32? = nil
  ) {
    self.device = device
    self.address = address
    self.family = family
  }
}
