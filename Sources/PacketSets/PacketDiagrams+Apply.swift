/// Set algebra and other operations on two functions, packet by packet.
extension PacketDiagrams {
  /// Combines two functions packet by packet.
  ///
  /// O(n · m) steps at worst in the sizes of both; linear where one of them is small.
  ///
  /// - Throws: ``PacketSetError/tooComplex``.
  public mutating func apply<Operation: DiagramOperation>(
    _ left: Diagram, _ right: Diagram, _ operation: inout Operation
  ) throws(PacketSetError) -> Diagram {
    Diagram(try combine(left.id, right.id, &operation))
  }

  private mutating func combine<Operation: DiagramOperation>(
    _ a: Int32, _ b: Int32, _ operation: inout Operation
  ) throws(PacketSetError) -> Int32 {
    if let plain = operation.shortcut(Diagram(a), Diagram(b)) { return plain.id }
    if a < 0 && b < 0 { return ~Int32(operation.combine(Int(~a), Int(~b))) }
    if let known = remembered(operation.number, a, b) { return known }
    try step()
    let levelA = level(a)
    let levelB = level(b)
    let field = min(levelA, levelB)
    let base = openBounds.count
    if levelA == levelB {
      var i = nodes[Int(a)].start
      var j = nodes[Int(b)].start
      let end = i + Int(nodes[Int(a)].count)
      while i < end {
        let boundA = bounds[i]
        let boundB = bounds[j]
        let child = try combine(children[i], children[j], &operation)
        push(min(boundA, boundB), child, base)
        if boundA <= boundB { i += 1 }
        if boundB <= boundA { j += 1 }
      }
    } else if levelA < levelB {
      let start = nodes[Int(a)].start
      for i in start..<start + Int(nodes[Int(a)].count) {
        let child = try combine(children[i], b, &operation)
        push(bounds[i], child, base)
      }
    } else {
      let start = nodes[Int(b)].start
      for i in start..<start + Int(nodes[Int(b)].count) {
        let child = try combine(a, children[i], &operation)
        push(bounds[i], child, base)
      }
    }
    let result = try commit(field, base)
    remember(operation.number, a, b, result: result)
    return result
  }

  /// Packets in either set.
  public mutating func union(_ a: Diagram, _ b: Diagram) throws(PacketSetError) -> Diagram {
    var operation = SetOperation.union
    return try apply(a, b, &operation)
  }

  /// Packets in both sets.
  public mutating func intersection(
    _ a: Diagram, _ b: Diagram
  ) throws(PacketSetError) -> Diagram {
    var operation = SetOperation.intersection
    return try apply(a, b, &operation)
  }

  /// Packets in the first set and not in the second.
  public mutating func difference(
    _ a: Diagram, _ b: Diagram
  ) throws(PacketSetError) -> Diagram {
    var operation = SetOperation.difference
    return try apply(a, b, &operation)
  }

  /// Packets in one set and not in the other.
  public mutating func symmetricDifference(
    _ a: Diagram, _ b: Diagram
  ) throws(PacketSetError) -> Diagram {
    var operation = SetOperation.symmetricDifference
    return try apply(a, b, &operation)
  }

  /// Packets that are not in the set.
  public mutating func complement(_ set: Diagram) throws(PacketSetError) -> Diagram {
    try difference(.everything, set)
  }

  /// Whether every packet of the first set is in the second.
  public mutating func isSubset(_ a: Diagram, of b: Diagram) throws(PacketSetError) -> Bool {
    try difference(a, b) == .nothing
  }

  /// One function where a set holds, another elsewhere.
  public mutating func choose(
    _ condition: Diagram, _ then: Diagram, _ otherwise: Diagram
  ) throws(PacketSetError) -> Diagram {
    Diagram(try choose(condition.id, then.id, otherwise.id))
  }

  private static var choice: Int32 { 4 }

