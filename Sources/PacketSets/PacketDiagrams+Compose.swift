/// Long lists of functions at once.
extension PacketDiagrams {
  /// Combines a list by an associative operation, as a balanced tree.
  ///
  /// For a list of rules, "the first function, and the second where the first leaves it open" is
  /// associative. Combined one after the other, n rules cost n² steps; as a tree, n log n.
  ///
  /// - Parameters:
  ///   - functions: at least one, in order.
  ///   - operation: an associative operation.
  /// - Returns: the combination.
  /// - Throws: ``PacketSetError/tooComplex``.
  public mutating func compose<Operation: DiagramOperation>(
    _ functions: [Diagram], _ operation: inout Operation
  ) throws(PacketSetError) -> Diagram {
    precondition(!functions.isEmpty, "an empty list has no combination")
    var row = functions
    while row.count > 1 {
      var shorter: [Diagram] = []
      shorter.reserveCapacity((row.count + 1) / 2)
      var index = 0
      while index + 1 < row.count {
        shorter.append(try apply(row[index], row[index + 1], &operation))
        index += 2
      }
      if index < row.count { shorter.append(row[index]) }
      row = shorter
    }
    return row[0]
  }

  /// Packets in any of the sets.
  ///
  /// O(n log n) in the sizes of all together, where they differ in few fields.
  public mutating func union(_ sets: [Diagram]) throws(PacketSetError) -> Diagram {
    guard !sets.isEmpty else { return .nothing }
    var operation = SetOperation.union
    return try compose(sets, &operation)
  }

  /// Packets in all of the sets.
  public mutating func intersection(_ sets: [Diagram]) throws(PacketSetError) -> Diagram {
    var result = Diagram.everything
    // The last fields first: each step then only puts a node on top.
    for set in sets.sorted(by: { level($0.id) > level($1.id) }) {
      result = try intersection(set, result)
    }
    return result
  }
}
