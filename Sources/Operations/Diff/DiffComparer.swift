import NetworkTypes
import PacketSets
import SymbolicAnalysis

/// Compares two sides way by way, and fills the report.
struct DiffComparer: ~Copyable {
  private let sides: (a: DiffSide, b: DiffSide)
  private var comparison: RulesetComparison
  private let ways: [PacketWay]
  private(set) var report: DiffReport

  /// At most so many regions of one way, family and direction are shown.
  private static var shownRegions: Int { 6 }
  /// At most so many of them of packets that open a flow.
  private static var shownOpenings: Int { 4 }
  /// At most so many regions are looked through for those that packets can be in.
  private static var listedRegions: Int { 1024 }

  /// Prepares a comparison.
  ///
  /// - Parameters:
  ///   - sides: what to compare.
  ///   - facts: the host on which both are meant.
  ///   - ways: the ways that there are on it.
  ///   - report: the report to fill; what it has already stays.
  ///   - budget: intervals of decision diagrams at most.
  init(
    _ sides: (a: DiffSide, b: DiffSide), on facts: AnalysisFacts, ways: [PacketWay],
    filling report: DiffReport, budget: Int
  ) {
    self.sides = sides
    self.ways = ways
    self.report = report
    var facts = facts
    facts.kernel = sides.a.quirks.analysis
    comparison = RulesetComparison(
      sides.a.ruleset, sides.b.ruleset, facts, secondKernel: sides.b.quirks.analysis,
      budget: DiagramBudget(intervals: budget))
  }

  mutating func compareAll(_ progress: (String) -> Void) {
    do throws(PacketSetError) {
      for way in ways {
        progress("\(way.name) …")
        try compare(way)
      }
    } catch {
      report.causes.append("too complex: the budget of the analysis is spent")
    }
    report.causes = report.causes.uniqued()
  }

  private mutating func compare(_ way: PacketWay) throws(PacketSetError) {
    let found = try comparison.difference(on: way)
    for (packets, side) in [(found.onlyFirst, DiffSideName.a), (found.onlySecond, .b)] {
      for family in [0, 1] as [UInt32] {
        let part = try comparison.diagrams.intersection(
          packets, comparison.diagrams.set(.family, family))
        try describe(part, within: found, passingIn: side, isIPv6: family == 1)
      }
    }
    for (name, causes, missing) in [
      ("A", found.causes.first, found.notModelled.first),
      ("B", found.causes.second, found.notModelled.second),
    ] {
      report.causes += causes.map { "\(way.name), \(name): \($0)" }
      report.causes += missing.map { "\(name), not modelled: \($0)" }
    }
    for (packets, reason) in [
      (found.unshared, "reach the rules of one side alone"),
      (found.altered, "pass on both sides, with other addresses, ports or links"),
    ] {
      guard let region = comparison.diagrams.regions(packets, limit: 1).regions.first else {
        continue
      }
      report.causes.append("\(way.name): packets \(reason), among them: \(region)")
    }
  }

  /// Adds the regions of a set that packets can be in, each with a packet that the interpreter sees
  /// pass on that side alone.
  private mutating func describe(
    _ packets: Diagram, within found: WayDifference, passingIn side: DiffSideName, isIPv6: Bool
  ) throws(PacketSetError) {
    let real = try comparison.diagrams.intersection(packets, found.possible)
    guard real != .nothing else { return }
    // What opens a flow first: that is what people look for.
    let opening = try comparison.diagrams.set(.conntrackState, 3)
    let parts = [
      (try comparison.diagrams.intersection(packets, opening), Self.shownOpenings),
      (try comparison.diagrams.difference(packets, opening), Self.shownRegions),
    ]
    var shown: [DifferingRegion] = []
    var more = 0.0
    for (part, limit) in parts {
      let list = comparison.diagrams.regions(part, limit: Self.listedRegions)
      var examined = 0
      for region in list.regions where shown.count < limit {
        examined += 1
        let inside = try comparison.diagrams.intersection(comparison.diagrams.set(region), real)
        if let region = try see(inside, "\(region)", found, side) { shown.append(region) }
      }
      more += Double(list.regions.count - examined) + list.more
    }
    if shown.isEmpty, let first = comparison.diagrams.regions(real, limit: 1).regions.first {
      if let region = try see(real, "\(first)", found, side) { shown.append(region) }
    }
    guard !shown.isEmpty else { return }
    report.differences.append(
      Difference(
        way: found.way.name, family: isIPv6 ? "ipv6" : "ipv4", passesIn: side, regions: shown,
        moreRegions: more))
  }

  /// A packet of a set on both sides; nil, and a cause where there is a packet, when the interpreter
  /// does not see it pass on that side alone, or when reassembly may keep all of them.
  private mutating func see(
    _ packets: Diagram, _ region: String, _ found: WayDifference, _ side: DiffSideName
  ) throws(PacketSetError) -> DifferingRegion? {
    guard packets != .nothing else { return nil }
    let way = found.way
    let reaching = try comparison.diagrams.difference(packets, found.keepable)
    let point = comparison.diagrams.witness(reaching, preferring: WitnessReader.preferences)
    guard let point else {
      report.causes.append("\(way.name): whether reassembly keeps an IPv6 fragment: \(region)")
      return nil
    }
    let links = WitnessLinks(
      input: comparison.link(point[.inputInterface]),
      output: comparison.link(point[.outputInterface]))
    let packet = "\(FlowText(point.flow(way)))"
    let inA = sides.a.sight(of: point, way, links)
    let inB = sides.b.sight(of: point, way, links)
    guard inA.passes == (side == .a), inB.passes == (side == .b) else {
      let reasons = [("A", inA, side == .a), ("B", inB, side == .b)].compactMap {
        name, sight, expected -> String? in
        if sight.passes == expected { return nil }
        return "\(name): "
          + (sight.obstacle ?? "the two readers of the rules disagree; this is a defect of weir")
      }
      let facts = point.facts(links).joined(separator: ", ")
      report.causes.append(
        "\(way.name): \(packet), \(facts): \(reasons.joined(separator: "; "))")
      return nil
    }
    return DifferingRegion(
      region: region, packet: packet, bytes: point.bytes.map { $0.map(\.hexadecimal).joined() },
      facts: point.facts(links), rulesInA: inA.path, rulesInB: inB.path)
  }
}

extension PacketDiagrams {
  /// The packets of a region.
  fileprivate mutating func set(_ region: PacketRegion) throws(PacketSetError) -> Diagram {
    var parts: [Diagram] = []
    for constraint in region.fields { parts.append(try set(constraint.field, constraint.values)) }
    return try intersection(parts)
  }
}

extension PacketWay {
  /// `egress`, `forwarding` or `ingress`.
  var name: String {
    switch self {
    case .egress: "egress"
    case .forwarding: "forwarding"
    case .ingress: "ingress"
    }
  }
}
