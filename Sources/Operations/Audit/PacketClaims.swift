import Bytecode
import NetworkTypes
import PacketSets
import PolicyLanguage
import PolicyMeaning
import SymbolicAnalysis

/// The claims about packets, each decided for all packets at once.
///
/// Packets are compared where they leave: after address translation, marks and new routes. What
/// stays on the loopback does not leave.
struct PacketClaims: ~Copyable {
  let subject: AuditSubject
  private var analyzer: SymbolicAnalyzer
  private let witnesses: WitnessReader
  /// What is taken for granted by every claim about packets.
  private let assumptions: [String]

  /// Prepares to decide claims.
  ///
  /// - Parameters:
  ///   - subject: what is judged.
  ///   - sampling: lets a few addresses stand for all; see ``sampling``.
  ///   - intervalBudget: how much the analysis may cost.
  ///   - confirms: whether packets that break a claim are replayed.
  init(
    _ subject: AuditSubject, sampling: AddressSampling?, intervalBudget: Int, confirms: Bool
  ) {
    self.subject = subject
    analyzer = SymbolicAnalyzer(
      subject.ruleset, subject.analysisFacts,
      budget: DiagramBudget(intervals: intervalBudget), sampling: sampling)
    witnesses = WitnessReader(subject, confirms: confirms)
    assumptions =
      [subject.quirks.remark, subject.namesOrigin, subject.packetScope?.assumption]
      .compactMap(\.self)
  }

  /// At most so many clauses of one claim are shown with a packet each.
  private static var shownClauses: Int { 16 }
  private var analyses: [PacketWay: WayAnalysis] = [:]
  /// The clauses of which some packet may break a claim.
  private(set) var openClauses: [ClaimKind: Set<String>] = [:]

  /// The sampling, with every test that came up; claims hold only if it was faithful.
  var sampling: AddressSampling? { analyzer.diagrams.sampling }

  /// Looks at everything that claims look at, so that the sampling learns the tests.
  mutating func noteTests() {
    do throws(PacketSetError) {
      for way in [.ingress] + ways { _ = try analysis(way) }
      for direction in [Direction.outbound, .inbound] { _ = try flowMeaning(direction) }
      _ = try outboundMeaning()
    } catch {
      // What was noted by then is a sample's worth all the same: faithfulness is asked for later.
    }
  }

  // MARK: Sets that every claim needs

  /// Packets whose last output interface is not the loopback.
  private mutating func leaving() throws(PacketSetError) -> Diagram {
    try analyzer.diagrams.complement(
      analyzer.diagrams.set(.outputInterface, analyzer.loopbackValue))
  }

  /// Packets in one of the conntrack states: 0 invalid, 1 established, 2 related, 3 new, 4 untracked.
  private mutating func states(_ states: [UInt32]) throws(PacketSetError) -> Diagram {
    try analyzer.diagrams.set(.conntrackState, IntervalSet(states.map { Interval($0, $0) }))
  }

  /// Packets that do not go back by the link of the scope that they come from.
  private mutating func goingElsewhere() throws(PacketSetError) -> Diagram {
    guard entering == .forwarding else { return try analyzer.diagrams.complement(.nothing) }
    return try analyzer.diagrams.complement(ofScope(.inbound))
  }

  private mutating func denied(_ meaning: PolicyPackets) throws(PacketSetError) -> Diagram {
    try meaning.packets(in: &analyzer.diagrams) { $0.decision == .deny }
  }

  /// The ways by which packets leave: of this host, and through it where it may forward.
  ///
  /// What comes from the link of a scope for this host leaves the scope, too.
  private var ways: [PacketWay] {
    switch subject.packetScope?.scope {
    case .interface: [.forwarding, .ingress]
    case .cgroup, .user: [.egress]
    case nil: subject.host.mayForward ? [.egress, .forwarding] : [.egress]
    }
  }

  /// The way by which packets enter: this host, or the machine behind the link of a scope.
  private var entering: PacketWay {
    if case .interface = subject.packetScope?.scope { return .forwarding }
    return .ingress
  }

  /// The packets of the scope that is judged, which leave it or enter it; all of them without one.
  private mutating func ofScope(
    _ direction: Direction = .outbound
  ) throws(PacketSetError) -> Diagram {
    guard let scope = subject.packetScope else {
      return try analyzer.diagrams.complement(.nothing)
    }
    switch scope.scope {
    case .user: return try analyzer.packets(ofUser: scope.key.hostNumber)
    case .interface(let name):
      return try analyzer.packets(
        ofLink: name, direction == .outbound ? .inputInterface : .outputInterface)
    case .cgroup:
      // Where other levels are asked for, all packets of sockets may be the scope's.
      if let own = try analyzer.packets(ofCgroup: scope.key, level: scope.cgroupLevel) {
        return own
      }
      return try analyzer.diagrams.set(.socket, 1)
    }
  }

