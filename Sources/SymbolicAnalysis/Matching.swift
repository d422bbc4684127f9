import NetworkTypes
import PacketSets

/// Where a test holds for certain, and where it may hold or not.
struct Condition {
  var yes: Diagram
  var unsure = Diagram.nothing
  var causes: [Int32] = []

  static let always = Condition(yes: .everything)
  static let never = Condition(yes: .nothing)

  static func unknown(_ causes: [Int32]) -> Condition {
    Condition(yes: .nothing, unsure: .everything, causes: causes)
  }
}

/// A stretch of register bits that come from one place.
struct Run {
  enum Source: Hashable {
    case constant
    case field(PacketField, low: Int, isFlipped: Bool)
    case table(UInt16)
    case opaque(Int32)
  }

  var source: Source
  var bits: ArraySlice<Bit>

  var width: Int { bits.count }

  /// Cuts bits into stretches.
  static func cut(_ bits: [Bit]) -> [Run] {
    var runs: [Run] = []
    var start = 0
    while start < bits.count {
      var end = start + 1
      while end < bits.count && end - start < 120 && bits[end].continues(bits[end - 1]) {
        end += 1
      }
      let last = bits[end - 1]
      let source: Source =
        switch last {
        case .zero, .one: .constant
        case .field(let field, let low, let isFlipped):
          .field(field, low: Int(low), isFlipped: isFlipped)
        case .table(let table, _, _): .table(table)
        case .opaque(let cause): .opaque(cause)
        }
      runs.append(Run(source: source, bits: bits[start..<end]))
      start = end
    }
    return runs
  }
}

extension Bit {
  fileprivate func continues(_ previous: Bit) -> Bool {
    switch (previous, self) {
    case (.zero, .zero), (.zero, .one), (.one, .zero), (.one, .one): true
    case (.opaque(let a), .opaque(let b)): a == b
    case (.table(let a, _, _), .table(let b, _, _)): a == b
    case (.field(let a, let high, let first), .field(let b, let low, let second)):
      a == b && first == second && high == low + 1
    default: false
    }
  }
}

extension SymbolicAnalyzer {
  /// More intervals than this for a test of some bits of a field make the test unknown.
  private static var mostIntervals: UInt64 { 1 << 16 }

  /// Where bits, as a number, lie between two numbers of the same width, both inside.
  mutating func between(
    _ bits: [Bit], _ low: [UInt8], _ high: [UInt8]
  ) throws(PacketSetError) -> Condition {
    if low == high, let condition = try equal(bits, low) { return condition }
    return try between(Run.cut(bits)[...], [Bit](bytes: low)[...], [Bit](bytes: high)[...])
  }

  private mutating func between(
    _ runs: ArraySlice<Run>, _ low: ArraySlice<Bit>, _ high: ArraySlice<Bit>
  ) throws(PacketSetError) -> Condition {
    guard let run = runs.first else { return .always }
    if low.allSatisfy({ $0 == .zero }) && high.allSatisfy({ $0 == .one }) { return .always }
    let rest = runs.dropFirst()
    let lowHere = number(low.prefix(run.width))
    let highHere = number(high.prefix(run.width))
    let lowRest = low.dropFirst(run.width)
    let highRest = high.dropFirst(run.width)
    if lowHere > highHere { return .never }
    if lowHere == highHere {
      let here = try segment(run, lowHere, highHere)
      if here.yes == .nothing && here.unsure == .nothing { return .never }
      return try both(here, between(rest, lowRest, highRest))
    }
    // Strictly inside, or at one of the ends with the rest on the right side of it.
    var result = Condition.never
    var first = lowHere
    var last = highHere
    let ones = highRest.map { _ in Bit.one }
    let zeros = lowRest.map { _ in Bit.zero }
    if lowRest.contains(.one) {
      let end = try both(segment(run, lowHere, lowHere), between(rest, lowRest, ones[...]))
      result = try either(result, end)
      first += 1
    }
    if highRest.contains(.zero) {
      let end = try both(segment(run, highHere, highHere), between(rest, zeros[...], highRest))
      result = try either(result, end)
      guard last > 0 else { return result }
      last -= 1
    }
    if first <= last { result = try either(result, segment(run, first, last)) }
    return result
  }

