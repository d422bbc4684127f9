import HostAudit
import HostFacts
import NetworkTypes
import PolicyLanguage
import PolicyMeaning

extension AuditSubject {
  /// What the host says of the clause `idle`: that its table gives new flows the policy's timeouts,
  /// and that conntrack keeps no flow for longer; nil when the policy reclaims nothing.
  func idleAnswer(_ claims: [AuditClaim]) -> ClauseAnswer? {
    guard let limit = policy.idleSeconds.value else { return nil }
    func answer(_ answer: ClaimAnswer, _ detail: String) -> ClauseAnswer {
      ClauseAnswer(
        clause: "idle", answer: answer == .holds ? "proved" : answer.rawValue, detail: detail)
    }
    guard let installed = claims.first(where: { $0.claim == .asInstalled }) else {
      return answer(
        .unknown, "table inet \(tableName) is not here; timeouts of other rules are not modelled")
    }
    guard installed.answer == .holds else {
      return answer(.unknown, "the table is not what weir would install")
    }
    let flows: [ConntrackEntry]
    switch host.conntrack {
    case .known(let entries): flows = entries
    case .unknown(let reason): return answer(.unknown, "tracked flows: \(reason)")
    }
    let timed = flows.filter {
      ($0.ipProtocol == .tcp || $0.ipProtocol == .udp) && !isEssential($0)
    }
    let lasting = timed.filter { Int($0.timeoutSeconds ?? 0) > limit }
    if let first = lasting.first {
      return answer(
        .fails,
        "\(lasting.count) tracked flows may be silent for longer than \(limit) s, as that to"
          + " \(first.original.destination), for \(first.timeoutSeconds ?? 0) s; older than the rules"
      )
    }
    let timeless = timed.count { $0.timeoutSeconds == nil }
    if timeless > 0 {
      return answer(
        .unknown, "of \(timeless) tracked flows the kernel told no time, as of offloaded ones")
    }
    return answer(
      .holds, "new TCP and UDP flows get conntrack timeouts, and no tracked flow has longer ones")
  }

  /// Whether an essential lets a tracked flow through, from whichever end it was opened.
  private func isEssential(_ entry: ConntrackEntry) -> Bool {
    let tuple = entry.original
    let here = (tuple.source, tuple.sourcePort)
    let there = (tuple.destination, tuple.destinationPort)
    return [(Direction.outbound, here, there), (.inbound, there, here)].contains {
      direction, local, remote in
      let ruling = policy.decision(
        for: Flow(
          direction: direction, ipProtocol: entry.ipProtocol, localAddress: local.0,
          localPort: local.1, remoteAddress: remote.0, remotePort: remote.1))
      return EssentialException.clauses.contains(ruling.clause)
    }
  }
}
