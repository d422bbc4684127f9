/// Breaks when more flows are alive than allowed; the other way round when inverted.
///
/// Drops the packet when it cannot count.
///
/// Source: `net/netfilter/nft_connlimit.c`.
public struct ConnectionLimit: Hashable, Sendable {
  /// How many flows are allowed.
  public var count: UInt32
  /// Whether the rule goes on over the limit (`over`) instead of under it.
  public var isInverted: Bool

  /// Makes it.
  public init(
    _ count: UInt32, isInverted: Bool = false
  ) {
    self.count = count
    self.isInverted = isInverted
  }
}
