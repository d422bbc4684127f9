/// Evaluates a load on the packet inside a tunnel: VXLAN, GENEVE, GRE and the like; breaks without one.
///
/// Source: `nft_inner_eval`, `net/netfilter/nft_inner.c`.
public struct Inner: Hashable, Sendable {
  /// `NFT_INNER_*`: 0 any, 1 VXLAN, 2 GENEVE.
  public var type: UInt32
  /// The length of the tunnel's own header.
  public var headerSizeBytes: UInt32
  /// `NFT_INNER_*` bits: 1 header size, 2 link layer, 4 network, 8 transport.
  public var flags: UInt32
  /// The load, `meta` or `payload`.
  public var expression: Expression

  /// Makes it.
  public init(
    type: UInt32, headerSizeBytes: UInt32, flags: UInt32, expression: Expression
  ) {
    self.type = type
    self.headerSizeBytes = headerSizeBytes
    self.flags = flags
    self.expression = expression
  }
}