  private mutating func choose(
    _ condition: Int32, _ then: Int32, _ otherwise: Int32
  ) throws(PacketSetError) -> Int32 {
    if condition == Diagram.everything.id || then == otherwise { return then }
    if condition == Diagram.nothing.id { return otherwise }
    if let known = remembered(Self.choice, condition, then, otherwise) { return known }
    try step()
    let levels = (level(condition), level(then), level(otherwise))
    let field = min(levels.0, levels.1, levels.2)
    var ends = (
      cursor(condition, at: field), cursor(then, at: field), cursor(otherwise, at: field)
    )
    let last = Self.maxima[field]
    let base = openBounds.count
    while true {
      let a = value(ends.0, condition, last)
      let b = value(ends.1, then, last)
      let c = value(ends.2, otherwise, last)
      let bound = min(a.bound, b.bound, c.bound)
      let child = try choose(a.child, b.child, c.child)
      push(bound, child, base)
      if bound == last { break }
      if a.bound == bound { ends.0 += 1 }
      if b.bound == bound { ends.1 += 1 }
      if c.bound == bound { ends.2 += 1 }
    }
    let result = try commit(field, base)
    remember(Self.choice, condition, then, otherwise, result: result)
    return result
  }

  /// The largest value of each field, by its place in the order.
  static let maxima: [UInt32] = PacketField.allCases.map(\.maximum)

  /// Where a function's intervals start if it looks at the field; -1 if not.
  @inline(__always)
  private func cursor(_ id: Int32, at field: Int) -> Int {
    level(id) == field ? nodes[Int(id)].start : Int.min
  }

  @inline(__always)
  private func value(
    _ cursor: Int, _ id: Int32, _ last: UInt32
  ) -> (bound: UInt32, child: Int32) {
    cursor < 0 ? (last, id) : (bounds[cursor], children[cursor])
  }

  /// The function with every value replaced.
  ///
  /// O(n) steps.
  public mutating func mapValues(
    _ function: Diagram, _ body: (Int) -> Int
  ) throws(PacketSetError) -> Diagram {
    var memo: [Int32: Int32] = [:]
    return Diagram(try mapValues(function.id, &memo, body))
  }

  private mutating func mapValues(
    _ id: Int32, _ memo: inout [Int32: Int32], _ body: (Int) -> Int
  ) throws(PacketSetError) -> Int32 {
    if let known = memo[id] { return known }
    if id < 0 {
      let value = ~Int32(body(Int(~id)))
      memo[id] = value
      return value
    }
    try step()
    let node = nodes[Int(id)]
    let base = openBounds.count
    for i in node.start..<node.start + Int(node.count) {
      let child = try mapValues(children[i], &memo, body)
      push(bounds[i], child, base)
    }
    let result = try commit(Int(node.field), base)
    memo[id] = result
    return result
  }

  /// The packets whose value passes a test.
  ///
  /// O(n) steps.
  public mutating func packets(
    of function: Diagram, where test: (Int) -> Bool
  ) throws(PacketSetError) -> Diagram {
    try mapValues(function) { test($0) ? 1 : 0 }
  }

  /// Every value that the function takes.
  ///
  /// O(n).
  public func values(of function: Diagram) -> Set<Int> {
    var seen: Set<Int32> = [function.id]
    var open = [function.id]
    var values: Set<Int> = []
    while let id = open.popLast() {
      if id < 0 {
        values.insert(Int(~id))
        continue
      }
      let node = nodes[Int(id)]
      for i in node.start..<node.start + Int(node.count)
      where seen.insert(children[i]).inserted {
        open.append(children[i])
      }
    }
    return values
  }
}

/// The operations of set algebra, on values 0 and 1.
enum SetOperation: Int32, DiagramOperation {
  case union
  case intersection
  case difference
  case symmetricDifference

  var number: Int32 { rawValue }

  @inline(__always)
  func shortcut(_ left: Diagram, _ right: Diagram) -> Diagram? {
    switch self {
    case .union:
      if left == right || right == .nothing { return left }
      if left == .nothing { return right }
      return left == .everything || right == .everything ? .everything : nil
    case .intersection:
      if left == right || right == .everything { return left }
      if left == .everything { return right }
      return left == .nothing || right == .nothing ? .nothing : nil
    case .difference:
      if left == right || left == .nothing || right == .everything { return .nothing }
      return right == .nothing ? left : nil
    case .symmetricDifference:
      if left == right { return .nothing }
      if left == .nothing { return right }
      return right == .nothing ? left : nil
    }
  }

  func combine(_ left: Int, _ right: Int) -> Int {
    switch self {
    case .union: left | right
    case .intersection: left & right
    case .difference: left & ~right
    case .symmetricDifference: left ^ right
    }
  }
}
