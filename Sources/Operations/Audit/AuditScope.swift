import Bytecode
import NetfilterLink
import PolicyLanguage
import RuleCompiler

/// The scope whose packets an audit judges.
struct AuditScope {
  let found: FoundScope
  /// Whether it was found on the running host rather than in a snapshot.
  let isLive: Bool
  /// What led to it: the scope table, or the namespace.
  var origin: String { isLive ? "as it is now" : "as the snapshot's table has it" }

  var scope: Scope { found.scope }
  var text: String { scope.text }
  /// The bytes that the kernel tells it by.
  var key: [UInt8] { found.key }
  /// How far a cgroup is below the root; 0 for other scopes.
  var cgroupLevel: UInt32 {
    if case .cgroup(let level) = found.dimension { return level }
    return 0
  }

  /// The answer to the clause `transfer`: the packets that were judged are told by who made their
  /// socket, wherever its descriptor is now.
  func answer(_ row: ClauseAnswer, _ noLeak: AuditClaim) -> ClauseAnswer? {
    guard row.clause == "transfer", scope.isOfSockets else { return nil }
    let answers: [ClaimAnswer: String] = [.holds: "proved", .fails: "fails", .unknown: "unknown"]
    return ClauseAnswer(
      clause: row.clause, answer: answers[noLeak.answer] ?? "unknown",
      detail: "packets are judged by the scope that made their socket; this rests on no-leak")
  }

  /// What claims about its packets take for granted.
  var assumption: String { "packets are those of \(text), \(origin)" }

  /// Why it cannot be told which sockets are the scope's; nil where it can.
  var socketDoubt: String? {
    if case .cgroup = scope, !isLive {
      return "a snapshot does not say which cgroups are below \(text)"
    }
    return nil
  }

  /// Finds a scope where weir bound it, or where it is now.
  ///
  /// - Parameters:
  ///   - scope: as the user named it.
  ///   - ruleset: the rules that are judged.
  ///   - request: where they come from; a snapshot says nothing of cgroups and users that no scope
  ///     table has.
  /// - Throws: ``OperationFailure`` (66): there is no such scope.
  init(_ scope: Scope, _ ruleset: Ruleset, _ request: AuditRequest) throws(OperationFailure) {
    let table = ruleset.scopeTable(request.target)
    // The host's own number comes first: a cgroup made anew is another one.
    if request.snapshotFile == nil {
      found = try request.target.withSession { _ in try scope.find() }
      isLive = true
      return
    }
    guard let binding = table?.bindings.first(where: { $0.comment == scope.comment }) else {
      throw OperationFailure(
        .notFound, "\(scope.text) is no scope of the snapshot's table \(request.target.scopes)")
    }
    found = FoundScope(dimension: binding.dimension, key: binding.key, scope: scope)
    isLive = false
  }
}

extension AuditSubject {
  /// Whether the scope is bound, to this policy, in a table that is as weir makes it; nil when weir
  /// has no table of scopes here.
  func boundClaim(_ compiled: CompiledPolicy, _ scope: AuditScope) -> AuditClaim? {
    let identifier = target.scopes
    guard let table = snapshot.ruleset.scopeTable(target) else { return nil }
    var claim = AuditClaim(.asInstalled, .holds)
    let bindings = table.bindings
    if !bindings.isEmpty {
      claim.findings = table.frameProblems(from: scopeFrame(named: table.name, bindings)).map {
        AuditFinding("drift: \($0)")
      }
    }
    let binding = bindings.first {
      $0.key == scope.found.key && $0.dimension == scope.found.dimension
    }
    if let binding {
      claim.findings += table.policyProblems(binding.generation) {
        compiled.judgement(generation: $0)
      }.map { AuditFinding("drift: \($0)") }
    } else {
      claim.findings.append(AuditFinding("\(scope.text) is not bound in table \(identifier)"))
    }
    if !claim.findings.isEmpty { claim.answer = .fails }
    claim.assumptions = ["the addresses of names are not compared"]
    return claim
  }
}

extension Ruleset {
  /// The table of the scopes.
  fileprivate func scopeTable(_ target: InstallTarget) -> Table? {
    tables.first { $0.family == .inet && $0.name == target.scopes.name }
  }
}
