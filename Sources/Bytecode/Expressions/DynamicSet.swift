/// What ``DynamicSet`` does with the element.
///
/// Source: `enum nft_dynset_ops`.
public enum DynamicSetOperator: UInt32, Hashable, Sendable, CaseIterable {
  /// Adds it unless it is there.
  case add = 0
  /// Adds it, or restarts its timeout.
  case update = 1
  /// Takes it out.
  case delete = 2

  /// The word nft(8) uses.
  public var keyword: String {
    switch self {
    case .add: "add"
    case .update: "update"
    case .delete: "delete"
    }
  }
}

/// Adds, renews or deletes an element of a set of the same table, with a key from registers.
///
/// Breaks when the element cannot be added, for want of room say; the other way round when inverted.
/// The element's expressions run at every evaluation.
///
/// Source: `nft_dynset_eval`, `net/netfilter/nft_dynset.c`.
public struct DynamicSet: Hashable, Sendable {
  /// What to do.
  public var operation: DynamicSetOperator
  /// The set's name.
  public var set: String
  /// The first word of the key.
  public var key: Register
  /// The first word of the data, in a map.
  public var data: Register?
  /// How long the element lives; nil for the set's default.
  public var timeoutMilliseconds: UInt64?
  /// What the element carries: counters, limits and the like.
  public var expressions: [Expression]
  /// Whether success breaks and failure goes on.
  public var isInverted: Bool

  /// Makes it.
  public init(
    _ operation: DynamicSetOperator, set: String, key: Register, data: Register? = nil,
    timeoutMilliseconds: UInt64? = nil, expressions: [Expression] = [], isInverted: Bool = false
  ) {
    self.operation = operation
    self.set = set
    self.key = key
    self.data = data
    self.timeoutMilliseconds = timeoutMilliseconds
    self.expressions = expressions
    self.isInverted = isInverted
  }
}
