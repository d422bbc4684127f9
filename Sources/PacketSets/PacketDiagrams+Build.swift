public import NetworkTypes

/// Functions made directly from sorted values, without operations.
extension PacketDiagrams {
  /// A function of one field: sorted, disjoint pieces, and what holds between them.
  ///
  /// O(n) when every function looks at later fields only, O(n log n) otherwise.
  ///
  /// - Parameters:
  ///   - field: the field.
  ///   - pieces: ascending and disjoint, not beyond the field's maximum.
  ///   - otherwise: the function for every other value.
  /// - Returns: the function.
  /// - Throws: ``PacketSetError/tooComplex``.
  public mutating func select(
    _ field: PacketField, _ pieces: [(Interval<UInt32>, Diagram)], otherwise: Diagram
  ) throws(PacketSetError) -> Diagram {
    let pieces = sampled(field, pieces, otherwise)
    let base = openBounds.count
    var next: UInt32 = 0
    var isDone = false
    for (interval, child) in pieces {
      if interval.first > next { push(interval.first - 1, otherwise.id, base) }
      push(interval.last, child.id, base)
      isDone = interval.last == field.maximum
      next = interval.last &+ 1
    }
    if !isDone { push(field.maximum, otherwise.id, base) }
    return Diagram(try commitAnyOrder(Int(field.rawValue), base))
  }

  /// The packets whose field has one of the values.
  ///
  /// O(n).
  public mutating func set(
    _ field: PacketField, _ values: IntervalSet<UInt32>
  ) throws(PacketSetError) -> Diagram {
    try whole(field, sampled(field, values))
  }

  /// The packets whose field has one of the values, none left out for a sample.
  mutating func whole(
    _ field: PacketField, _ values: IntervalSet<UInt32>
  ) throws(PacketSetError) -> Diagram {
    let base = openBounds.count
    var next: UInt32 = 0
    var isDone = false
    for interval in values.intervals where interval.first <= field.maximum {
      if interval.first > next { push(interval.first - 1, Diagram.nothing.id, base) }
      let last = min(interval.last, field.maximum)
      push(last, Diagram.everything.id, base)
      isDone = last == field.maximum
      next = last &+ 1
    }
    if !isDone { push(field.maximum, Diagram.nothing.id, base) }
    return Diagram(try commit(Int(field.rawValue), base))
  }

  /// The packets whose field has the value.
  public mutating func set(
    _ field: PacketField, _ value: UInt32
  ) throws(PacketSetError) -> Diagram {
    try set(field, IntervalSet(canonical: [Interval(value, value)]))
  }

  /// The packets whose 128 bits, in four fields, lie in one of the intervals.
  ///
  /// O(n).
  ///
  /// - Parameters:
  ///   - words: ``PacketField/destination`` or ``PacketField/source``.
  ///   - values: the addresses, as numbers.
  /// - Returns: the set.
  /// - Throws: ``PacketSetError/tooComplex``.
  public mutating func set(
    _ words: [PacketField], _ values: IntervalSet<UInt128>
  ) throws(PacketSetError) -> Diagram {
    let pieces = sampled(words, values).intervals.map {
      WidePiece($0.first, $0.last, Diagram.everything)
    }
    return try whole(words, pieces[...], otherwise: .nothing)
  }

  /// A function of 128 bits in four fields, which must not look at an earlier field.
  ///
  /// O(n) when every function looks at later fields only.
  ///
  /// - Parameters:
  ///   - words: ``PacketField/destination`` or ``PacketField/source``.
  ///   - pieces: ascending and disjoint.
  ///   - otherwise: the function for every other value.
  /// - Returns: the function.
  /// - Throws: ``PacketSetError/tooComplex``.
  public mutating func select(
    _ words: [PacketField], _ pieces: ArraySlice<WidePiece>, otherwise: Diagram
  ) throws(PacketSetError) -> Diagram {
    try whole(words, sampled(words, pieces, otherwise), otherwise: otherwise)
  }

