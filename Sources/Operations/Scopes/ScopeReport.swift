import Bytecode
import LinuxSystem
import NetfilterLink
import RuleCompiler

/// Scopes of a namespace, and what judges each.
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
    /// It was taken out.
    case removed
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
  /// Whether `scopes` are all of the table, or those that were bound or taken out.
  public let isComplete: Bool
  /// The scopes, by kind and name.
  public let scopes: [Row]
  /// What of the table that leads packets to their policies is not as weir made it, as sentences.
  public let differences: [String]
  /// What became of the names of the policies that were installed.
  public let names: [NameReport]
  /// What became of the open flows of the scopes that were bound; nil where none were.
  public let flows: FlowsReport?

  enum CodingKeys: String, CodingKey {
    case version, table, isComplete, scopes, differences, names, flows
  }

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

extension ScopeReport {
  /// Looks each scope of a table up in the calling thread's namespace, and the table's frame too.
  init(
    _ identifier: TableIdentifier, _ live: Table?, names: [NameReport],
    flows: FlowsReport? = nil
  ) {
    let bindings = live?.bindings ?? []
    var differences: [String] = []
    if let live {
      differences =
        bindings.isEmpty
        ? ["the table leads no scope to a policy"]
        : live.frameProblems(from: scopeFrame(named: live.name, bindings))
    }
    self.init(
      table: "\(identifier)", isComplete: true, scopes: Row.all(bindings, live),
      differences: differences, names: names, flows: flows)
  }

  /// Tells of scopes that were just bound, or taken out.
  ///
  /// - Parameters:
  ///   - identifier: their table.
  ///   - live: the table as it was read when they were bound.
  ///   - bindings: the scopes.
  ///   - state: of all of them; nil to look each up.
  ///   - names: of their policies.
  ///   - flows: what became of those that were open.
  init(
    _ identifier: TableIdentifier, _ live: Table?, of bindings: [ScopeBinding],
    state: State? = nil, names: [NameReport], flows: FlowsReport? = nil
  ) {
    self.init(
      table: "\(identifier)", isComplete: false, scopes: Row.all(bindings, live, state: state),
      differences: [], names: names, flows: flows)
  }
}

extension ScopeReport.Row {
  fileprivate static func all(
    _ bindings: [ScopeBinding], _ live: Table?, state: ScopeReport.State? = nil
  ) -> [ScopeReport.Row] {
    let root = ControlGroup.root()
    var policies: [Int: String] = [:]
    for generation in Set(bindings.map(\.generation)) {
      let entry = live?.chains.first { $0.name == "g\(generation)/out" }
      policies[generation] = entry?.comment ?? "unknown"
    }
    return bindings.map { binding in
      let scope = Scope(comment: binding.comment)
      return ScopeReport.Row(
        kind: scope?.kind ?? "unknown", name: scope?.name ?? "\(binding.key)",
        policy: policies[binding.generation] ?? "unknown", generation: binding.generation,
        state: state ?? ScopeReport.State(of: binding, scope, root))
    }.sorted { ($0.kind, $0.name) < ($1.kind, $1.name) }
  }
}

extension ScopeReport.State {
  fileprivate init(of binding: ScopeBinding, _ scope: Scope?, _ root: String?) {
    guard let scope, !scope.name.hasPrefix("…") else {
      self = .unknown
      return
    }
    guard let found = try? scope.find(root) else {
      self = .gone
      return
    }
    self = found.key == binding.key && found.dimension == binding.dimension ? .bound : .remade
  }
}
