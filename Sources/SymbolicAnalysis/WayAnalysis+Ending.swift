public import PacketSets

extension SymbolicAnalyzer {
  /// The packets, as they begin their way, that come out of it inside a set.
  ///
  /// - Parameters:
  ///   - target: packets as they are at the end of the way.
  ///   - analysis: the way.
  /// - Returns: those that may, which is too large where something is not known, and those that do
  ///   whatever is not known.
  /// - Throws: ``PacketSetError/tooComplex``.
  public mutating func packets(
    endingIn target: Diagram, _ analysis: WayAnalysis
  ) throws(PacketSetError) -> (may: Diagram, must: Diagram) {
    let outcomes = table.outcomes
    let elsewhere = try diagrams.complement(target)
    var changes: Set<Int32> = []
    for value in diagrams.values(of: analysis.function) { changes.formUnion(outcomes[value].next) }
    var may: [Diagram] = []
    var astray: [Diagram] = []
    for change in changes.sorted() {
      let going = try diagrams.packets(of: analysis.function) {
        outcomes[$0].next.contains(change)
      }
      may.append(try diagrams.intersection(going, before(change, into: target)))
      astray.append(try diagrams.intersection(going, before(change, into: elsewhere)))
    }
    let reaching = try diagrams.intersection(analysis.possible, diagrams.union(may))
    let certain = try diagrams.difference(
      diagrams.intersection(analysis.mustPass, reaching), diagrams.union(astray))
    return (reaching, certain)
  }

  /// The packets that a change may bring into a set.
  private mutating func before(
    _ change: Int32, into target: Diagram
  ) throws(PacketSetError) -> Diagram {
    try diagrams.before(table.changes[Int(change)].fields, set: target)
  }
}
