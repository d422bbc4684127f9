import NetworkTypes
import PacketSets
import SeededRandom
import Testing

/// The slow twin: a function from packets to numbers as a list of boxes, first match wins.
struct BoxList {
  struct Box {
    var fields: [PacketField: IntervalSet<UInt32>]
    var value: Int

    func contains(_ point: PacketPoint) -> Bool {
      fields.allSatisfy { $1.contains(point[$0]) }
    }
  }

  var boxes: [Box] = []

  /// The first box's value, 0 without one.
  func value(at point: PacketPoint) -> Int { boxes.first { $0.contains(point) }?.value ?? 0 }

  /// The same function as a diagram.
  func diagram(in diagrams: inout PacketDiagrams) throws(PacketSetError) -> Diagram {
    var result = Diagram.nothing
    for box in boxes.reversed() {
      var sets: [Diagram] = []
      for (field, values) in box.fields { sets.append(try diagrams.set(field, values)) }
      let inside = try diagrams.intersection(sets)
      result = try diagrams.choose(inside, .constant(box.value), result)
    }
    return result
  }

  /// A few boxes over the given fields.
  static func random(
    _ random: inout SeededGenerator, fields: [PacketField], values: Int, most: Int = 6
  ) -> BoxList {
    var list = BoxList()
    for _ in 0..<random.next(upperBound: most + 1) {
      var box = Box(fields: [:], value: random.next(upperBound: values))
      for field in fields where random.next(upperBound: 2) == 0 {
        box.fields[field] = intervals(&random, below: field.maximum)
      }
      list.boxes.append(box)
    }
    return list
  }

  static func intervals(
    _ random: inout SeededGenerator, below maximum: UInt32
  ) -> IntervalSet<UInt32> {
    IntervalSet(
      (0...random.next(upperBound: 3)).map { _ in
        let a = number(&random, maximum)
        let b = number(&random, maximum)
        return Interval(min(a, b), max(a, b))
      })
  }

  /// Edges more often than others.
  static func number(_ random: inout SeededGenerator, _ maximum: UInt32) -> UInt32 {
    switch random.next(upperBound: 8) {
    case 0: return 0
    case 1: return maximum
    default: return UInt32(random.next() % (UInt64(min(maximum, 40)) + 1))
    }
  }
}

/// Every packet of a small domain; the other fields are 0.
func allPoints(_ fields: [PacketField]) -> [PacketPoint] {
  fields.reduce([PacketPoint()]) { points, field in
    points.flatMap { point in
      (0...field.maximum).map { value in
        var next = point
        next[field] = value
        return next
      }
    }
  }
}

/// Expects a fact about an arena, which `#expect` itself cannot take apart.
func expect(_ isTrue: Bool, at location: Testing.SourceLocation = #_sourceLocation) {
  #expect(isTrue, sourceLocation: location)
}
