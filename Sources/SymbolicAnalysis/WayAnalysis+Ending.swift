import NetworkTypes
public import PacketSets

/// Packets that come out of a way inside some set, as they begin it.
public struct PacketsEnding: Sendable {
  /// Those that may: no packet outside does.
  public let may: Diagram
  /// Those that do, whatever is not known.
  public let must: Diagram
  /// What the difference depends on.
  public let causes: [Cause]
}

extension SymbolicAnalyzer {
  /// The packets, as they begin their way, that come out of it inside a set.
  ///
  /// A packet that is routed anew takes the loopback link when its destination is this host's, and
  /// another one, if any, when it is not.
  ///
  /// - Parameters:
  ///   - target: packets as they are at the end of the way.
  ///   - analysis: the way.
  /// - Returns: the packets that may, and those that do.
  /// - Throws: ``PacketSetError/tooComplex``.
  public mutating func packets(
    endingIn target: Diagram, _ analysis: WayAnalysis
  ) throws(PacketSetError) -> PacketsEnding {
    let outcomes = table.outcomes
    let elsewhere = try diagrams.complement(target)
    var changes: Set<Int32> = []
    for value in diagrams.values(of: analysis.function) { changes.formUnion(outcomes[value].next) }
    var may: [Diagram] = []
    var astray: [Diagram] = []
    var numbers: Set<Int32> = []
    for change in changes.sorted() {
      let going = try diagrams.intersection(
        analysis.possible,
        diagrams.packets(of: analysis.function) { outcomes[$0].next.contains(change) })
      let reaching = try diagrams.intersection(going, before(change, into: target))
      let missing = try diagrams.intersection(going, before(change, into: elsewhere))
      if try diagrams.intersection(reaching, missing) != .nothing {
        numbers.formUnion(table.changes[Int(change)].causes)
      }
      may.append(reaching)
      astray.append(missing)
    }
    let reaching = try diagrams.union(may)
    let certain = try diagrams.difference(
      diagrams.intersection(analysis.mustPass, reaching), diagrams.union(astray))
    var found = try causes(of: diagrams.difference(reaching, certain), in: analysis)
    found += numbers.sorted().map { table.causes[Int($0)] }.filter { !found.contains($0) }
    return PacketsEnding(may: reaching, must: certain, causes: found)
  }

  /// The packets that a change may bring into a set.
  private mutating func before(
    _ change: Int32, into target: Diagram
  ) throws(PacketSetError) -> Diagram {
    let change = table.changes[Int(change)]
    guard !change.fields.isEmpty else { return target }
    var reachable = try diagrams.intersection(target, consistentPackets())
    if change.isRerouted || change.hasNewRoute {
      reachable = try diagrams.intersection(reachable, routed())
    }
    return try diagrams.before(change.fields, reachable)
  }

  /// Packets whose output link fits their destination.
  private mutating func routed() throws(PacketSetError) -> Diagram {
    let known = host.localAddresses
    let four = (known?.v4 ?? IntervalSet()).union(
      IntervalSet([Interval(0x7f00_0000, 0x7fff_ffff)]))
    let six = (known?.v6 ?? IntervalSet()).union(IntervalSet([Interval(1, 1)]))
    diagrams.addressFamily = .ipv4
    let isLocal4 = try diagrams.set(.destination3, four)
    diagrams.addressFamily = .ipv6
    let isLocal6 = try diagrams.set(PacketField.destination, six)
    diagrams.addressFamily = nil
    let isLocal = try diagrams.choose(diagrams.set(.family, 0), isLocal4, isLocal6)
    let isLoopback = try diagrams.set(.outputInterface, links.loopback)
    return try diagrams.choose(
      isLocal, isLoopback, known == nil ? .everything : diagrams.complement(isLoopback))
  }
}
