import NetworkTypes
import SeededRandom
import Testing

@testable import RuleCompiler

@Suite struct AddressPartitionTests {
  /// A space small enough to look at every number.
  typealias Small = UInt8

  @Test(arguments: 0..<300 as Range<UInt64>)
  func `property: every number is in the one class that lists the terms it belongs to`(
    seed: UInt64
  ) {
    var random = SeededGenerator(seed: seed)
    let terms = 1 + Int(random.next() % 6)
    let supports = (0..<terms).map { _ in randomSet(&random) }
    let isTotal = (0..<terms).map { _ in random.next() % 3 == 0 }
    let classes = partition(supports: supports, isTotal: isTotal)
    for value in Small.min...Small.max {
      let holding = classes.filter { $0.intervals.contains { $0.contains(value) } }
      #expect(holding.count == 1)
      #expect(holding.first?.terms == expected(value, supports, isTotal))
    }
  }

  @Test(arguments: 0..<300 as Range<UInt64>)
  func `property: classes are sorted, merged and distinct`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let supports = (0..<4).map { _ in randomSet(&random) }
    let classes = partition(supports: supports, isTotal: [false, true, false, true])
    #expect(Set(classes.map(\.terms)).count == classes.count)
    for part in classes {
      #expect(IntervalSet(part.intervals).intervals == part.intervals[...])
    }
  }

  private func expected(
    _ value: Small, _ supports: [IntervalSet<Small>], _ isTotal: [Bool]
  ) -> [Int] {
    var list: [Int] = []
    for (term, support) in supports.enumerated() where support.contains(value) {
      list.append(term)
      if isTotal[term] { break }
    }
    return list
  }

  private func randomSet(_ random: inout SeededGenerator) -> IntervalSet<Small> {
    IntervalSet(
      (0..<Int(random.next() % 5)).map { _ in
        let a = Small(random.next() % 256)
        let b = Small(random.next() % 256)
        return Interval(min(a, b), max(a, b))
      })
  }
}
