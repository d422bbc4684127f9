public import NetworkTypes
public import PolicyLanguage

extension Policy {
  /// What the policy says about a flow: the reference that everything else is judged against.
  ///
  /// A plain walk in the order the language defines: protocols, essentials, the other shape limits,
  /// exceptions, denials, default.
  /// Nothing here is shared with the compiler or the interpreter.
  ///
  /// - Parameters:
  ///   - flow: the conversation to judge.
  ///   - names: what names resolve to; a name that is missing matches nothing.
  /// - Returns: the decision and the clause that made it.
  ///
  /// Complexity: O(entries). Example: `tcp 192.0.2.1:25` under the built-in policy → deny, `private`.
  public func decision(for flow: Flow, names: NameAnswers = .init()) -> Ruling {
    if !protocols.value.contains(flow.ipProtocol) || flow.isMisplacedICMP {
      return Ruling(.deny, clause: "protocols", protocols)
    }
    if let essential = essentials.first(where: { $0.flows.contains { $0.matches(flow) } }) {
      return Ruling(.allow, clause: essential.clause, location: essential.location)
    }
    if flow.direction == .inbound {
      return Ruling(inbound.value, clause: "listen", inbound)
    }
    if flow.ipProtocol.hasPorts, let allowed = sourcePorts.value, let port = flow.localPort,
      !allowed.contains(port)
    {
      return Ruling(.deny, clause: "bind", sourcePorts)
    }
    for entry in allow + deny where entry.matches(flow, names: names) {
      return Ruling(
        entry.decision, clause: entry.clause, location: entry.location,
        citation: entry.citation)
    }
    return Ruling(defaultDecision.value, clause: "default", defaultDecision)
  }
}

extension Flow {
  /// Whether the routing table calls the address broadcast: a link's, or the limited one.
  fileprivate var isBroadcast: Bool { isLinkBroadcast || remoteAddress == .v4(.max) }

  /// Whether it is ICMP of one family inside the other, which no host speaks.
  public var isMisplacedICMP: Bool {
    switch (ipProtocol, remoteAddress) {
    case (.icmp, .v6), (.icmpv6, .v4): true
    default: false
    }
  }
}

extension EssentialFlow {
  fileprivate func matches(_ flow: Flow) -> Bool {
    func agrees(_ wanted: UInt16?, _ port: UInt16?) -> Bool {
      wanted == nil || flow.ipProtocol.hasPorts && port == wanted
    }
    return direction == flow.direction && (ipProtocol == nil || ipProtocol == flow.ipProtocol)
      && remote.contains(flow.remoteAddress) && agrees(remotePort, flow.remotePort)
      && agrees(localPort, flow.localPort)
  }
}

extension Entry {
  func matches(_ flow: Flow, names: NameAnswers) -> Bool {
    (destination?.matches(flow, names: names) ?? true)
      && (ports?.contains { $0.matches(flow) } ?? true)
  }
}

extension Destination {
  func matches(_ flow: Flow, names answers: NameAnswers) -> Bool {
    contains(flow.remoteAddress)
      || (includesLinkBroadcast && flow.isBroadcast)
      || names.contains {
        $0.accepts(flow.remoteAddress) && answers.contains(flow.remoteAddress, for: $0.name)
      }
  }
}

extension PortMatch {
  func matches(_ flow: Flow) -> Bool {
    if let ipProtocol, ipProtocol != flow.ipProtocol { return false }
    guard let ports else { return ipProtocol != nil || flow.ipProtocol.hasPorts }
    return flow.ipProtocol.hasPorts && flow.remotePort.map(ports.contains) ?? false
  }
}

extension Ruling {
  init<Value>(_ decision: Decision, clause: String, _ origin: Sourced<Value>) {
    self.init(decision, clause: clause, location: origin.location, citation: origin.citation)
  }
}