  private func number(_ bits: ArraySlice<Bit>) -> UInt128 {
    bits.reduce(0) { $0 << 1 | ($1 == .one ? 1 : 0) }
  }

  /// Where one stretch, as a number, lies between two numbers.
  private mutating func segment(
    _ run: Run, _ low: UInt128, _ high: UInt128
  ) throws(PacketSetError) -> Condition {
    let most: UInt128 = (1 << UInt128(run.width)) - 1
    if low == 0 && high == most { return .always }
    switch run.source {
    case .constant:
      let value = number(run.bits)
      return low <= value && value <= high ? .always : .never
    case .opaque(let cause):
      return .unknown([cause])
    case .table(let index):
      let table = tables[Int(index)]
      var hits: [Interval<UInt32>] = []
      for (value, row) in table.rows.enumerated() {
        let number = run.bits.reduce(UInt128(0)) { sum, bit in
          guard case .table(_, let place, let isFlipped) = bit else { return sum }
          let isOne = row[Int(place) / 8] >> UInt8(7 - Int(place) % 8) & 1 == 1
          return sum << 1 | (isOne != isFlipped ? 1 : 0)
        }
        if low <= number && number <= high {
          let isLast = value == table.rows.count - 1
          hits.append(Interval(UInt32(value), isLast ? table.field.maximum : UInt32(value)))
        }
      }
      return Condition(yes: try diagrams.set(table.field, IntervalSet(hits)))
    case .field(let field, let shift, let isFlipped):
      let first = UInt64(isFlipped ? most - high : low)
      let last = UInt64(isFlipped ? most - low : high)
      let above = UInt64(field.maximum) >> UInt64(shift + run.width)
      guard above < Self.mostIntervals else {
        return .unknown([cause("a test of few bits of a wide field")])
      }
      var hits: [Interval<UInt32>] = []
      for upper in 0...above {
        let base = upper << UInt64(run.width)
        let from = (base | first) << UInt64(shift)
        let to = (base | last) << UInt64(shift) | ((1 << UInt64(shift)) - 1)
        guard from <= UInt64(field.maximum) else { continue }
        hits.append(Interval(UInt32(from), UInt32(min(to, UInt64(field.maximum)))))
      }
      return Condition(yes: try diagrams.set(field, IntervalSet(hits)))
    }
  }

  /// Where both tests hold.
  mutating func both(
    _ a: Condition, _ b: Condition
  ) throws(PacketSetError) -> Condition {
    let yes = try diagrams.intersection(a.yes, b.yes)
    if a.unsure == .nothing && b.unsure == .nothing { return Condition(yes: yes) }
    let first = try diagrams.union(a.yes, a.unsure)
    let second = try diagrams.union(b.yes, b.unsure)
    let possible = try diagrams.intersection(first, second)
    return Condition(
      yes: yes, unsure: try diagrams.difference(possible, yes),
      causes: Outcome.merged(a.causes, b.causes))
  }

  /// Where one of the tests holds.
  mutating func either(
    _ a: Condition, _ b: Condition
  ) throws(PacketSetError) -> Condition {
    let yes = try diagrams.union(a.yes, b.yes)
    if a.unsure == .nothing && b.unsure == .nothing { return Condition(yes: yes) }
    let unsure = try diagrams.union(a.unsure, b.unsure)
    return Condition(
      yes: yes, unsure: try diagrams.difference(unsure, yes),
      causes: Outcome.merged(a.causes, b.causes))
  }

  /// Where the test does not hold.
  mutating func not(_ a: Condition) throws(PacketSetError) -> Condition {
    let possible = try diagrams.union(a.yes, a.unsure)
    return Condition(
      yes: try diagrams.complement(possible), unsure: a.unsure, causes: a.causes)
  }
}
