import ConnectionReplay
import HostFacts
import LinuxSystem
import NetworkTypes
import PolicyLanguage
import PolicyMeaning

extension VerifyPlan {
  /// Holds one allowed flow of each family and protocol open, and asks conntrack after how long a
  /// silence it forgets them.
  ///
  /// To wait for it would take as long as the policy says; the kernel's own tests tell that an entry
  /// whose time is up is gone.
  func reclaim(
    _ tried: [VerifyCase], _ sandbox: ConversationSandbox, _ report: inout RungReport
  ) throws {
    guard let limit = policy.idleSeconds.value else { return }
    let ruling = Ruling(
      .allow, clause: "idle", location: policy.idleSeconds.location,
      citation: policy.idleSeconds.citation)
    let cases = openFlows(tried)
    let start = ProcessFacts.monotonicNanoseconds()
    let entries = try sandbox.tracked(cases.map(\.probe))
    let passed = (ProcessFacts.monotonicNanoseconds() - start) / 1_000_000_000 + 2
    for (item, entry) in zip(cases, entries) {
      let isEstablished = entry?.ipProtocol != .tcp || entry?.tcpState == 3
      guard let entry, isEstablished, let rest = entry.timeoutSeconds else {
        report.leaveOpen("\(item.probe)", "no open flow to ask conntrack about")
        continue
      }
      if Int(rest) <= limit, Int(rest) + Int(passed) >= limit {
        report.agree(ruling)
      } else {
        report.disagree(
          Disagreement(
            probe: "\(item.probe)", origin: item.origin,
            expected: "an open flow that conntrack forgets after \(limit) s, by the clause idle",
            seen: "it has \(rest) s", packet: nil, rules: []))
      }
    }
  }

  /// One allowed conversation with an ordinary address for each family and protocol, none of an
  /// essential: those are not reclaimed.
  private func openFlows(_ tried: [VerifyCase]) -> [VerifyCase] {
    Family.allCases.flatMap { family in
      [IPProtocol.tcp, .udp].compactMap { ipProtocol in
        tried.first { item in
          let flow = item.probe.flow
          return flow.ipProtocol == ipProtocol && flow.remoteAddress.family == family
            && flow.direction == .outbound && item.expectation.ruling.decision == .allow
            && !EssentialException.clauses.contains(item.expectation.ruling.clause)
            && flow.remotePort != nil && !flow.isLinkBroadcast
        }
      }
    }
  }
}
