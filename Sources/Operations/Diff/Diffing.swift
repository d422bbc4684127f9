import HostFacts
import NetworkTypes
import PacketSets
import PolicyLanguage
import PolicyMeaning
import SymbolicAnalysis

/// What to compare.
public struct DiffRequest: Sendable {
  /// The first side: `live`, a snapshot file, or a policy by file or name.
  public var a: String
  /// The second side, likewise.
  public var b: String
  /// The running kernel that `live` is, and the name of weir's table.
  public var target = InstallTarget()
  /// Addresses of the policies' names; others are those in weir's table on the other side, or made up.
  public var pins = NamePins()
  /// Intervals of decision diagrams at most; beyond, the answer is unknown.
  public var intervalBudget = 64 << 20

  /// Compares two sides.
  public init(_ a: String, _ b: String) {
    self.a = a
    self.b = b
  }
}

/// Decides for every packet whether two sides treat it alike, and names packets that they do not.
///
/// Needs no right unless a side is `live`; changes nothing, and sends nothing.
///
/// - Parameters:
///   - request: what to compare.
///   - progress: is called with one line of text now and then.
/// - Returns: what differs; its status is the exit code.
/// - Throws: ``OperationFailure`` when a side cannot be read.
public func diff(
  _ request: DiffRequest, progress: (String) -> Void = { _ in }
) throws(OperationFailure) -> DiffReport {
  let a = try DiffOrigin(request.a, request.target, progress)
  let b = try DiffOrigin(request.b, request.target, progress)
  var comparer = Comparer(a, b, request)
  comparer.compareAll(progress)
  return comparer.report
}

/// Compares two sides way by way, and fills the report.
private struct Comparer: ~Copyable {
  private let sides: (a: DiffSide, b: DiffSide)
  private var comparison: RulesetComparison
  private let ways: [PacketWay]
  private(set) var report: DiffReport

  /// At most so many regions of one way, family and direction are shown.
  private static var shownRegions: Int { 6 }
  /// At most so many regions are looked through for those that packets can be in.
  private static var listedRegions: Int { 1024 }

  init(_ a: DiffOrigin, _ b: DiffOrigin, _ request: DiffRequest) {
    let snapshots = [a, b].compactMap(\.snapshot)
    let names = NameMeanings(a, b, request)
    let table = request.target.table
    sides = (
      DiffSide(a, names: names.a, tableName: table, against: b),
      DiffSide(b, names: names.b, tableName: table, against: a)
    )
    var facts = snapshots.first?.analysisFacts ?? AnalysisFacts()
    var remarks = snapshots.compactMap(\.quirks.remark) + names.remarks
    if let other = snapshots.dropFirst().first?.analysisFacts {
      if facts.links != other.links {
        facts.links = nil
        remarks.append("the sides have different links; both are meant for a host with any")
      }
      if facts.localAddresses != other.localAddresses
        || facts.broadcastAddresses != other.broadcastAddresses
      {
        facts.localAddresses = nil
        facts.broadcastAddresses = nil
        remarks.append("the sides have different addresses; both are meant for a host with any")
      }
    }
    facts.kernel = sides.a.quirks.analysis
    comparison = RulesetComparison(
      sides.a.ruleset, sides.b.ruleset, facts, secondKernel: sides.b.quirks.analysis,
      budget: DiagramBudget(intervals: request.intervalBudget))
    let mayForward = snapshots.contains { $0.hostState.mayForward }
    ways = mayForward ? [.egress, .forwarding, .ingress] : [.egress, .ingress]
    report = DiffReport(
      a: DiffSource(kind: a.kind, name: request.a), b: DiffSource(kind: b.kind, name: request.b),
      ways: ways.map(\.name))
    report.assumptions = remarks.uniqued()
    for (name, origin) in [("A", a), ("B", b)] {
      report.warnings += origin.warnings
      guard let snapshot = origin.snapshot else { continue }
      let unread = snapshot.unknownSections.map { "section \($0)" }
      report.causes += (unread + (snapshot.host?.unknownKeys ?? [])).map {
        "\(name): the snapshot's \($0) is not known here"
      }
    }
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
    var list = comparison.diagrams.regions(packets, limit: Self.listedRegions)
    var shown: [DifferingRegion] = []
    var examined = 0
    for region in list.regions where shown.count < Self.shownRegions {
      examined += 1
      let inside = try comparison.diagrams.intersection(comparison.diagrams.set(region), real)
      if let region = see(inside, "\(region)", found.way, side) { shown.append(region) }
    }
    if shown.isEmpty {
      list = comparison.diagrams.regions(real, limit: 1)
      examined = 1
      shown = list.regions.compactMap { see(real, "\($0)", found.way, side) }
    }
    guard !shown.isEmpty else { return }
    report.differences.append(
      Difference(
        way: found.way.name, family: isIPv6 ? "ipv6" : "ipv4", passesIn: side, regions: shown,
        moreRegions: Double(list.regions.count - examined) + list.more))
  }

  /// A packet of a set on both sides; nil, and a cause where there is a packet, when the interpreter
  /// does not see it pass on that side alone.
  private mutating func see(
    _ packets: Diagram, _ region: String, _ way: PacketWay, _ side: DiffSideName
  ) -> DifferingRegion? {
    let point = comparison.diagrams.witness(packets, preferring: WitnessReader.preferences)
    guard let point else { return nil }
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

/// What the names of both sides' policies stand for.
private struct NameMeanings {
  let a: NameAnswers
  let b: NameAnswers
  let remarks: [String]

  /// As pinned, or as the other side's table has it; two policies share what is made up.
  init(_ a: DiffOrigin, _ b: DiffOrigin, _ request: DiffRequest) {
    var remarks: [String] = []
    func answers(_ policy: Policy, _ other: DiffOrigin, _ pins: NamePins) -> NameAnswers {
      guard let snapshot = other.snapshot else {
        let names = policy.answersForVerification(pins: pins)
        if names.addresses.keys.contains(where: { request.pins.addresses[$0] == nil }) {
          remarks.append("names that --resolve does not give have made-up addresses on both sides")
        }
        return names
      }
      let (names, origin) = policy.answersForAudit(pins, snapshot.ruleset, request.target.table)
      if let origin { remarks.append(origin) }
      return names
    }
    self.a = a.policy.map { answers($0, b, request.pins) } ?? NameAnswers()
    let shared = self.a.addresses.mapValues { $0.sorted() }
    let pins = NamePins(shared.merging(request.pins.addresses) { _, pinned in pinned })
    self.b = b.policy.map { answers($0, a, pins) } ?? NameAnswers()
    self.remarks = remarks
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
  fileprivate var name: String {
    switch self {
    case .egress: "egress"
    case .forwarding: "forwarding"
    case .ingress: "ingress"
    }
  }
}
