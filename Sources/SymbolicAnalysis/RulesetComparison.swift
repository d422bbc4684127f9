public import Bytecode
import NetworkTypes
public import PacketSets

/// Where two rulesets differ on a way, for every packet at once.
///
/// Sets are of packets as they begin the way. ``onlyFirst`` and ``onlySecond`` hold combinations of
/// fields beyond ``possible`` too, which makes their regions short; what counts lies in both. Of
/// fragments that reassembly may keep they hold what becomes of those that it does not.
public struct WayDifference: Sendable {
  /// The way.
  public let way: PacketWay
  /// The packets that can be on the way under either ruleset.
  public let possible: Diagram
  /// Those that pass by the first ruleset and not by the second, whatever is not known.
  public let onlyFirst: Diagram
  /// Those that pass by the second ruleset and not by the first, whatever is not known.
  public let onlySecond: Diagram
  /// Packets that may pass by one ruleset and not by the other; empty when everything is decided.
  public let undecided: Diagram
  /// Why, on the first side and on the second.
  public let causes: (first: [Cause], second: [Cause])
  /// Packets that may reach the rules of one side alone, as fragments that one side puts together.
  public let unshared: Diagram
  /// Packets that pass on both sides, with other addresses, ports or links.
  public let altered: Diagram
  /// IPv6 fragments that reassembly may keep from the rules of both sides alike; others reach them.
  public let keepable: Diagram
  /// What the analysis did not look at, on the first side and on the second.
  public let notModelled: (first: [String], second: [String])
}

/// Two rulesets in one arena, with one numbering of links and groups, so that they compare.
///
/// Example:
/// ```
/// var comparison = RulesetComparison(old, new, AnalysisFacts())
/// let egress = try comparison.difference(on: .egress)
/// ```
public struct RulesetComparison: ~Copyable {
  /// Holds the arena whenever ``second`` is not at work.
  private var first: SymbolicAnalyzer
  private var second: SymbolicAnalyzer

  /// Prepares a comparison; nothing is computed yet.
  ///
  /// - Parameters:
  ///   - first: a ruleset.
  ///   - second: another one.
  ///   - host: the host on which both are meant.
  ///   - kernel: the kernel under the second ruleset, where it is another one than the host's.
  ///   - budget: how much the arena may hold.
  public init(
    _ first: Ruleset, _ second: Ruleset, _ host: AnalysisFacts,
    secondKernel kernel: KernelQuirks? = nil,
    budget: DiagramBudget = DiagramBudget()
  ) {
    let both = Ruleset(tables: first.tables + second.tables)
    self.first = SymbolicAnalyzer(first, host, numberedFor: both, budget: budget)
    var otherHost = host
    otherHost.kernel = kernel ?? host.kernel
    self.second = SymbolicAnalyzer(second, otherHost, numberedFor: both, budget: budget)
  }

  /// The arena of all results.
  public var diagrams: PacketDiagrams {
    _read { yield first.diagrams }
    _modify { yield &first.diagrams }
  }

  /// The link that an interface field's value stands for; nil for none or for any other.
  public func link(_ value: UInt32) -> Link? { first.link(value) }

