import Bytecode
import NetworkTypes
import PolicyLanguage

// What the host cannot do without: let through before ports, addresses and the default are asked, and
// without the timeouts of the clause `idle`.

extension TableBuilder {
  /// Rules for what a family opens outward: plain packets of a protocol, or every packet for nil.
  mutating func essentialRules(out family: Family, _ ipProtocol: IPProtocol?) -> [Rule] {
    essentialFlows(.outbound, family, ipProtocol).map { essential, flow, place in
      let opening =
        ipProtocol.map { plainOpening($0, family) }
        ?? flow.ipProtocol.map(Match.layer4) ?? []
      return Rule(
        opening + portTests(source: flow.localPort, destination: flow.remotePort)
          + addressTest(
            Match.loadDestination(family), flow.remote, family, place,
            knowsFamily: family == .ipv6 && ipProtocol != nil)
          + [Match.verdict(.accept)],
        comment: "allow \(essential.clause)", provenance: essential.provenance)
    }
  }

  /// A plain opening packet, with the loads that nft(8) makes of its text: the next header of IPv6
  /// tells the protocol.
  private func plainOpening(_ ipProtocol: IPProtocol, _ family: Family) -> [Expression] {
    let nextHeader = Compare(Match.register, .equal, [ipProtocol.rawValue])
    let named =
      family == .ipv4
      ? Match.layer4(ipProtocol)
      : Match.family(.ipv6) + [Match.load(.network, 6, 1), .compare(nextHeader)]
    return named + (ipProtocol == .tcp ? Self.isOpening(.equal) : [])
  }

  /// Rules for what others open, or for what is answered to them: the same with both ends exchanged.
  mutating func essentialRulesIn(areAnswers: Bool = false) -> [Rule] {
    var rules: [Rule] = []
    for family in Family.allCases {
      for (essential, flow, place) in essentialFlows(.inbound, family, nil) {
        let remote = areAnswers ? Match.loadDestination(family) : Match.loadSource(family)
        let address = addressTest(remote, flow.remote, family, place)
        let ports =
          areAnswers
          ? portTests(source: flow.localPort, destination: flow.remotePort)
          : portTests(source: flow.remotePort, destination: flow.localPort)
        rules.append(
          Rule(
            (address.isEmpty ? Match.family(family) : [])
              + (flow.ipProtocol.map(Match.layer4) ?? [])
              + ports + address + [Match.verdict(.accept)],
            comment: "allow \(essential.clause)", provenance: essential.provenance))
      }
    }
    return rules
  }

  /// The flows of a direction, family and protocol, each with a place of its own; of any protocol for
  /// nil.
  private func essentialFlows(
    _ direction: Direction, _ family: Family, _ ipProtocol: IPProtocol?
  ) -> [(EssentialException, EssentialFlow, place: String)] {
    var found: [(EssentialException, EssentialFlow, place: String)] = []
    for (number, essential) in policy.essentials.enumerated() {
      for (part, flow) in essential.flows.enumerated() where flow.direction == direction {
        let isHere = family == .ipv4 ? !flow.remote.v4.isEmpty : !flow.remote.v6.isEmpty
        guard isHere, ipProtocol == nil || flow.ipProtocol == nil || flow.ipProtocol == ipProtocol
        else { continue }
        found.append((essential, flow, "\(essential.kind.rawValue)/\(number)/\(part)"))
      }
    }
    return found
  }

  /// Tests of one port, or of both by one load: nft(8) makes one of two that are neighbours.
  private func portTests(source: UInt16?, destination: UInt16?) -> [Expression] {
    switch (source, destination) {
    case (let source?, let destination?):
      let both = [source, destination].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
      return [Match.load(.transport, 0, 4), .compare(Compare(Match.register, .equal, both))]
    case (let source?, nil): return [Match.sourcePort] + Match.inPorts(Interval(source, source))
    case (nil, let port?): return [Match.destinationPort] + Match.inPorts(Interval(port, port))
    case (nil, nil): return []
    }
  }

  /// A test against a set of the flow's own, by name; none for every address.
  ///
  /// Named, because nft(8) makes a comparison of an anonymous set with one element.
  private mutating func addressTest(
    _ load: Expression, _ remote: AddressSet, _ family: Family, _ place: String,
    knowsFamily: Bool = false
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
    let set = name("essential/\(place)/\(family.digit)")
    if !sets.contains(where: { $0.name == set }) {
      sets.append(
        NamedSet(
          name: set, flags: .interval, key: [family == .ipv4 ? .ipv4Address : .ipv6Address],
          content: .elements(elements)))
    }
    // Where nft(8) puts the family itself: right before what needs it.
    return (knowsFamily ? [] : Match.family(family)) + [load, Match.isIn(set)]
  }
}

extension EssentialException {
  fileprivate var provenance: Provenance { Provenance(clause: clause, location: location) }
}
