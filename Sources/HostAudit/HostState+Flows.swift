public import HostFacts
import NetworkTypes
public import PolicyLanguage
public import PolicyMeaning

extension HostState {
  /// Judges every conversation that is going on: tracked connections, and connected sockets that
  /// are not among them.
  ///
  /// Each is judged as it was opened. A conversation over the loopback is judged once, as its client
  /// sees it. Forwarded ones are judged like outgoing ones.
  ///
  /// - Parameters:
  ///   - policy: what is allowed.
  ///   - names: what the names in it resolve to.
  /// - Returns: what is denied and what is undecided, each with its processes.
  ///
  /// O((sockets + tracked connections) · entries of the policy).
  public func liveFlows(judgedBy policy: Policy, names: NameAnswers = .init()) -> FlowReport {
    var report = FlowReport(outside: [], undecided: [], within: [], unknowns: [])
    let host = FlowJudge(self, policy, names)
    if let reason = conntrack.reason { report.unknowns.append("tracked connections: \(reason)") }
    if let reason = addresses.reason { report.unknowns.append("addresses: \(reason)") }
    if let reason = routes.reason { report.unknowns.append("routes: \(reason)") }
    var tracked: Set<FlowEnds> = []
    for entry in conntrack.value ?? [] {
      tracked.insert(FlowEnds(entry.ipProtocol, entry.original))
      tracked.insert(FlowEnds(entry.ipProtocol, entry.reply))
      report.add(host.judged(entry))
    }
    for table in sockets where table.kind != .icmp && table.kind != .mptcp {
      switch table.sockets {
      case .unknown(let reason): report.unknowns.append("\(table.kind.rawValue) sockets: \(reason)")
      case .known(let list):
        for socket in list where socket.isConnected && !socket.hasEnded {
          if tracked.contains(FlowEnds(socket, isReversed: false)) { continue }
          guard let flow = host.judged(socket, isRaw: table.kind == .raw) else { continue }
          report.add(flow)
        }
      }
    }
    return report
  }
}

extension FlowReport {
  /// Some of the flows, each as it is or judged anew.
  ///
  /// - Parameter transform: nil for a flow that is left out.
  /// - Returns: a report with the same unknowns.
  public func compactMap(_ transform: (LiveFlow) -> LiveFlow?) -> FlowReport {
    var some = FlowReport(outside: [], undecided: [], within: [], unknowns: unknowns)
    for flow in outside + undecided + within {
      if let flow = transform(flow) { some.add(flow) }
    }
    return some
  }

  fileprivate mutating func add(_ flow: LiveFlow) {
    if flow.doubt != nil {
      undecided.append(flow)
    } else if flow.ruling.decision == .deny {
      outside.append(flow)
    } else {
      within.append(flow)
    }
  }
}

extension HostSocket {
  /// Whether nobody can send by it any more: `TCP_TIME_WAIT` 6, `TCP_CLOSE` 7.
  fileprivate var hasEnded: Bool { ipProtocol == .tcp && (state == 6 || state == 7) }
}
