public import NetworkTypes

/// A decision with the clause that made it.
public struct Ruling: Hashable, Sendable {
  /// What happens.
  public var decision: Decision
  /// The clause that decided: an entry's, or one of `Policy.reservedClauses`.
  public var clause: String
  /// Where the clause is written; nil for a built-in default.
  public var location: SourceLocation?
  /// The document that the clause implements, as the policy cites it.
  public var citation: String?

  /// Makes a ruling.
  public init(
    _ decision: Decision, clause: String, location: SourceLocation? = nil,
    citation: String? = nil
  ) {
    self.decision = decision
    self.clause = clause
    self.location = location
    self.citation = citation
  }
}

/// The accepted answers of names, as a host knows them at one moment.
public struct NameAnswers: Hashable, Sendable {
  /// Addresses per name, lower case; only answers that lie in the reference's `within`.
  public var addresses: [String: Set<IPAddress>]

  /// Makes a table; empty by default, which means that no name is resolved.
  public init(_ addresses: [String: Set<IPAddress>] = [:]) { self.addresses = addresses }

  /// Whether `address` is among the answers of `name`.
  public func contains(_ address: IPAddress, for name: String) -> Bool {
    addresses[name]?.contains(address) ?? false
  }
}
