import NetworkTypes
public import PacketSets

/// A statement about all packets of a way, and whether it is true.
public struct Claim: Sendable {
  /// The answer.
  public enum Answer: Hashable, Sendable {
    /// No packet breaks the claim.
    case holds
    /// A packet breaks it for certain.
    case fails
    /// Packets may break it; ``Claim/causes`` says on what it depends.
    case unknown
  }

  /// Whether it is true.
  public let answer: Answer
  /// The packets that break it for certain, as they begin their way.
  public let violations: Diagram
  /// The packets that may break it, or not, as they begin their way.
  public let doubts: Diagram
  /// One packet that breaks the claim, or may break it: a plausible one.
  public let witness: PacketPoint?
  /// What the doubts depend on.
  public let causes: [Cause]
}

extension SymbolicAnalyzer {
  /// Whether everything that leaves is allowed.
  ///
  /// Packets are judged as they leave, after NAT and marks; the witness is the packet that begins
  /// the way.
  ///
  /// - Parameters:
  ///   - analysis: a way through the ruleset.
  ///   - allowed: the packets that may leave, as they are then.
  ///   - judged: the packets that the claim is about, as they leave: a policy's, say, and not what
  ///     goes over the loopback link.
  /// - Returns: the claim.
  /// - Throws: ``PacketSetError/tooComplex``.
  public mutating func claimNoLeak(
    _ analysis: WayAnalysis, allowed: Diagram, judged: Diagram
  ) throws(PacketSetError) -> Claim {
    let forbidden = try diagrams.intersection([
      judged, diagrams.complement(allowed), consistentPackets(),
    ])
    var certain: [Diagram] = []
    var possible: [Diagram] = []
    var numbers: Set<Int32> = []
    var why: Set<Int32> = []
    for value in diagrams.values(of: analysis.function) {
      numbers.formUnion(table.outcomes[value].next)
    }
    let outcomes = table.outcomes
    for number in numbers.sorted() {
      let change = table.changes[Int(number)]
      let reaching = try diagrams.intersection(
        analysis.possible, diagrams.before(change.fields, forbidden))
      let may = try diagrams.packets(of: analysis.function) {
        outcomes[$0].next.contains(number)
      }
      let leaking = try diagrams.intersection(reaching, may)
      possible.append(leaking)
      if leaking != .nothing { why.formUnion(change.causes) }
      guard change.isExact else { continue }
      let must = try diagrams.packets(of: analysis.function) {
        outcomes[$0].next == [number] && !outcomes[$0].drops
      }
      certain.append(try diagrams.intersection(reaching, must))
    }
    let violations = try diagrams.difference(diagrams.union(certain), keepableFragments())
    let doubts = try diagrams.difference(diagrams.union(possible), violations)
    return try claim(violations, doubts, analysis, changes: why)
  }

  /// Whether everything that is allowed gets through.
  ///
  /// - Parameters:
  ///   - analysis: a way through the ruleset.
  ///   - allowed: the packets that must get through, as they begin the way.
  /// - Returns: the claim.
  /// - Throws: ``PacketSetError/tooComplex``.
  public mutating func claimNoBlock(
    _ analysis: WayAnalysis, allowed: Diagram
  ) throws(PacketSetError) -> Claim {
    let claimed = try diagrams.intersection(analysis.possible, allowed)
    let violations = try diagrams.difference(claimed, analysis.mayPass)
    let doubts = try diagrams.intersection(claimed, analysis.undecided)
    return try claim(violations, doubts, analysis)
  }

  private mutating func claim(
    _ violations: Diagram, _ doubts: Diagram, _ analysis: WayAnalysis, changes: Set<Int32> = []
  ) throws(PacketSetError) -> Claim {
    var causes = try causes(of: doubts, in: analysis)
    if doubts != .nothing {
      let more = changes.sorted().map { table.causes[Int($0)] }
      causes += more.filter { !causes.contains($0) }
    }
    let answer: Claim.Answer =
      violations != .nothing ? .fails : doubts != .nothing ? .unknown : .holds
    let sample = violations != .nothing ? violations : doubts
    let witness = diagrams.witness(sample) { PacketPoint.plausible($0, after: $1) }
    return Claim(
      answer: answer, violations: violations, doubts: doubts, witness: witness,
      causes: causes)
  }
}

extension Change {
  /// Whether every field becomes one known value.
  var isExact: Bool {
    fields.changes.allSatisfy { field, change in
      switch change {
      case .among(let values): values.first == values.last
      case .bits: true
      }
    }
  }
}
