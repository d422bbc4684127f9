import ConnectionReplay
import LinuxSystem
import NetworkTypes
import PolicyMeaning

extension VerifyPlan {
  /// Shows that a socket is judged by who made it, wherever it is used: the clause `transfer`.
  ///
  /// Sockets of the scope are used by somebody else, and what the policy denies must not leave; those
  /// of somebody else are used in the scope, and the same must leave.
  func handOver(
    _ tried: [VerifyCase], _ stage: VerifyStage, _ report: inout RungReport,
    loading load: () throws -> Void
  ) throws {
    let denied = thinned(
      tried.filter {
        $0.expectation.ruling.decision == .deny && $0.probe.shape == .plain && $0.isForwarded
          && $0.probe.flow.ipProtocol.hasPorts
      }, to: 64)
    guard
      !denied.isEmpty,
      let foreign = try stage.standAside({ try sandbox(loading: load) })
    else { return }
    let own = try stage.inhabit { try sandbox(loading: load) }
    let after = try own.observe(denied.map(\.probe))
    let before = try stage.inhabit { try foreign.observe(denied.map(\.probe)) }
    let checks: [(Decision, [Observation], String)] = [
      (.deny, after, "a socket of the scope, used elsewhere"),
      (.allow, before, "a socket from elsewhere, used in the scope"),
    ]
    for (decision, seen, what) in checks {
      for (item, observation) in zip(denied, seen) {
        switch observation.judged(against: decision) {
        case .agrees: report.agree(Ruling(decision, clause: "transfer"))
        case .undecided(let reason): report.leaveOpen("\(item.probe)", reason)
        case .disagrees:
          report.disagree(
            Disagreement(
              probe: "\(item.probe)", origin: what, expected: "\(decision.rawValue) transfer",
              seen: "\(observation)", packet: nil, rules: []))
        }
      }
    }
  }

  private func sandbox(loading load: () throws -> Void) throws -> PacketSandbox {
    let sandbox = try PacketSandbox()
    try sandbox.requireSight()
    try sandbox.filter.run(load)
    return sandbox
  }
}
