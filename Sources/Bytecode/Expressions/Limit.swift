/// What ``Limit`` counts.
///
/// Source: `enum nft_limit_type`.
public enum LimitUnit: UInt32, Hashable, Sendable, CaseIterable {
  /// Packets.
  case packets = 0
  /// Bytes of the packets.
  case bytes = 1

  /// The word nft(8) uses.
  public var keyword: String {
    switch self {
    case .packets: "packets"
    case .bytes: "bytes"
    }
  }
}

/// Breaks when packets come faster than a rate; the other way round when inverted.
///
/// Source: `net/netfilter/nft_limit.c`.
public struct Limit: Hashable, Sendable {
  /// How many in each period.
  public var rate: UInt64
  /// The period: 1, 60, 3600, 86400 or 604800.
  public var periodSeconds: UInt64
  /// How many more at once.
  public var burst: UInt32
  /// What is counted.
  public var unit: LimitUnit
  /// Whether the rule goes on over the rate (`over`) instead of under it.
  public var isInverted: Bool

  /// Makes it.
  public init(
    rate: UInt64, periodSeconds: UInt64, burst: UInt32 = 0, unit: LimitUnit = .packets,
    isInverted: Bool = false
  ) {
    self.rate = rate
    self.periodSeconds = periodSeconds
    self.burst = burst
    self.unit = unit
    self.isInverted = isInverted
  }
}
