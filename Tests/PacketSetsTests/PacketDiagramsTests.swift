import NetworkTypes
import SeededRandom
import Testing

@testable import PacketSets

/// Leaves a value open, so that a later function decides: 0 is open.
private struct FirstMatch: DiagramOperation {
  let number: Int32
  func shortcut(_ left: Diagram, _ right: Diagram) -> Diagram? {
    if left == .nothing { return right }
    return left.constantValue == nil ? nil : left
  }
  func combine(_ left: Int, _ right: Int) -> Int { left == 0 ? right : left }
}

@Suite struct PacketDiagramsTests {
  /// 2 · 5 · 16 · 2 · 2 packets.
  private let small: [PacketField] = [
    .family, .conntrackState, .mark1, .routingHeader, .socket,
  ]

  @Test(arguments: 0..<60 as Range<UInt64>)
  func `property: set algebra is that of the packets, one by one`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var diagrams = PacketDiagrams()
    let a = BoxList.random(&random, fields: small, values: 2)
    let b = BoxList.random(&random, fields: small, values: 2)
    let first = try a.diagram(in: &diagrams)
    let second = try b.diagram(in: &diagrams)
    let union = try diagrams.union(first, second)
    let intersection = try diagrams.intersection(first, second)
    let difference = try diagrams.difference(first, second)
    let symmetric = try diagrams.symmetricDifference(first, second)
    let complement = try diagrams.complement(first)
    let points = allPoints(small)
    var counted = 0
    for point in points {
      let inA = a.value(at: point) == 1
      let inB = b.value(at: point) == 1
      if inA { counted += 1 }
      expect(diagrams.contains(union, point) == (inA || inB))
      expect(diagrams.contains(intersection, point) == (inA && inB))
      expect(diagrams.contains(difference, point) == (inA && !inB))
      expect(diagrams.contains(symmetric, point) == (inA != inB))
      expect(diagrams.contains(complement, point) == !inA)
    }
    let share = diagrams.count(first) / diagrams.count(.everything)
    #expect(share == Double(counted) / Double(points.count))
    let isSubset = points.allSatisfy { a.value(at: $0) == 0 || b.value(at: $0) == 1 }
    try expect(diagrams.isSubset(first, of: second) == isSubset)
    #expect((first == second) == points.allSatisfy { a.value(at: $0) == b.value(at: $0) })
  }

  @Test(arguments: 0..<60 as Range<UInt64>)
  func `property: a diagram has the values of its list of boxes`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var diagrams = PacketDiagrams()
    let fields: [PacketField] = [.family, .transportProtocol, .destination3, .destinationPort]
    let list = BoxList.random(&random, fields: fields, values: 5, most: 20)
    let diagram = try list.diagram(in: &diagrams)
    for _ in 0..<400 {
      var point = PacketPoint()
      for field in fields { point[field] = BoxList.number(&random, field.maximum) }
      expect(diagrams.value(of: diagram, at: point) == list.value(at: point))
    }
    expect(diagrams.values(of: diagram).isSubset(of: Set(0..<5)))
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func `property: a list composed as a tree is the first match of the list`(
    seed: UInt64
  ) throws {
    var random = SeededGenerator(seed: seed)
    var diagrams = PacketDiagrams()
    let list = BoxList.random(&random, fields: small, values: 4, most: 25)
    var operation = FirstMatch(number: diagrams.makeOperationNumber())
    var functions = [Diagram.nothing]
    for box in list.boxes { functions.append(try BoxList(boxes: [box]).diagram(in: &diagrams)) }
    let composed = try diagrams.compose(functions, &operation)
    for point in allPoints(small) {
      let expected = list.boxes.first { $0.contains(point) && $0.value != 0 }?.value ?? 0
      expect(diagrams.value(of: composed, at: point) == expected)
    }
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func `property: changes are undone and done packet by packet`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var diagrams = PacketDiagrams()
    let list = BoxList.random(&random, fields: small, values: 2)
    let set = try list.diagram(in: &diagrams)
    let keep = UInt32(random.next(upperBound: 16))
    let flip = UInt32(random.next(upperBound: 16))
    let among = Interval(UInt32(1), UInt32(1 + random.next(upperBound: 4)))
    let changes = FieldChanges([
      .mark1: .bits(keep: keep, flip: flip), .conntrackState: .among(among),
    ]).then(FieldChanges([.mark1: .bits(keep: 7, flip: 2)]))
    var join = SetOperation.union
    let before = try diagrams.before(changes, set, joining: &join)
    let after = try diagrams.after(changes, set)
    var images: Set<PacketPoint> = []
    for point in allPoints(small) {
      var changed = point
      changed[.mark1] = (point[.mark1] & keep ^ flip) & 7 ^ 2
      var canEnter = false
      for state in among.first...among.last {
        changed[.conntrackState] = state
        if list.value(at: changed) == 1 { canEnter = true }
        if list.value(at: point) == 1 { images.insert(changed) }
      }
      expect(diagrams.contains(before, point) == canEnter)
    }
    for point in allPoints(small) {
      expect(diagrams.contains(after, point) == images.contains(point))
    }
  }

  @Test(arguments: 0..<60 as Range<UInt64>)
  func `property: sets of wide addresses hold what the interval sets hold`(
    seed: UInt64
  ) throws {
    var random = SeededGenerator(seed: seed)
    var diagrams = PacketDiagrams()
    func bits() -> UInt128 {
      (0..<4).reduce(UInt128(0)) { number, _ in
        number << 32 | UInt128([0, 1, 2, .max, .max - 1][random.next(upperBound: 5)] as UInt32)
      }
    }
    let values = IntervalSet<UInt128>(
      (0..<random.next(upperBound: 12)).map { _ in
        let a = bits()
        let b = random.next(upperBound: 2) == 0 ? a | 0xffff : bits()
        return Interval(min(a, b), max(a, b))
      })
    let set = try diagrams.set(PacketField.destination, values)
    let edges = values.intervals.flatMap {
      [$0.first, $0.first &- 1, $0.last, $0.last &+ 1]
    }
    for address in edges + (0..<200).map({ _ in bits() }) {
      var point = PacketPoint()
      for (index, word) in PacketField.destination.enumerated() {
        point[word] = UInt32(address >> UInt128(96 - 32 * index) & 0xffff_ffff)
      }
      expect(diagrams.contains(set, point) == values.contains(address))
    }
  }

  @Test func `functions of earlier fields may be selected by a later one`() throws {
    var diagrams = PacketDiagrams()
    let early = try diagrams.set(.family, 1)
    let pieces: [(Interval<UInt32>, Diagram)] = [
      (Interval(1, 2), early), (Interval(5, 5), .everything),
    ]
    let function = try diagrams.select(.destinationPort, pieces, otherwise: .nothing)
    for (port, family, expected) in [
      (0, 1, false), (1, 1, true), (2, 0, false), (5, 0, true), (6, 1, false),
    ] as [(UInt32, UInt32, Bool)] {
      var point = PacketPoint()
      point[.destinationPort] = port
      point[.family] = family
      expect(diagrams.contains(function, point) == expected)
    }
    let selector = try diagrams.select(
      .destinationPort, [(Interval(7, 9), .constant(1))], otherwise: .constant(0))
    let put = try diagrams.substitute(selector, [early, try diagrams.complement(early)])
    var point = PacketPoint()
    expect(!diagrams.contains(put, point))
    point[.destinationPort] = 8
    expect(diagrams.contains(put, point))
  }

  @Test func `a spent budget is an error, never an answer`() throws {
    var diagrams = PacketDiagrams(budget: DiagramBudget(intervals: 50, steps: 1000))
    #expect(throws: PacketSetError.tooComplex) {
      for value in 0..<100 as Range<UInt32> {
        _ = try diagrams.set(.destination3, 2 * value + 1)
      }
    }
    var busy = PacketDiagrams(budget: DiagramBudget(intervals: 1 << 20, steps: 10))
    let odd = try busy.set(
      .destination3, IntervalSet((0..<100).map { Interval(2 * $0 + 1, 2 * $0 + 1) }))
    let ports = try busy.set(.destinationPort, 443)
    let both = try busy.intersection(odd, ports)
    #expect(throws: PacketSetError.tooComplex) {
      for value in 0..<20 as Range<UInt32> {
        _ = try busy.union(both, busy.set(.sourcePort, value))
      }
    }
  }
}