  // MARK: Claims

  /// Whether what opens a flow and leaves is allowed.
  mutating func noLeak() -> AuditClaim {
    claim(.noLeak) { claims throws(PacketSetError) in
      let meaning = try claims.flowMeaning(.outbound)
      let opening = try claims.analyzer.diagrams.intersection([
        claims.states([0, 3, 4]), claims.leaving(), claims.ofScope(),
      ])
      let target = try claims.analyzer.diagrams.intersection(opening, claims.denied(meaning))
      var claim = AuditClaim(.noLeak, .holds)
      for way in claims.ways {
        let analysis = try claims.analysis(way)
        try claims.look(
          for: target, analysis, breaking: meaning, "leaves although the policy denies it",
          into: &claim)
      }
      return claim
    }
  }

  /// Whether packets of known flows that leave are allowed, given the answers it rests on.
  mutating func noLeakEstablished(
    restingOn parts: [(name: String, answer: ClaimAnswer)], helpers: ClaimAnswer
  ) -> AuditClaim {
    claim(.noLeakEstablished) { claims throws(PacketSetError) in
      let outward = try claims.flowMeaning(.outbound)
      let inward = try claims.flowMeaning(.inbound)
      let reply = try claims.analyzer.diagrams.set(.conntrackDirection, 1)
      let denied = try claims.analyzer.diagrams.choose(
        reply, claims.denied(inward), claims.denied(outward))
      let target = try claims.analyzer.diagrams.intersection([
        claims.states([1, 2]), claims.leaving(), denied, claims.ofScope(),
      ])
      let routed = try claims.analyzer.diagrams.set(.routingHeader, 1)
      let shown = try claims.analyzer.diagrams.intersection(target, routed)
      let rest = try claims.analyzer.diagrams.difference(
        target, claims.analyzer.diagrams.union(routed, claims.relatedErrors()))
      let byHelper = try claims.analyzer.diagrams.intersection(rest, claims.states([2]))

      var claim = AuditClaim(.noLeakEstablished, .holds)
      var needsParts = false
      var needsHelpers = false
      for way in claims.ways {
        let analysis = try claims.analysis(way)
        try claims.look(
          for: shown, analysis, breaking: outward,
          "leaves as part of a known flow, with a routing header that sends it elsewhere",
          into: &claim)
        if try claims.analyzer.packets(endingIn: rest, analysis).may != .nothing {
          needsParts = true
        }
        if try claims.analyzer.packets(endingIn: byHelper, analysis).may != .nothing {
          needsHelpers = true
        }
      }
      guard needsParts else { return claim }
      let names = parts.map(\.name).joined(separator: ", ")
      claim.assumptions.append("rules let known flows pass; this rests on \(names)")
      for part in parts {
        claim.answer = claim.answer.and(part.answer)
        if part.answer != .holds {
          claim.causes.append("known flows pass, and \(part.name) \(part.answer.rawValue)")
        }
      }
      if needsHelpers, helpers != .holds {
        claim.answer = claim.answer.and(.unknown)
        claim.causes.append("rules let related flows pass, and conntrack helpers are not ruled out")
      }
      return claim
    }
  }

  /// Whether what the policy allows can leave.
  mutating func noOverBlocking() -> AuditClaim {
    claim(.noOverBlocking) { claims throws(PacketSetError) in
      let meaning = try claims.outboundMeaning()
      let analysis = try claims.analysis(claims.ways[0])
      let control = try meaning.packets(in: &claims.analyzer.diagrams) {
        $0.clause == "link-control"
      }
      let allowed = try meaning.packets(in: &claims.analyzer.diagrams) {
        $0.decision == .allow && $0.clause != "link-control"
      }
      // Discovery is never tracked; everything else that is allowed opens a flow.
      let wanted = try claims.analyzer.diagrams.union(
        claims.analyzer.diagrams.intersection(allowed, claims.states([3])),
        claims.analyzer.diagrams.intersection(control, claims.states([4])))
      let possible = try claims.analyzer.diagrams.intersection([
        analysis.possible, wanted, claims.leaving(), claims.sendable(), claims.plain(),
        claims.ofScope(), claims.goingElsewhere(),
      ])
      let blocked = try claims.analyzer.diagrams.difference(possible, analysis.mayPass)
      let open = try claims.analyzer.diagrams.difference(possible, analysis.mustPass)
      var claim = AuditClaim(.noOverBlocking, .holds)
      let causes = try claims.analyzer.causes(of: open, in: analysis)
      try claims.judge(
        may: open, must: blocked, causes, analysis, breaking: meaning,
        "is dropped although the policy allows it", into: &claim)
      return claim
    }
  }