  /// A function of bits in some words of an address, none left out for a sample.
  mutating func whole(
    _ words: [PacketField], _ pieces: ArraySlice<WidePiece>, otherwise: Diagram
  ) throws(PacketSetError) -> Diagram {
    guard let field = words.first else { return pieces.first?.function ?? otherwise }
    let shift = UInt128(32 * (words.count - 1))
    let rest: UInt128 = (1 << shift) - 1
    let later = Array(words.dropFirst())
    let base = openBounds.count
    var next: UInt64 = 0
    var group: [WidePiece] = []
    var groupWord: UInt64 = 0
    // Closes the group of pieces that lie within one value of this word.
    func flush(_ diagrams: inout PacketDiagrams) throws(PacketSetError) {
      guard !group.isEmpty else { return }
      let child = try diagrams.whole(later, group[...], otherwise: otherwise)
      diagrams.pushGap(next, groupWord, otherwise, base)
      diagrams.push(UInt32(groupWord), child.id, base)
      next = groupWord + 1
      group.removeAll(keepingCapacity: true)
    }
    for piece in pieces {
      var first = piece.first
      let lastWord = UInt64(piece.last >> shift)
      if UInt64(first >> shift) != groupWord { try flush(&self) }
      if first & rest != 0 && UInt64(first >> shift) < lastWord {
        groupWord = UInt64(first >> shift)
        group.append(WidePiece(first & rest, rest, piece.function))
        try flush(&self)
        first = UInt128(groupWord + 1) << shift
      }
      let firstWord = UInt64(first >> shift)
      let isWhole = piece.last & rest == rest && first & rest == 0
      let wholeEnd = isWhole ? lastWord + 1 : lastWord
      if first & rest == 0 && firstWord < wholeEnd {
        try flush(&self)
        pushGap(next, firstWord, otherwise, base)
        push(UInt32(wholeEnd - 1), piece.function.id, base)
        next = wholeEnd
        first = UInt128(wholeEnd) << shift
      }
      if !isWhole {
        if UInt64(first >> shift) != groupWord { try flush(&self) }
        groupWord = lastWord
        group.append(WidePiece(first & rest, piece.last & rest, piece.function))
      }
    }
    try flush(&self)
    pushGap(next, 1 << 32, otherwise, base)
    return Diagram(try commitAnyOrder(Int(field.rawValue), base))
  }

  /// Fills from `next` up to, not including, `end`.
  private mutating func pushGap(
    _ next: UInt64, _ end: UInt64, _ otherwise: Diagram, _ base: Int
  ) {
    if end > next { push(UInt32(end - 1), otherwise.id, base) }
  }

  /// Closes the node being built when its children may look at the same or earlier fields.
  ///
  /// Then the field is decided by halves, so that n pieces cost n log n.
  mutating func commitAnyOrder(_ field: Int, _ base: Int) throws(PacketSetError) -> Int32 {
    var isOrdered = true
    for index in base..<openChildren.count where level(openChildren[index]) <= field {
      isOrdered = false
      break
    }
    if isOrdered { return try commit(field, base) }
    let ends = Array(openBounds[base...])
    let functions = Array(openChildren[base...])
    openBounds.removeLast(ends.count)
    openChildren.removeLast(functions.count)
    return try halve(field, ends, functions, 0..<ends.count)
  }

  private mutating func halve(
    _ field: Int, _ ends: [UInt32], _ functions: [Int32], _ range: Range<Int>
  ) throws(PacketSetError) -> Int32 {
    if range.count == 1 { return functions[range.lowerBound] }
    let middle = (range.lowerBound + range.upperBound) / 2
    let low = try halve(field, ends, functions, range.lowerBound..<middle)
    let high = try halve(field, ends, functions, middle..<range.upperBound)
    let base = openBounds.count
    push(ends[middle - 1], Diagram.everything.id, base)
    push(Self.maxima[field], Diagram.nothing.id, base)
    let isLow = Diagram(try commit(field, base))
    return try choose(isLow, Diagram(low), Diagram(high)).id
  }

  /// Replaces every value of a selecting function by a function.
  ///
  /// O(n) when the functions look at later fields only, O(n log n) otherwise.
  ///
  /// - Parameters:
  ///   - selector: its values are places in `functions`.
  ///   - functions: what to put there.
  /// - Returns: the function.
  /// - Throws: ``PacketSetError/tooComplex``.
  public mutating func substitute(
    _ selector: Diagram, _ functions: [Diagram]
  ) throws(PacketSetError) -> Diagram {
    var memo: [Int32: Int32] = [:]
    return Diagram(try substitute(selector.id, functions, &memo))
  }

  private mutating func substitute(
    _ id: Int32, _ functions: [Diagram], _ memo: inout [Int32: Int32]
  ) throws(PacketSetError) -> Int32 {
    if id < 0 { return functions[Int(~id)].id }
    if let known = memo[id] { return known }
    try step()
    let node = nodes[Int(id)]
    let base = openBounds.count
    for i in node.start..<node.start + Int(node.count) {
      let child = try substitute(children[i], functions, &memo)
      push(bounds[i], child, base)
    }
    let result = try commitAnyOrder(Int(node.field), base)
    memo[id] = result
    return result
  }
}

/// Addresses from `first` to `last`, and what holds for them.
public struct WidePiece: Sendable {
  /// The smallest.
  public var first: UInt128
  /// The largest, inside.
  public var last: UInt128
  /// The function there.
  public var function: Diagram

  /// Makes a piece.
  public init(_ first: UInt128, _ last: UInt128, _ function: Diagram) {
    self.first = first
    self.last = last
    self.function = function
  }
}
