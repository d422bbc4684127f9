import NetworkTypes

/// All numbers, cut into stretches that no test cuts, and the stretches put into classes that no test
/// tells apart.
struct TestClasses<Bound: FixedWidthInteger & UnsignedInteger & Sendable>: Sendable {
  /// The first number of each stretch, ascending from 0; a stretch ends where the next begins.
  let firsts: [Bound]
  /// The class of each stretch, numbered from 0 without gaps.
  private(set) var classes: [Int32]
  /// How many classes there are.
  private(set) var count: Int

  /// Cuts and classifies, exactly.
  ///
  /// O(n log n) in all intervals of the tests.
  init(_ tests: [IntervalLabels<Bound>]) {
    var cuts: [Bound] = [0]
    cuts.reserveCapacity(1 + 2 * tests.reduce(0) { $0 + $1.intervals.count })
    for test in tests {
      for interval in test.intervals {
        cuts.append(interval.first)
        if interval.last < .max { cuts.append(interval.last + 1) }
      }
    }
    cuts.sort()
    var kept = 0
    for index in cuts.indices where index == 0 || cuts[index] != cuts[kept - 1] {
      cuts[kept] = cuts[index]
      kept += 1
    }
    cuts.removeLast(cuts.count - kept)
    firsts = cuts
    classes = [Int32](repeating: 0, count: cuts.count)
    count = 1
    for test in tests { refine(test) }
    renumber()
  }

  /// The stretch that a number lies in.
  ///
  /// O(log n).
  func stretch(of value: Bound) -> Int { stretch(of: value, from: 0) }

  private func stretch(of value: Bound, from start: Int) -> Int {
    var low = start
    var high = firsts.count
    while low < high {
      let middle = (low + high) >> 1
      if firsts[middle] <= value { low = middle + 1 } else { high = middle }
    }
    return low - 1
  }

  /// The class of a number.
  ///
  /// O(log n).
  func `class`(of value: Bound) -> Int32 { classes[stretch(of: value)] }

  /// The numbers of a stretch.
  func interval(_ stretch: Int) -> Interval<Bound> {
    Interval(
      firsts[stretch], stretch + 1 < firsts.count ? firsts[stretch + 1] - 1 : .max)
  }

  /// Splits classes by a test: what it labels leaves its class, each label apart.
  private mutating func refine(_ test: IntervalLabels<Bound>) {
    var split: [UInt64: Int32] = [:]
    var lastKey: UInt64 = .max
    var lastClass: Int32 = 0
    var index = 0
    for (place, interval) in test.intervals.enumerated() {
      let label = test.label(place)
      guard label != 0 else { continue }
      index = stretch(of: interval.first, from: index)
      while index < firsts.count && firsts[index] <= interval.last {
        let key = UInt64(UInt32(bitPattern: classes[index])) << 32 | UInt64(UInt32(label))
        if key != lastKey {
          lastKey = key
          if let known = split[key] {
            lastClass = known
          } else {
            lastClass = Int32(count)
            split[key] = lastClass
            count += 1
          }
        }
        classes[index] = lastClass
        index += 1
      }
    }
  }

  /// Numbers the classes that are left without gaps.
  private mutating func renumber() {
    var numbers = [Int32](repeating: -1, count: count)
    var next: Int32 = 0
    for index in classes.indices {
      let old = Int(classes[index])
      if numbers[old] < 0 {
        numbers[old] = next
        next += 1
      }
      classes[index] = numbers[old]
    }
    count = Int(next)
  }
}