  /// Whether nothing enters that was not asked for.
  mutating func nothingEnters() -> AuditClaim {
    claim(.nothingEnters) { claims throws(PacketSetError) in
      let meaning = try claims.flowMeaning(.inbound)
      let fromOutside = try claims.analyzer.diagrams.complement(
        claims.analyzer.diagrams.set(.inputInterface, claims.analyzer.loopbackValue))
      let target = try claims.analyzer.diagrams.intersection([
        claims.states([0, 3, 4]), fromOutside, claims.denied(meaning), claims.ofScope(.inbound),
      ])
      var claim = AuditClaim(.nothingEnters, .holds)
      let analysis = try claims.analysis(claims.entering)
      try claims.look(
        for: target, analysis, breaking: meaning, "enters although the policy lets it in nowhere",
        into: &claim)
      return claim
    }
  }

  /// Whether a TCP segment that opens nothing can leave as the first packet of a flow; nil when that
  /// is not decided.
  mutating func acceptsMidStream() -> Bool? {
    do throws(PacketSetError) {
      let segment = try analyzer.diagrams.intersection([
        states([3]), leaving(), analyzer.diagrams.set(.transportProtocol, 6),
        analyzer.diagrams.set(.tcpFlags, 0x10),
      ])
      let analysis = try analysis(.egress)
      let found = try analyzer.packets(endingIn: segment, analysis)
      return found.may == .nothing ? false : found.must == .nothing ? nil : true
    } catch {
      return nil
    }
  }

  // MARK: Steps

  /// A way decided, once.
  private mutating func analysis(_ way: PacketWay) throws(PacketSetError) -> WayAnalysis {
    if let known = analyses[way] { return known }
    let made = try analyzer.analyze(way)
    analyses[way] = made
    return made
  }

  private mutating func flowMeaning(
    _ direction: Direction
  ) throws(PacketSetError) -> PolicyPackets {
    try subject.policy.flowSet(direction, names: subject.names, in: &analyzer.diagrams)
  }

  private mutating func outboundMeaning() throws(PacketSetError) -> PolicyPackets {
    try subject.policy.packetSet(.outbound, names: subject.names, in: &analyzer.diagrams)
  }

  /// ICMP errors that conntrack ties to a known flow.
  private mutating func relatedErrors() throws(PacketSetError) -> Diagram {
    func types(_ types: [UInt32]) -> IntervalSet<UInt32> {
      IntervalSet(types.map { Interval($0 << 8, $0 << 8 | 255) })
    }
    let four = try analyzer.diagrams.intersection([
      analyzer.diagrams.set(.family, 0), analyzer.diagrams.set(.transportProtocol, 1),
      analyzer.diagrams.set(.sourcePort, types([3, 4, 5, 11, 12])),
    ])
    let six = try analyzer.diagrams.intersection([
      analyzer.diagrams.set(.family, 1), analyzer.diagrams.set(.transportProtocol, 58),
      analyzer.diagrams.set(.sourcePort, types([1, 2, 3, 4])),
    ])
    return try analyzer.diagrams.intersection(states([2]), analyzer.diagrams.union(four, six))
  }

  /// Packets that a route takes out: no local, blackhole, unreachable or prohibited destination.
  private mutating func sendable() throws(PacketSetError) -> Diagram {
    let kinds = IntervalSet([1, 3, 4, 5].map { Interval(UInt32($0), UInt32($0)) })
    return try analyzer.diagrams.set(.destinationType, kinds)
  }

  /// Packets without IPv6 extension headers.
  private mutating func plain() throws(PacketSetError) -> Diagram {
    let headers = IntervalSet([0, 43, 44, 60].map { Interval(UInt32($0), UInt32($0)) })
    let extended = try analyzer.diagrams.intersection(
      analyzer.diagrams.set(.family, 1), analyzer.diagrams.set(.firstNextHeader, headers))
    return try analyzer.diagrams.complement(extended)
  }

