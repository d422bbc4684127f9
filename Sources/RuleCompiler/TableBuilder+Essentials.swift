import Bytecode
import NetworkTypes
import PolicyLanguage

// What the host cannot do without: let through before ports, addresses and the default are asked, and
// without the timeouts of the clause `idle`.

extension TableBuilder {
  /// Rules for what a family opens outward, behind the given tests for a protocol; nil for those of
  /// any protocol.
  mutating func essentialRules(
    out family: Family, _ ipProtocol: IPProtocol?, behind tests: [Expression] = []
  ) -> [Rule] {
    essentialFlows(.outbound, family, ipProtocol).map { essential, flow in
      // nft(8) writes the family again where nothing else tells it.
      let own =
        Match.family(family) + (ipProtocol == nil ? flow.ipProtocol.map(Match.layer4) ?? [] : [])
      return Rule(
        own + tests + portTests(near: Match.sourcePort, far: Match.destinationPort, flow)
          + addressTest(Match.loadDestination(family), flow.remote, family)
          + [Match.verdict(.accept)],
        comment: "allow \(essential.clause)", provenance: essential.provenance)
    }
  }

  /// Rules for what others open.
  mutating func essentialRulesIn() -> [Rule] {
    var rules: [Rule] = []
    for family in Family.allCases {
      for (essential, flow) in essentialFlows(.inbound, family, nil) {
        rules.append(
          Rule(
            Match.family(family) + (flow.ipProtocol.map(Match.layer4) ?? [])
              + portTests(near: Match.destinationPort, far: Match.sourcePort, flow)
              + addressTest(Match.loadSource(family), flow.remote, family)
              + [Match.verdict(.accept)],
            comment: "allow \(essential.clause)", provenance: essential.provenance))
      }
    }
    return rules
  }

  /// The flows of a direction, family and protocol; of any protocol for nil.
  private func essentialFlows(
    _ direction: Direction, _ family: Family, _ ipProtocol: IPProtocol?
  ) -> [(EssentialException, EssentialFlow)] {
    policy.essentials.flatMap { essential in
      essential.flows.filter { flow in
        let isHere = family == .ipv4 ? !flow.remote.v4.isEmpty : !flow.remote.v6.isEmpty
        return flow.direction == direction && isHere
          && (ipProtocol == nil || flow.ipProtocol == nil || flow.ipProtocol == ipProtocol)
      }.map { (essential, $0) }
    }
  }

  private func portTests(
    near: Expression, far: Expression, _ flow: EssentialFlow
  ) -> [Expression] {
    [(near, flow.localPort), (far, flow.remotePort)].flatMap { load, port -> [Expression] in
      guard let port else { return [] }
      return [load] + Match.inPorts(Interval(port, port))
    }
  }

  /// A test against a set of its own; none for every address.
  private mutating func addressTest(
    _ load: Expression, _ remote: AddressSet, _ family: Family
  ) -> [Expression] {
    let elements: [SetElement]
    switch family {
    case .ipv4:
      if remote.v4 == .full { return [] }
      elements = remote.v4.intervals.map { SetElement(v4: $0) }
    case .ipv6:
      if remote.v6 == .full { return [] }
      elements = remote.v6.intervals.map { SetElement(v6: $0) }
    }
    let set = anonymousSet(
      family == .ipv4 ? .ipv4Address : .ipv6Address, isInterval: true, elements)
    return [load, Match.isIn(set)]
  }
}

extension EssentialException {
  fileprivate var provenance: Provenance { Provenance(clause: clause, location: location) }
}
