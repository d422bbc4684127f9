public import NetworkTypes
public import PacketSets
public import PolicyLanguage

extension Policy {
  /// What the policy says about the flow that a packet belongs to, for every packet at once.
  ///
  /// The lenient sister of ``packetSet(_:names:in:)``: any packet of an allowed flow is allowed, in
  /// whatever conntrack state and with whatever TCP flags. A packet that shows no ports, a later
  /// fragment or a truncated one, is allowed only where every port is. Routing headers are denied,
  /// because the packet goes on to an address that nobody judged.
  ///
  /// - Parameters:
  ///   - direction: who opened the flow: outbound for this host, inbound for others. Addresses are
  ///     those of the packet, so that the source is the local end of an outbound flow.
  ///   - names: what names resolve to; a name that is missing matches nothing.
  ///   - diagrams: the arena to work in.
  /// - Returns: a function that is nowhere ``PolicyPackets/outside``.
  /// - Throws: ``PacketSetError/tooComplex``.
  ///
  /// Complexity: as ``packetSet(_:names:in:)``.
  public func flowSet(
    _ direction: Direction, names: NameAnswers = .init(), in diagrams: inout PacketDiagrams
  ) throws(PacketSetError) -> PolicyPackets {
    var builder = PolicyPacketBuilder(self, direction, names, diagrams.makeOperationNumber())
    return try builder.buildFlows(&diagrams)
  }
}

extension PolicyPacketBuilder {
  mutating func buildFlows(
    _ diagrams: inout PacketDiagrams
  ) throws(PacketSetError) -> PolicyPackets {
    let stray = place(Ruling(.deny, clause: "no-flow"))
    let fragment = place(Ruling(.deny, clause: "fragment"))
    let control = place(Ruling(.allow, clause: "link-control"))
    let typeless = try diagrams.union(
      diagrams.laterFragments(), diagrams.set(.transportLength, 0))
    let wholeControl = try diagrams.difference(
      diagrams.linkControl(direction, policy), typeless)
    var clauses = [try value(stray, diagrams.misplacedICMP(), &diagrams)]
    clauses.append(try value(control, wholeControl, &diagrams))
    clauses.append(try value(stray, diagrams.otherICMPv6(), &diagrams))
    clauses += try flowClauses(ifNotOpening: nil, &diagrams)
    var first = FirstRuling(number: operation)
    let shown = try diagrams.compose(clauses, &first)

    let rulings = self.rulings
    var denied = try diagrams.packets(of: shown) {
      $0 > 0 && rulings[$0 - 1].decision == .deny
    }
    denied = try diagrams.project(denied, .destinationPort)
    denied = try diagrams.project(denied, .sourcePort)
    // Control shows what it is by its first byte.
    let hidden = try diagrams.difference(
      diagrams.intersection(diagrams.withoutPorts(), denied), wholeControl)
    let function = try diagrams.choose(hidden, .constant(fragment), shown)
    return PolicyPackets(function: function, rulings: rulings)
  }
}

extension PacketDiagrams {
  /// Packets that do not show the first four bytes of their transport header.
  fileprivate mutating func withoutPorts() throws(PacketSetError) -> Diagram {
    try union(laterFragments(), set(.transportLength, IntervalSet([Interval(0, 3)])))
  }

  /// Fragments but the first of their datagram.
  fileprivate mutating func laterFragments() throws(PacketSetError) -> Diagram {
    let flags: [UInt32] = [0, 0x2000, 0x4000, 0x6000, 0x8000, 0xa000, 0xc000, 0xe000]
    return try set(.fragment, IntervalSet(flags.map { Interval($0 + 1, $0 + 0x1fff) }))
  }
}
