import NetworkTypes

/// Packets whose fields change on their way.
extension PacketDiagrams {
  /// The function of a packet before the changes, given the function of a packet after them.
  ///
  /// Where a field may become one of several values, the operation joins what holds for them; it
  /// must be associative, commutative and idempotent.
  ///
  /// - Parameters:
  ///   - changes: what happens to the packet.
  ///   - function: the function of the changed packet.
  ///   - join: joins the values of several possible changes.
  /// - Returns: the function of the unchanged packet; it looks at no field that becomes constant.
  /// - Throws: ``PacketSetError/tooComplex``.
  public mutating func before<Operation: DiagramOperation>(
    _ changes: FieldChanges, _ function: Diagram, joining join: inout Operation
  ) throws(PacketSetError) -> Diagram {
    noteChanges(of: changes.changes.keys)
    var result = function
    for (field, change) in changes.changes.sorted(by: { $0.key < $1.key }) {
      var memo: [Int32: Int32] = [:]
      result = Diagram(
        try before(Int(field.rawValue), change, result.id, &join, &memo))
    }
    return result
  }

  private mutating func before<Operation: DiagramOperation>(
    _ field: Int, _ change: FieldChange, _ id: Int32, _ join: inout Operation,
    _ memo: inout [Int32: Int32]
  ) throws(PacketSetError) -> Int32 {
    if level(id) > field { return id }
    if let known = memo[id] { return known }
    try step()
    let node = nodes[Int(id)]
    let base = openBounds.count
    let result: Int32
    if Int(node.field) < field {
      for i in node.start..<node.start + Int(node.count) {
        let child = try before(field, change, children[i], &join, &memo)
        push(bounds[i], child, base)
      }
      result = try commit(Int(node.field), base)
    } else {
      switch change {
      case .among(let values):
        result = try joined(id, values, &join)
      case .bits:
        for value in 0...Self.maxima[field] {
          push(value, child(of: id, at: change.image(of: value).first), base)
        }
        result = try commit(field, base)
      }
    }
    memo[id] = result
    return result
  }

  /// All children for values of the interval, joined.
  private mutating func joined<Operation: DiagramOperation>(
    _ id: Int32, _ values: Interval<UInt32>, _ join: inout Operation
  ) throws(PacketSetError) -> Int32 {
    let node = nodes[Int(id)]
    var found: Set<Int32> = []
    var first: UInt32 = 0
    for i in node.start..<node.start + Int(node.count) {
      if first <= values.last && bounds[i] >= values.first { found.insert(children[i]) }
      if bounds[i] >= values.last { break }
      first = bounds[i] + 1
    }
    let parts = found.sorted().map { Diagram($0) }
    return try compose(parts, &join).id
  }

  /// The child for a value.
  ///
  /// O(log n).
  func child(of id: Int32, at value: UInt32) -> Int32 {
    let node = nodes[Int(id)]
    var low = node.start
    var high = node.start + Int(node.count) - 1
    while low < high {
      let middle = (low + high) >> 1
      if bounds[middle] < value { low = middle + 1 } else { high = middle }
    }
    return children[low]
  }

  /// The packets that may be in a set once they are changed.
  ///
  /// - Throws: ``PacketSetError/tooComplex``.
  public mutating func before(
    _ changes: FieldChanges, _ set: Diagram
  ) throws(PacketSetError) -> Diagram {
    var join = SetOperation.union
    return try before(changes, set, joining: &join)
  }

  /// The packets that come out of a set when its packets are changed.
  ///
  /// - Throws: ``PacketSetError/tooComplex``.
  public mutating func after(
    _ changes: FieldChanges, _ set: Diagram
  ) throws(PacketSetError) -> Diagram {
    noteChanges(of: changes.changes.keys)
    var result = set
    for (field, change) in changes.changes.sorted(by: { $0.key < $1.key }) {
      switch change {
      case .among(let values):
        let open = try project(result, field)
        let there = try self.set(field, IntervalSet(canonical: [values]))
        result = try intersection(open, there)
      case .bits:
        var parts: [Diagram] = []
        for value in 0...field.maximum {
          let before = try intersection(result, self.set(field, value))
          guard before != .nothing else { continue }
          let open = try project(before, field)
          let there = try self.set(field, change.image(of: value).first)
          parts.append(try intersection(open, there))
        }
        result = try union(parts)
      }
    }
    return result
  }

  /// The packets that a change of one field can bring into the set: existential quantification.
  ///
  /// - Throws: ``PacketSetError/tooComplex``.
  public mutating func project(
    _ set: Diagram, _ field: PacketField
  ) throws(PacketSetError) -> Diagram {
    try before(FieldChanges([field: .among(Interval(0, field.maximum))]), set)
  }
}