  /// Decides for every packet of a way whether it passes by both rulesets.
  ///
  /// - Throws: ``PacketSetError/tooComplex``; the comparison is then of no more use.
  ///
  /// Complexity: O(n log n) in the number of rules that differ in few fields.
  public mutating func difference(on way: PacketWay) throws(PacketSetError) -> WayDifference {
    let one = try first.analyze(way)
    let other = try inSecond { second throws(PacketSetError) in try second.analyze(way) }
    let passes = try first.everywhere(one)
    let passesToo = try inSecond { second throws(PacketSetError) in try second.everywhere(other) }
    let possible = try diagrams.intersection(one.possible, other.possible)
    // Where both sides keep the same fragments, what reaches the rules of one reaches the other's.
    let kept = try first.keepableFragments()
    let keptToo = try inSecond { second throws(PacketSetError) in
      try second.keepableFragments()
    }
    let keptByOne = try diagrams.union(
      diagrams.difference(kept, keptToo), diagrams.difference(keptToo, kept))
    let onlyFirst = try diagrams.difference(
      passes.must, diagrams.union(passesToo.may, keptByOne))
    let onlySecond = try diagrams.difference(
      passesToo.must, diagrams.union(passes.may, keptByOne))
    let same = try diagrams.difference(
      diagrams.intersection(passes.must, passesToo.must), keptByOne)
    let settled = try diagrams.union([onlyFirst, onlySecond, same])
    let undecided = try diagrams.intersection(
      possible, diagrams.difference(diagrams.union(passes.may, passesToo.may), settled))
    let unshared = try diagrams.union(
      diagrams.difference(one.mayPass, other.possible),
      diagrams.difference(other.mayPass, one.possible))

    let rewritten = try first.rewritten(one)
    let rewrittenToo = try inSecond { second throws(PacketSetError) in
      try second.rewritten(other)
    }
    var altered = Diagram.nothing
    for (fields, packets) in rewritten {
      for (otherFields, otherPackets) in rewrittenToo where otherFields != fields {
        let both = try diagrams.intersection([possible, packets, otherPackets])
        altered = try diagrams.union(altered, both)
      }
    }
    return WayDifference(
      way: way, possible: possible, onlyFirst: onlyFirst, onlySecond: onlySecond,
      undecided: undecided,
      causes: (
        try first.causes(of: undecided, in: one),
        try inSecond { second throws(PacketSetError) in
          try second.causes(of: undecided, in: other)
        }
      ), unshared: unshared, altered: altered, keepable: try diagrams.union(kept, keptToo),
      notModelled: (one.notModelled, other.notModelled))
  }

  /// Lends the arena to the second analyzer.
  private mutating func inSecond<Value>(
    _ body: (inout SymbolicAnalyzer) throws(PacketSetError) -> Value
  ) throws(PacketSetError) -> Value {
    swap(&first.diagrams, &second.diagrams)
    defer { swap(&first.diagrams, &second.diagrams) }
    return try body(&second)
  }
}

extension SymbolicAnalyzer {
  /// What may and what must pass, among all combinations of fields and not only the possible ones.
  fileprivate mutating func everywhere(
    _ analysis: WayAnalysis
  ) throws(PacketSetError) -> (may: Diagram, must: Diagram) {
    let outcomes = table.outcomes
    return (
      try diagrams.packets(of: analysis.function) { !outcomes[$0].next.isEmpty },
      try diagrams.packets(of: analysis.function) { !outcomes[$0].drops }
    )
  }

  /// The packets that may pass, by what rules made of their headers and of their link.
  fileprivate mutating func rewritten(
    _ analysis: WayAnalysis
  ) throws(PacketSetError) -> [FieldChanges: Diagram] {
    let outcomes = table.outcomes
    var changes: Set<Int32> = []
    for value in diagrams.values(of: analysis.function) { changes.formUnion(outcomes[value].next) }
    var found: [FieldChanges: Diagram] = [:]
    for change in changes {
      let packets = try diagrams.packets(of: analysis.function) {
        outcomes[$0].next.contains(change)
      }
      // A packet that is routed anew leaves by what its mark and type of service say.
      let made = table.changes[Int(change)]
      let isRouted = made.isRerouted || made.hasNewRoute
      let fields = made.fields.changes.filter { isRouted || $0.key.isSeenOutside }
      let key = FieldChanges(fields)
      found[key] = try diagrams.union(found[key] ?? .nothing, packets)
    }
    return found
  }
}

extension PacketField {
  /// Whether the field is part of what leaves: of a header, or the link.
  fileprivate var isSeenOutside: Bool {
    switch self {
    case .conntrackState, .conntrackDirection, .inputInterface, .socket, .socketUser, .socketGroup,
      .socketCgroup, .packetType, .destinationType, .sourceType:
      false
    default:
      !(PacketField.mark + PacketField.conntrackMark + PacketField.conntrackStatus).contains(self)
    }
  }
}
