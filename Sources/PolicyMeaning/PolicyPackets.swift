public import NetworkTypes
public import PacketSets
public import PolicyLanguage

/// What a policy says about every packet that belongs to no known flow: a function of packets.
///
/// A value of ``function`` is a place in ``rulings``. Packets in conntrack state established or
/// related belong to a known flow; the function says nothing about them (``outside``).
public struct PolicyPackets: Hashable, Sendable {
  /// The function, in the arena that made it.
  public let function: Diagram
  /// The rulings that its values stand for, from 1.
  public let rulings: [Ruling]

  /// The value for packets of known flows, which the policy judges when their flow begins.
  public static let outside = 0

  /// The ruling of a packet; nil for a packet of a known flow.
  public func ruling(of point: PacketPoint, in diagrams: borrowing PacketDiagrams) -> Ruling? {
    let value = diagrams.value(of: function, at: point)
    return value == Self.outside ? nil : rulings[value - 1]
  }

  /// The packets that a ruling passes the test for.
  ///
  /// - Throws: ``PacketSetError/tooComplex``.
  public func packets(
    in diagrams: inout PacketDiagrams, where test: (Ruling) -> Bool
  ) throws(PacketSetError) -> Diagram {
    try diagrams.packets(of: function) { $0 != Self.outside && test(rulings[$0 - 1]) }
  }
}

extension Policy {
  /// What the policy says about every packet at once, by decision and clause.
  ///
  /// The same meaning as ``decision(for:names:)-(LonePacket,_)``, reached another way: clause by
  /// clause as packet sets, first match composed. A packet that conntrack calls invalid or does not
  /// track opens no flow: only link control passes, and that is never invalid.
  ///
  /// - Parameters:
  ///   - direction: outbound for what leaves, inbound for what enters.
  ///   - names: what names resolve to; a name that is missing matches nothing.
  ///   - diagrams: the arena to work in.
  /// - Returns: the function and its rulings.
  /// - Throws: ``PacketSetError/tooComplex``.
  ///
  /// Complexity: O(n log n) in the entries' addresses for entries that differ in few fields.
  public func packetSet(
    _ direction: Direction, names: NameAnswers = .init(), in diagrams: inout PacketDiagrams
  ) throws(PacketSetError) -> PolicyPackets {
    var builder = PolicyPacketBuilder(self, direction, names, diagrams.makeOperationNumber())
    return try builder.build(&diagrams)
  }
}

/// Collects clauses as functions, in the order in which they are asked.
struct PolicyPacketBuilder {
  let policy: Policy
  let direction: Direction
  let names: NameAnswers
  /// The number of ``FirstRuling`` in the arena.
  let operation: Int32
  private(set) var rulings: [Ruling] = []
  private var places: [Ruling: Int] = [:]

  init(_ policy: Policy, _ direction: Direction, _ names: NameAnswers, _ operation: Int32) {
    self.policy = policy
    self.direction = direction
    self.names = names
    self.operation = operation
  }

  mutating func build(
    _ diagrams: inout PacketDiagrams
  ) throws(PacketSetError) -> PolicyPackets {
    var clauses: [Diagram] = []
    let stray = place(Ruling(.deny, clause: "no-flow"))
    let fragment = place(Ruling(.deny, clause: "fragment"))
    let control = place(Ruling(.allow, clause: "link-control"))
    clauses.append(try value(fragment, diagrams.fragments(), &diagrams))
    clauses.append(try value(stray, diagrams.malformed(), &diagrams))
    clauses.append(try value(stray, diagrams.misplacedICMP(), &diagrams))
    clauses.append(
      try value(control, diagrams.linkControl(direction, policy), &diagrams))
    clauses.append(try value(stray, diagrams.otherICMPv6(), &diagrams))
    clauses += try flowClauses(ifNotOpening: stray, &diagrams)
    var first = FirstRuling(number: operation)
    let lone = try diagrams.compose(clauses, &first)

    let untracked = try diagrams.mapValues(lone) { value in
      value == control || value == fragment ? value : stray
    }
    let invalid = try diagrams.mapValues(lone) { $0 == fragment ? $0 : stray }
    let isNew = try diagrams.set(.conntrackState, 3)
    let isUntracked = try diagrams.set(.conntrackState, 4)
    let isKnown = try diagrams.set(.conntrackState, IntervalSet([Interval(1, 2)]))
    let others = try diagrams.choose(isUntracked, untracked, invalid)
    let unknown = try diagrams.choose(isNew, lone, others)
    let function = try diagrams.choose(isKnown, .constant(PolicyPackets.outside), unknown)
    return PolicyPackets(function: function, rulings: rulings)
  }

