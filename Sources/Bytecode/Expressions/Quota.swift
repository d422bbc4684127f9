/// Breaks once more bytes have passed than allowed; the other way round when inverted.
///
/// Source: `net/netfilter/nft_quota.c`.
public struct Quota: Hashable, Sendable {
  /// How many are allowed.
  public var bytes: UInt64
  /// How many have passed.
  public var consumed: UInt64
  /// Whether the rule goes on over the quota (`over`) instead of under it.
  public var isInverted: Bool
  /// Whether listeners have been told that it is used up.
  public var isDepleted: Bool

  /// Makes it.
  public init(
    _ bytes: UInt64, consumed: UInt64 = 0, isInverted: Bool = false, isDepleted: Bool = false
  ) {
    self.bytes = bytes
    self.consumed = consumed
    self.isInverted = isInverted
    self.isDepleted = isDepleted
  }
}