  private mutating func look(
    for target: Diagram, _ analysis: WayAnalysis, breaking meaning: PolicyPackets,
    _ message: String, into claim: inout AuditClaim
  ) throws(PacketSetError) {
    let found = try analyzer.packets(endingIn: target, analysis)
    try judge(
      may: found.may, must: found.must, found.causes, analysis, breaking: meaning, message,
      into: &claim)
  }

  /// Turns sets of packets that speak against a claim into its answer.
  private mutating func judge(
    may: Diagram, must: Diagram, _ causes: [Cause], _ analysis: WayAnalysis,
    breaking meaning: PolicyPackets,
    _ message: String, into claim: inout AuditClaim
  ) throws(PacketSetError) {
    let touched = try analyzer.diagrams.choose(may, meaning.function, .nothing)
    for value in analyzer.diagrams.values(of: touched) where value > 0 {
      openClauses[claim.claim, default: []].insert(meaning.rulings[value - 1].clause)
    }
    if must != .nothing {
      // One packet a clause: different clauses are different holes.
      let inside = try analyzer.diagrams.choose(must, meaning.function, .nothing)
      for value in analyzer.diagrams.values(of: inside).sorted().prefix(Self.shownClauses) {
        let group =
          value == 0 && inside != .nothing
          ? try analyzer.diagrams.difference(must, inside.nonzero(in: &analyzer.diagrams))
          : try analyzer.diagrams.intersection(
            must, analyzer.diagrams.packets(of: meaning.function) { $0 == value })
        let point = analyzer.diagrams.witness(group, preferring: WitnessReader.preferences)
        guard let point else { continue }
        let links = WitnessLinks(
          input: analyzer.link(point[.inputInterface]),
          output: analyzer.link(point[.outputInterface]),
          cgroup: analyzer.cgroup(point[.socketCgroup]))
        claim.add(
          witnesses.read(
            point, analysis.way, links, isBlocked: claim.claim == .noOverBlocking, message,
            value == 0 ? nil : meaning.rulings[value - 1]))
      }
    } else if may != .nothing {
      claim.answer = claim.answer.and(.unknown)
      claim.causes += causes.map(\.description)
    }
    if !analysis.notModelled.isEmpty {
      claim.answer = claim.answer.and(.unknown)
      claim.causes += analysis.notModelled.map { "not modelled: \($0)" }
    }
  }

  private mutating func claim(
    _ kind: ClaimKind, _ body: (inout PacketClaims) throws(PacketSetError) -> AuditClaim
  ) -> AuditClaim {
    do throws(PacketSetError) {
      if let scope = subject.packetScope, case .cgroup = scope.scope,
        try analyzer.packets(ofCgroup: scope.key, level: scope.cgroupLevel) == nil
      {
        return AuditClaim(
          kind, .unknown, causes: ["rules ask for cgroups of another depth, or of several"],
          assumptions: assumptions)
      }
      var claim = try body(&self)
      claim.causes = claim.causes.uniqued()
      // Clauses that somebody wrote before those that every policy has.
      claim.findings =
        claim.findings.filter { $0.at != nil } + claim.findings.filter { $0.at == nil }
      claim.assumptions = assumptions + claim.assumptions
      return claim
    } catch {
      return AuditClaim(
        kind, .unknown, causes: ["too complex: the budget of the analysis is spent"],
        assumptions: assumptions)
    }
  }
}

extension Diagram {
  /// Where the function is not 0.
  fileprivate func nonzero(in diagrams: inout PacketDiagrams) throws(PacketSetError) -> Diagram {
    try diagrams.packets(of: self) { $0 != 0 }
  }
}

extension AuditClaim {
  /// Adds a packet that breaks the claim; one that the interpreter sees otherwise proves nothing.
  fileprivate mutating func add(_ witness: Witness) {
    switch witness.agreement {
    case .agrees:
      answer = answer.and(.fails)
      findings.append(witness.finding)
    case .undecided(let reason):
      answer = answer.and(.unknown)
      causes.append("\(reason): \(witness.finding.summary)")
    case .disagrees(let reason):
      answer = answer.and(.unknown)
      causes.append(
        "the two readers of the rules disagree: \(reason): \(witness.finding.summary);"
          + " this is a defect of weir")
    }
  }
}

extension AuditFinding {
  /// The packet with its facts and bytes, in one line.
  fileprivate var summary: String {
    ([packet ?? "a packet"] + facts + [bytes.map { "bytes \($0)" } ?? "no bytes"])
      .joined(separator: ", ")
  }
}

extension Array where Element: Hashable {
  /// The elements in order, each once.
  func uniqued() -> [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}
