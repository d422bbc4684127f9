/// Notes when it was last evaluated; never changes the verdict.
///
/// Source: `net/netfilter/nft_last.c`.
public struct Last: Hashable, Sendable {
  /// Whether it ever was.
  public var isSet: Bool
  /// How long ago, when read.
  public var millisecondsAgo: UInt64

  /// Makes it.
  public init(
    isSet: Bool = false, millisecondsAgo: UInt64 = 0
  ) {
    self.isSet = isSet
    self.millisecondsAgo = millisecondsAgo
  }
}
