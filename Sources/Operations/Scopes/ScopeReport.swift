import NetfilterLink

/// The scopes of a namespace, and what judges each.
public struct ScopeReport: Encodable, Sendable {
  /// Whether a binding reaches what it was made for.
  public enum State: String, Encodable, Sendable {
    /// The kernel tells its packets by the key that it has now.
    case bound
    /// The cgroup, user or link is not there any more.
    case gone
    /// A cgroup of that path was made anew: its packets are in no scope until it is bound again.
    case remade
    /// Its name is kept without its beginning, so that it cannot be looked for.
    case unknown
  }

  /// One scope.
  public struct Row: Encodable, Sendable {
    /// `cgroup`, `user` or `interface`.
    public let kind: String
    /// Its path or name.
    public let name: String
    /// The policy and the first half of its digest, as the entry chain says.
    public let policy: String
    /// The generation that holds it.
    public let generation: Int
    /// Whether it is bound.
    public let state: State
  }

  /// Version of this form.
  public let version = 1
  /// `inet weir-scopes`.
  public let table: String
  /// The scopes, by kind and name.
  public let scopes: [Row]
  /// What of the table that leads packets to their policies is not as weir made it, as sentences.
  public let differences: [String]
  /// What became of the names of the policies that were installed.
  public let names: [NameReport]

  enum CodingKeys: String, CodingKey { case version, table, scopes, differences, names }

  /// 0 when every scope is bound, 1 when one is not or the table was changed, 2 when one cannot be
  /// looked for.
  public var status: ExitStatus {
    if !differences.isEmpty || scopes.contains(where: { $0.state == .gone || $0.state == .remade })
    {
      return .finding
    }
    return scopes.contains { $0.state == .unknown } ? .unknown : .good
  }
}
