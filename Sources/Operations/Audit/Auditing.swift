import Bytecode
import HostAudit
import NetfilterLink
import NetworkTypes
import PacketSets
import PolicyLanguage
import RuleCompiler

/// Decides whether a host holds a policy, for every packet at once.
///
/// Reads a snapshot, or takes one, and judges that; nothing is changed, and nothing is sent but by
/// a replay in a namespace made for it.
///
/// - Parameters:
///   - request: what to do.
///   - progress: is called with one line of text now and then.
/// - Returns: what was found; its status is the exit code.
/// - Throws: ``OperationFailure`` when there is nothing to judge.
public func audit(
  _ request: AuditRequest, progress: (String) -> Void = { _ in }
) throws(OperationFailure) -> AuditReport {
  let subject = try AuditSubject(request, progress)
  let compiled = compile(
    subject.policy,
    tableName: subject.packetScope == nil ? subject.tableName : subject.target.scopes.name)
  var sampling = subject.sampling(request)
  var rounds = 0
  while true {
    var packets = PacketClaims(
      subject, sampling: sampling, intervalBudget: request.intervalBudget,
      confirms: request.confirms)
    let report = judge(subject, compiled, &packets, progress)
    guard let used = packets.sampling, !used.isFaithful else { return report }
    // A sample that is wrong again and again is of no use: then every address is decided.
    rounds += 1
    sampling = rounds < 4 ? used.refined() : nil
  }
}

/// Decides every claim.
private func judge(
  _ subject: AuditSubject, _ compiled: CompiledPolicy, _ packets: inout PacketClaims,
  _ progress: (String) -> Void
) -> AuditReport {
  progress("packets …")
  let noLeak = packets.noLeak()
  progress("packets that must be able to leave …")
  let noOverBlocking = packets.noOverBlocking()
  let nothingEnters = packets.nothingEnters()
  progress("sockets and flows …")
  let listeners = subject.listenerClaim()
  let liveFlows = subject.liveFlowClaim()
  let rows = subject.bypasses(acceptsMidStream: packets.acceptsMidStream())
  let helpers = rows.first { $0.bypass == .helpers }?.status
  let scope = subject.packetScope
  let noLeakEstablished = packets.noLeakEstablished(
    restingOn: [
      ("no-leak", noLeak.answer), ("nothing-enters", nothingEnters.answer),
      ("live-flows", liveFlows.answer),
    ], helpers: helpers == .absent ? .holds : .unknown)
  var claims = [noLeak, noLeakEstablished, noOverBlocking, nothingEnters]
  // Who listens behind a link is not seen from here.
  if scope?.scope.isOfSockets ?? true { claims.append(listeners) }
  claims.append(liveFlows)
  claims.append(subject.waysAroundClaim(rows))
  let others = subject.host.otherJudges(rows)
  for index in claims.indices where claims[index].claim.isAboutPackets {
    claims[index].leaveOpen(others)
  }
  let installed =
    scope.map { subject.boundClaim(compiled, $0) } ?? subject.installedClaim(compiled)
  if let installed { claims.append(installed) }
  if !subject.unread.isEmpty {
    for index in claims.indices {
      claims[index].answer = claims[index].answer.and(.unknown)
      claims[index].causes += subject.unread.map { "the snapshot's \($0) is not known here" }
    }
  }
  return AuditReport(
    policy: subject.policy.name, policyDigest: compiled.digest,
    rulesetDigest: subject.rulesetDigest, generation: subject.snapshot.generation,
    kernel: subject.snapshot.kernelRelease, source: subject.source, scope: subject.scope,
    packetsOf: subject.packetScope?.text, claims: claims,
    clauses: subject.policy.clauseAnswers(
      claims, open: packets.openClauses, idle: subject.idleAnswer(claims)
    ).map { subject.packetScope?.answer($0, noLeak) ?? $0 },
    waysAround: rows.map(WayAround.init))
}

extension AuditSubject {
  /// Addresses that stand for all others, where the rules have long lists; nil where they have not.
  fileprivate func sampling(_ request: AuditRequest) -> AddressSampling? {
    let sampling = AddressSampling()
    let elements = snapshot.ruleset.tables.flatMap(\.sets).map(\.content.count)
    let listed = (policy.allow + policy.deny).map { entry in
      (entry.destination?.addresses).map { $0.v4.intervals.count + $0.v6.intervals.count } ?? 0
    }
    guard (elements + listed).reduce(0, +) >= sampling.leastIntervals else { return nil }
    var packets = PacketClaims(
      self, sampling: sampling, intervalBudget: request.intervalBudget, confirms: false)
    packets.noteTests()
    return packets.sampling?.refined()
  }

  /// Weir's table is what weir would install; nil when it is not there.
  fileprivate func installedClaim(_ compiled: CompiledPolicy) -> AuditClaim? {
    let table = snapshot.ruleset.tables.first { $0.family == .inet && $0.name == tableName }
    guard let table,
      let drift = table.drift(from: { compiled.table(generation: $0) })
    else { return nil }
    var claim = AuditClaim(.asInstalled, drift.differences.isEmpty ? .holds : .fails)
    claim.findings = drift.differences.map { AuditFinding("drift: \($0)") }
    if let trial = drift.trial {
      claim.answer = claim.answer.and(.unknown)
      let isTried = trial.generation == drift.generation
      claim.causes.append(
        "a trial runs, for \(trial.remainingMilliseconds / 1000) s from reading: what weir would"
          + " install is \(isTried ? "on trial" : "what the trial of another policy falls back to")"
      )
    }
    claim.assumptions = ["the addresses of names are not compared"]
    return claim
  }
}

extension Policy {
  /// One row a clause: what the claims about packets say of it alone.
  fileprivate func clauseAnswers(
    _ claims: [AuditClaim], open: [ClaimKind: Set<String>], idle: ClauseAnswer?
  ) -> [ClauseAnswer] {
    let judged = claims.filter(\.claim.isAboutPackets)
    let failing = Set(judged.flatMap(\.findings).compactMap(\.clause))
    let openClauses = open.values.reduce(into: Set<String>()) { $0.formUnion($1) }
    // A claim without clauses of its own that is not decided says nothing of any clause.
    let isAllOpen = judged.contains { $0.answer == .unknown && open[$0.claim] == nil }
    return clauseStatuses([], exercised: [:]).map { row in
      if row.clause == "idle", let idle { return idle }
      switch row.answer {
      case .notEnforced, .notAPacketRule:
        return ClauseAnswer(
          clause: row.clause, answer: row.answer.rawValue, detail: row.detail)
      default:
        return ClauseAnswer(
          clause: row.clause,
          answer: failing.contains(row.clause)
            ? "fails" : openClauses.contains(row.clause) || isAllOpen ? "unknown" : "proved",
          detail: row.detail)
      }
    }
  }
}
