import NetworkTypes
import SeededRandom
import Testing

@testable import PacketSets

/// Few addresses stand for all, and no test tells one from those it stands for.
@Suite struct SamplingTests {
  /// Bounds of tests, and the numbers behind them: every stretch between cuts begins with one.
  private static let numbers: [UInt32] = [0, 1, 2, 3, 4, 5, 9, 10, .max]

  private static func intervals(_ random: inout SeededGenerator) -> IntervalSet<UInt32> {
    let bounds: [UInt32] = [0, 1, 2, 3, 4, 9]
    return IntervalSet(
      (0..<random.next(upperBound: 3) + 1).map { _ in
        let low = bounds[random.next(upperBound: bounds.count)]
        if random.next(upperBound: 4) == 0 { return Interval(low, .max) }
        return Interval(low, max(low, bounds[random.next(upperBound: bounds.count)]))
      })
  }

  private static func whole(_ random: inout SeededGenerator) -> IntervalSet<UInt128> {
    func address(_ fill: UInt32) -> UInt128 {
      let depth = random.next(upperBound: 4) + 1
      return (0..<4).reduce(UInt128(0)) { sum, place in
        sum << 32
          | UInt128(place < depth ? numbers[random.next(upperBound: 4)] : fill)
      }
    }
    return IntervalSet(
      (0..<random.next(upperBound: 3) + 1).map { _ in
        let low = address(0)
        return Interval(low, max(low, address(.max)))
      })
  }

  /// The tests of a seed, made in an arena.
  private func tests(
    _ seed: UInt64, _ diagrams: inout PacketDiagrams
  ) throws(PacketSetError) -> [Diagram] {
    var random = SeededGenerator(seed: seed)
    var found: [Diagram] = []
    for _ in 0..<random.next(upperBound: 5) + 1 {
      switch random.next(upperBound: 4) {
      case 0:
        found.append(try diagrams.set(PacketField.destination, Self.whole(&random)))
      case 1:
        diagrams.addressFamily = .ipv4
        let set = try diagrams.set(.destination3, Self.intervals(&random))
        diagrams.addressFamily = nil
        let isIPv4 = try diagrams.set(.family, 0)
        found.append(try diagrams.intersection(isIPv4, set))
      case 2:
        let field = PacketField.destination[random.next(upperBound: 4)]
        found.append(try diagrams.set(field, Self.intervals(&random)))
      default:
        let pieces = Self.whole(&random).intervals.enumerated().map {
          WidePiece($0.element.first, $0.element.last, .constant($0.offset % 2 + 1))
        }
        found.append(
          try diagrams.select(PacketField.destination, pieces[...], otherwise: .nothing))
      }
    }
    return found
  }

  /// Every packet whose address is made of the numbers.
  private static let packets: [PacketPoint] = {
    var found: [PacketPoint] = []
    for last in numbers {
      var four = PacketPoint()
      four[.destination3] = last
      found.append(four)
      for upper in 0..<numbers.count * numbers.count * numbers.count {
        var six = four
        six[.family] = 1
        six[.destination0] = numbers[upper % numbers.count]
        six[.destination1] = numbers[upper / numbers.count % numbers.count]
        six[.destination2] = numbers[upper / numbers.count / numbers.count]
        found.append(six)
      }
    }
    return found
  }()

  @Test(arguments: 0..<80 as Range<UInt64>)
  func `property: for every address the sample has one that no test tells apart`(
    seed: UInt64
  ) throws {
    var notes = PacketDiagrams(sampling: AddressSampling(leastIntervals: 0))
    _ = try tests(seed, &notes)
    #expect(notes.sampling?.isFaithful == false)
    let sampling = try #require(notes.sampling?.refined())
    var sampled = PacketDiagrams(sampling: sampling)
    let few = try tests(seed, &sampled)
    #expect(sampled.sampling?.isFaithful == true)
    let addresses = try sampled.sampledAddresses()
    var all = PacketDiagrams()
    let whole = try tests(seed, &all)

    var met: Set<[Int]> = []
    for packet in Self.packets where sampled.contains(addresses, packet) {
      let labels = whole.map { all.value(of: $0, at: packet) }
      met.insert([Int(packet[.family])] + labels)
      expect(few.map { sampled.value(of: $0, at: packet) } == labels)
    }
    for packet in Self.packets {
      let labels = whole.map { all.value(of: $0, at: packet) }
      expect(met.contains([Int(packet[.family])] + labels))
    }
  }

  @Test func `a test not noted before makes a sample unfaithful, and a second knows it`() throws {
    var notes = PacketDiagrams(sampling: AddressSampling(leastIntervals: 0))
    _ = try notes.set(.destination3, IntervalSet([Interval(10, 20)]))
    var first = PacketDiagrams(sampling: try #require(notes.sampling?.refined()))
    _ = try first.set(.destination3, IntervalSet([Interval(10, 20)]))
    #expect(first.sampling?.isFaithful == true)
    _ = try first.set(.destination3, IntervalSet([Interval(15, 30)]))
    #expect(first.sampling?.isFaithful == false)
    var second = PacketDiagrams(sampling: try #require(first.sampling?.refined()))
    _ = try second.set(.destination3, IntervalSet([Interval(10, 20)]))
    let late = try second.set(.destination3, IntervalSet([Interval(15, 30)]))
    #expect(second.sampling?.isFaithful == true)
    let addresses = try second.sampledAddresses()
    #expect(try second.intersection(late, addresses) != .nothing)
  }

  @Test func `a sample is given up when packets change their address`() throws {
    var notes = PacketDiagrams(sampling: AddressSampling(leastIntervals: 1))
    let set = try notes.set(.destination3, IntervalSet([Interval(10, 20)]))
    _ = try notes.before(FieldChanges([.destination3: .constant(15)]), set)
    #expect(notes.sampling?.refined() == nil)
  }

  @Test func `a sample is given up when nearly every address is tested apart`() throws {
    var notes = PacketDiagrams(sampling: AddressSampling())
    let pieces = (0..<10_000 as Range<UInt32>).map {
      (Interval($0 * 7, $0 * 7), Diagram.constant(Int($0) + 1))
    }
    _ = try notes.select(.destination3, pieces, otherwise: .nothing)
    #expect(notes.sampling?.refined() == nil)
  }
}