  /// Everything about the flow that the packet would open; with `stray`, segments that open none
  /// have that ruling.
  mutating func flowClauses(
    ifNotOpening stray: Int?, _ diagrams: inout PacketDiagrams
  ) throws(PacketSetError) -> [Diagram] {
    let listed = try diagrams.set(
      .transportProtocol,
      IntervalSet(
        policy.protocols.value.map { Interval(UInt32($0.rawValue), UInt32($0.rawValue)) }))
    let unlisted = try diagrams.complement(listed)
    let protocols = Ruling(.deny, clause: "protocols", policy.protocols)
    var clauses = [try value(place(protocols), unlisted, &diagrams)]
    if direction == .inbound {
      clauses += try essentialClauses(&diagrams)
      let listen = Ruling(policy.inbound.value, clause: "listen", policy.inbound)
      return clauses + [Diagram.constant(place(listen))]
    }
    let routed = try diagrams.set(.routingHeader, 1)
    clauses.append(
      try value(place(Ruling(.deny, clause: "routing-header")), routed, &diagrams))
    if let stray { clauses.append(try value(stray, diagrams.notOpening(), &diagrams)) }
    clauses += try essentialClauses(&diagrams)
    if let ports = policy.sourcePorts.value {
      let bind = Ruling(.deny, clause: "bind", policy.sourcePorts)
      let other = try diagrams.intersection(
        diagrams.withPorts(), diagrams.set(.sourcePort, ports.complement.widened))
      clauses.append(try value(place(bind), other, &diagrams))
    }
    for entry in policy.allow + policy.deny {
      let ruling = Ruling(
        entry.decision, clause: entry.clause, location: entry.location,
        citation: entry.citation)
      let matched = try diagrams.intersection(
        diagrams.destinations(entry.destination, names), diagrams.services(entry.ports))
      clauses.append(try value(place(ruling), matched, &diagrams))
    }
    let rest = Ruling(
      policy.defaultDecision.value, clause: "default", policy.defaultDecision)
    return clauses + [Diagram.constant(place(rest))]
  }

  /// What the host cannot do without.
  private mutating func essentialClauses(
    _ diagrams: inout PacketDiagrams
  ) throws(PacketSetError) -> [Diagram] {
    var clauses: [Diagram] = []
    for essential in policy.essentials {
      let ruling = Ruling(.allow, clause: essential.clause, location: essential.location)
      for flow in essential.flows where flow.direction == direction {
        clauses.append(try value(place(ruling), diagrams.essential(flow), &diagrams))
      }
    }
    return clauses
  }

  /// The value in a set, open elsewhere.
  func value(
    _ value: Int, _ set: Diagram, _ diagrams: inout PacketDiagrams
  ) throws(PacketSetError) -> Diagram {
    try diagrams.mapValues(set) { $0 == 0 ? 0 : value }
  }

  mutating func place(_ ruling: Ruling) -> Int {
    if let known = places[ruling] { return known }
    rulings.append(ruling)
    places[ruling] = rulings.count
    return rulings.count
  }
}

/// The first function that rules; 0 leaves open.
struct FirstRuling: DiagramOperation {
  let number: Int32

  func shortcut(_ left: Diagram, _ right: Diagram) -> Diagram? {
    if left == .constant(0) { return right }
    if left.constantValue != nil || right == .constant(0) { return left }
    return nil
  }

  func combine(_ left: Int, _ right: Int) -> Int { left == 0 ? right : left }
}
