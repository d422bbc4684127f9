import NetworkTypes
import PolicyMeaning

extension VerifyPlan {
  /// The policy's own tests, and the caller's cases, against the list walk.
  func referenceRung() -> RungReport {
    var report = RungReport(.reference)
    for item in cases {
      guard let authored = item.authored else { continue }
      // What the policy says, whatever a scope's packets have been through.
      let ruling = policy.expectation(for: item.probe, names: names).ruling
      let isClauseRight = authored.clause.map { $0 == ruling.clause } ?? true
      if ruling.decision == authored.decision && isClauseRight {
        report.agree(ruling)
      } else {
        let expected = [authored.decision.rawValue, authored.clause].compactMap(\.self)
        report.disagree(
          Disagreement(
            probe: "\(item.probe)", origin: item.origin,
            expected: expected.joined(separator: " "),
            seen: "\(ruling.decision.rawValue) \(ruling.clause)", packet: nil, rules: []))
      }
    }
    report.conclude()
    if report.tried == 0 { report.note = "the policy has no tests" }
    return report
  }
}
