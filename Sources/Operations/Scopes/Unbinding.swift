import Bytecode
import NetfilterLink
import RuleCompiler

/// Takes scopes out; their packets are judged by no policy of a scope then.
///
/// - Parameters:
///   - scopes: which, also such as exist no more; nil for all.
///   - target: where.
/// - Returns: those that were taken out.
/// - Throws: ``OperationFailure`` (66) when one is not bound; nothing is changed then.
public func unbind(
  _ scopes: [Scope]?, in target: InstallTarget
) throws(OperationFailure) -> ScopeReport {
  let table = target.scopes
  return try target.withSession { session in
    let wanted = scopes.map { $0.map(SoughtScope.init) }
    let lookup = wanted.map { wanted in
      ScopeLookup(
        places: Set(wanted.compactMap(\.place)), comments: Set(wanted.flatMap(\.comments)),
        empties: true)
    }
    var (missing, gone, before): (Scope?, [ScopeBinding], Table?) = (nil, [], nil)
    let change = ScopeChange(policies: [], lookup: lookup) { view, _ in
      before = view?.table
      let known = view?.table.bindings ?? []
      missing = wanted?.first { one in !known.contains(where: one.isMeant) }?.scope
      gone =
        missing == nil
        ? known.filter { binding in wanted?.contains { $0.isMeant(binding) } ?? true } : []
      let rest = known.filter { !gone.contains($0) }
      return missing == nil ? view.goal(table.name, rest, isWhole: scopes == nil) : .unchanged
    }
    _ = try session.change(change, in: table)
    if let missing {
      throw OperationFailure(
        .notFound, "\(missing.text) is bound to no policy; nothing was changed")
    }
    return ScopeReport(table, before, of: gone, state: .removed, names: [])
  }
}

/// A scope to be taken out, which may be there no more.
private struct SoughtScope {
  let scope: Scope
  /// Where it is now.
  let place: ScopePlace?
  /// What may be kept beside its element, the likelier first.
  let comments: [String]

  init(_ scope: Scope) {
    self.scope = scope
    let found = try? scope.find()
    if case .interface(let name) = scope {
      place = Scope.key(ofInterface: name).map { ScopePlace(.interface, $0) }
    } else {
      place = found.map { ScopePlace($0.dimension, $0.key) }
    }
    comments = [found?.scope.comment, scope.comment].compactMap(\.self)
  }

  /// Whether a binding is the scope's, by the name that it is kept under.
  func isMeant(_ binding: ScopeBinding) -> Bool { comments.contains(binding.comment) }
}
