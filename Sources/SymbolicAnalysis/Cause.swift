/// Why something about a packet cannot be decided.
public struct Cause: Hashable, Sendable {
  /// The rule, or the chain when ``rule`` is nil.
  public var place: Place?
  /// What is not known: `limit`, `the element may have expired`.
  public var reason: String

  /// A chain, or a rule of it.
  public struct Place: Hashable, Sendable {
    /// `inet weir`.
    public var table: String
    /// The chain's name.
    public var chain: String
    /// The rule's place in its chain, from 0; nil for the chain.
    public var rule: Int?
    /// The kernel's handle of the rule, when the ruleset was read from one.
    public var handle: UInt64?
  }
}

extension Cause: CustomStringConvertible {
  /// One line: `inet filter output rule 3: limit`.
  public var description: String { place.map { "\($0): \(reason)" } ?? reason }
}

extension Cause.Place: CustomStringConvertible {
  /// `inet filter output rule 3`, counted from 1.
  public var description: String {
    "\(table) \(chain)" + (rule.map { " rule \($0 + 1)" } ?? "")
  }
}
