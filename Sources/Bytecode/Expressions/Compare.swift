/// How ``Compare`` compares.
///
/// Source: `enum nft_cmp_ops`, `linux/netfilter/nf_tables.h`.
public enum CompareOperator: UInt32, Hashable, Sendable, CaseIterable {
  /// Equal.
  case equal = 0
  /// Not equal.
  case notEqual = 1
  /// Less than.
  case less = 2
  /// Less than or equal.
  case lessOrEqual = 3
  /// Greater than.
  case greater = 4
  /// Greater than or equal.
  case greaterOrEqual = 5

  /// The word `nft --debug=netlink` prints: `eq`, `neq`, `lt`, `lte`, `gt`, `gte`.
  public var mnemonic: String {
    switch self {
    case .equal: "eq"
    case .notEqual: "neq"
    case .less: "lt"
    case .lessOrEqual: "lte"
    case .greater: "gt"
    case .greaterOrEqual: "gte"
    }
  }
}

/// Compares register bytes with a constant, byte by byte as memcmp does; breaks when false.
///
/// Source: `nft_cmp_eval`, `net/netfilter/nft_cmp.c`.
public struct Compare: Hashable, Sendable {
  /// The comparison.
  public var operation: CompareOperator
  /// The register whose bytes stand on the left.
  public var source: Register
  /// The constant on the right, 1…16 bytes in the order the register holds.
  public var value: [UInt8]

  /// Makes a comparison.
  public init(_ source: Register, _ operation: CompareOperator, _ value: [UInt8]) {
    self.operation = operation
    self.source = source
    self.value = value
  }
}

/// Compares register bytes with an inclusive range, byte by byte; breaks when false.
///
/// Source: `nft_range_eval`, `net/netfilter/nft_range.c`.
public struct RangeCompare: Hashable, Sendable {
  /// Whether the rule goes on outside the range instead of inside.
  public var isInverted: Bool
  /// The register.
  public var source: Register
  /// The lower bound.
  public var from: [UInt8]
  /// The upper bound, inside.
  public var to: [UInt8]

  /// Makes a comparison.
  public init(_ source: Register, isInverted: Bool = false, from: [UInt8], to: [UInt8]) {
    self.isInverted = isInverted
    self.source = source
    self.from = from
    self.to = to
  }
}
