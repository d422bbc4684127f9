import NetworkTypes

/// A few addresses that stand for all: for every address there is one in the sample that no test
/// tells apart from it.
///
/// One stretch of IPv4 addresses of each class is chosen. IPv6 addresses are
/// cut into boxes: some words fixed, a range in the next, the rest free. Of the boxes that no test of
/// whole addresses tells apart as many stay as it takes to meet every combination of classes of words
/// that any of them meets.
struct AddressSample: Sendable {
  /// The IPv4 addresses.
  let four: IntervalSet<UInt32>
  /// The last words of all IPv6 addresses of the sample.
  let lastWords: IntervalSet<UInt32>
  /// The IPv6 boxes, whole, with last words that are not in the sample too.
  let boxes: IntervalSet<UInt128>
  /// The IPv6 addresses: the first three words, and which last words go with them.
  let six: [(upper: Interval<UInt128>, last: IntervalSet<UInt32>)]

  /// More classes than this are no sample.
  private static let mostClasses = 8192
  /// More boxes than this are no sample.
  private static let mostBoxes = 1 << 16
  /// People recognise these; they are in the sample.
  private static let wellKnown4: [UInt32] = [0xc633_6401, 0xc000_0201, 0x0101_0101, 0xc000_0202]
  private static let wellKnown6: [UInt128] = [
    0x2001_0db8_ffff_0000_0000_0000_0000_0001, 0x2001_0db8_00aa_0000_0000_0000_0000_0002,
  ]

  /// Chooses; nil when the tests tell too many addresses apart.
  ///
  /// O(n log n) in all intervals of the tests.
  init?(_ tests: AddressTests) {
    let fourClasses = TestClasses(tests.four)
    let last = TestClasses(tests.words[3])
    let second = TestClasses(tests.words[1])
    let third = TestClasses(tests.words[2])
    let upper = tests.words[0].map { test in
      test.map { Interval(UInt128($0.first) << 96, UInt128($0.last) << 96 | ((1 << 96) - 1)) }
    }
    let whole = TestClasses(tests.whole + upper)
    guard
      [fourClasses.count, last.count, second.count, third.count, whole.count].allSatisfy({
        $0 <= Self.mostClasses
      })
    else { return nil }
    four = LastWordChooser(fourClasses, Self.wellKnown4).representatives
    var chooser = LastWordChooser(last, Self.wellKnown6.map { UInt32(truncatingIfNeeded: $0) })
    let anyLast = chooser.representatives
    var choice = BoxChoice(
      whole, second: ClassCover(second), third: ClassCover(third), last: ClassCover(last))
    guard choice.choose(Self.wellKnown6, atMost: Self.mostBoxes) else { return nil }
    var kept: [UInt128: [Interval<UInt32>]] = [:]
    var six: [(upper: Interval<UInt128>, last: IntervalSet<UInt32>)] = []
    for box in choice.kept {
      if box.depth == 3 {
        kept[box.upper, default: []] += chooser.representatives(within: box.range)
      } else {
        let shift = UInt128(32 * (2 - box.depth))
        let first = (box.upper << 32 | UInt128(box.range.first)) << shift
        let last = (box.upper << 32 | UInt128(box.range.last)) << shift | ((1 << shift) - 1)
        six.append((Interval(first, last), anyLast))
      }
    }
    var lasts = Array(anyLast.intervals)
    for (upper, found) in kept {
      lasts += found
      six.append((Interval(upper, upper), IntervalSet(found)))
    }
    lastWords = IntervalSet(lasts)
    self.six = six.sorted { $0.upper.first < $1.upper.first }
    boxes = IntervalSet(choice.kept.map(\.addresses))
  }
}

extension AddressSample {
  /// The last words of all addresses of a family, or of both.
  func lastWords(_ family: Family?) -> IntervalSet<UInt32> {
    switch family {
    case .ipv4: four
    case .ipv6: lastWords
    case nil: four.union(lastWords)
    }
  }
}

/// IPv6 addresses with `depth` words fixed, a range in the next word and the rest free.
private struct AddressBox {
  var depth: Int
  /// The fixed words, as a number.
  var upper: UInt128
  var range: Interval<UInt32>

  /// The addresses, as an interval.
  var addresses: Interval<UInt128> {
    let shift = UInt128(32 * (3 - depth))
    let base = depth == 0 ? 0 : upper << 32
    return Interval(
      (base | UInt128(range.first)) << shift,
      (base | UInt128(range.last)) << shift | ((1 << shift) - 1))
  }
}

/// Chooses boxes that together meet everything that all boxes meet.
private struct BoxChoice {
  fileprivate struct Words: Hashable {
    var whole: Int32
    var second: Int32 = -1
    var third: Int32 = -1
  }

  private let whole: TestClasses<UInt128>
  private var second: ClassCover
  private var third: ClassCover
  private var last: ClassCover
  /// The classes of whole addresses of which the kept boxes meet every combination of words.
  private var isDone: [Bool]
  /// For fixed words, the classes of the next word that are met with everything behind it.
  private var met: [Words: ClassMask] = [:]
  private(set) var kept: [AddressBox] = []

  init(
    _ whole: TestClasses<UInt128>, second: ClassCover, third: ClassCover, last: ClassCover
  ) {
    self.whole = whole
    self.second = second
    self.third = third
    self.last = last
    isDone = [Bool](repeating: false, count: whole.count)
  }

  /// Chooses, wide boxes first, because one with free words meets every class of those.
  ///
  /// - Parameters:
  ///   - preferred: boxes with these addresses are kept in any case.
  ///   - most: how many boxes there may be.
  /// - Returns: false when there would be more.
  mutating func choose(_ preferred: [UInt128], atMost most: Int) -> Bool {
    for depth in 0...3 {
      for stretch in whole.firsts.indices where !isDone[Int(whole.classes[stretch])] {
        let addresses = whole.interval(stretch)
        cut(addresses.first, addresses.last, 0, 0, whole.classes[stretch], depth)
        if kept.count > most { return false }
      }
    }
    for address in preferred where !kept.contains(where: { $0.addresses.contains(address) }) {
      let addresses = whole.interval(whole.stretch(of: address))
      for box in boxes(addresses) where box.addresses.contains(address) { kept.append(box) }
    }
    return true
  }

  /// All boxes of some addresses.
  private func boxes(_ addresses: Interval<UInt128>) -> [AddressBox] {
    var found: [AddressBox] = []
    for depth in 0...3 {
      Self.cut(addresses.first, addresses.last, 0, 0, depth) { found.append($0) }
    }
    return found
  }

  private mutating func cut(
    _ low: UInt128, _ high: UInt128, _ depth: Int, _ upper: UInt128, _ whole: Int32, _ wanted: Int
  ) {
    Self.cut(low, high, depth, upper, wanted) { add($0, whole) }
  }

  /// The boxes with so many fixed words among the addresses from `low` to `high`.
  private static func cut(
    _ low: UInt128, _ high: UInt128, _ depth: Int, _ upper: UInt128, _ wanted: Int,
    _ take: (AddressBox) -> Void
  ) {
    let shift = UInt128(32 * (3 - depth))
    let rest: UInt128 = (1 << shift) - 1
    var first = UInt64(low >> shift)
    var end = UInt64(high >> shift) + 1
    if first + 1 == end && !(low & rest == 0 && high & rest == rest) {
      if depth < wanted {
        cut(low & rest, high & rest, depth + 1, upper << 32 | UInt128(first), wanted, take)
      }
      return
    }
    if low & rest != 0 {
      if depth < wanted {
        cut(low & rest, rest, depth + 1, upper << 32 | UInt128(first), wanted, take)
      }
      first += 1
    }
    if high & rest != rest {
      end -= 1
      if depth < wanted {
        cut(0, high & rest, depth + 1, upper << 32 | UInt128(end), wanted, take)
      }
    }
    guard depth == wanted, first < end else { return }
    take(
      AddressBox(depth: depth, upper: upper, range: Interval(UInt32(first), UInt32(end - 1))))
  }

  /// Keeps a box if it meets something that the boxes kept so far do not.
  private mutating func add(_ box: AddressBox, _ number: Int32) {
    let word = UInt32(truncatingIfNeeded: box.upper)
    switch box.depth {
    case 0:
      guard !isDone[Int(number)] else { return }
      isDone[Int(number)] = true
      kept.append(box)
    case 1:
      if meet(Words(whole: number), second.mask(box.range), box) {
        isDone[Int(number)] = true
      }
    case 2:
      let words = Words(whole: number, second: second.classes.class(of: word))
      guard !isMet(words) else { return }
      if meet(words, third.mask(box.range), box) { complete(words) }
    default:
      let upperWord = UInt32(truncatingIfNeeded: box.upper >> 32)
      let words = Words(
        whole: number, second: second.classes.class(of: upperWord),
        third: third.classes.class(of: word))
      guard !isMet(words), !isMet(Words(whole: number, second: words.second)) else { return }
      // Most boxes are within one stretch, whose class another box has met.
      if let only = last.onlyClass(box.range), met[words]?.contains(only) ?? false { return }
      if meet(words, last.mask(box.range), box) { complete(words) }
    }
  }

  /// Whether everything behind the fixed words is met.
  private func isMet(_ words: Words) -> Bool {
    if isDone[Int(words.whole)] { return true }
    let parent = words.parent
    return met[parent.words]?.contains(parent.next) ?? false
  }

  /// Keeps the box if it meets a new class; whether every class of the word is met now.
  private mutating func meet(
    _ words: Words, _ mask: ClassMask, _ box: AddressBox
  ) -> Bool {
    let before = met[words] ?? ClassMask(count: mask.count)
    let after = before.union(mask)
    if after == before { return false }
    met[words] = after
    kept.append(box)
    return after.isFull
  }

  /// Everything behind the fixed words is met.
  private mutating func complete(_ words: Words) {
    let parent = words.parent
    let count = (parent.words.second < 0 ? second : third).classes.count
    var mask = met[parent.words] ?? ClassMask(count: count)
    mask.insert(parent.next)
    met[parent.words] = mask
    guard mask.isFull else { return }
    if parent.words.second < 0 {
      isDone[Int(words.whole)] = true
    } else {
      complete(parent.words)
    }
  }
}

extension BoxChoice.Words {
  /// One fixed word less, and the class of that word.
  fileprivate var parent: (words: Self, next: Int32) {
    third >= 0
      ? (Self(whole: whole, second: second), third) : (Self(whole: whole), second)
  }
}

/// A set of classes.
private struct ClassMask: Hashable {
  private(set) var words: [UInt64]
  let count: Int

  init(count: Int) {
    self.count = count
    words = [UInt64](repeating: 0, count: (count + 63) / 64)
  }

  /// Whether every class is inside.
  var isFull: Bool { words.reduce(0) { $0 + $1.nonzeroBitCount } == count }

  func contains(_ number: Int32) -> Bool { words[Int(number) / 64] >> UInt64(number % 64) & 1 == 1 }

  mutating func insert(_ number: Int32) { words[Int(number) / 64] |= 1 << UInt64(number % 64) }

  mutating func formUnion(_ other: ArraySlice<UInt64>) {
    for (place, bits) in other.enumerated() { words[place] |= bits }
  }

  func union(_ other: ClassMask) -> ClassMask {
    var both = self
    both.formUnion(other.words[...])
    return both
  }
}

/// Tells which classes a range of one word meets.
private struct ClassCover {
  let classes: TestClasses<UInt32>
  /// A binary tree over the stretches, leaves last: the classes below each node.
  ///
  /// Made when a range first asks for it.
  private var tree: [UInt64] = []
  private let width: Int

  init(_ classes: TestClasses<UInt32>) {
    self.classes = classes
    width = (classes.count + 63) / 64
  }

  private var leafCount: Int { classes.firsts.count }

  private mutating func plant() {
    tree = [UInt64](repeating: 0, count: 2 * leafCount * width)
    for leaf in 0..<leafCount {
      let place = Int(classes.classes[leaf])
      tree[(leafCount + leaf) * width + place / 64] = 1 << UInt64(place % 64)
    }
    for node in stride(from: leafCount - 1, to: 0, by: -1) {
      for word in 0..<width {
        tree[node * width + word] =
          tree[2 * node * width + word] | tree[(2 * node + 1) * width + word]
      }
    }
  }

  /// The class of a range within one stretch.
  func onlyClass(_ range: Interval<UInt32>) -> Int32? {
    let stretch = classes.stretch(of: range.first)
    return range.last <= classes.interval(stretch).last ? classes.classes[stretch] : nil
  }

  /// The classes that a range meets.
  ///
  /// O(log n), once the tree is there.
  mutating func mask(_ range: Interval<UInt32>) -> ClassMask {
    var mask = ClassMask(count: classes.count)
    if let only = onlyClass(range) {
      mask.insert(only)
      return mask
    }
    if tree.isEmpty { plant() }
    var low = classes.stretch(of: range.first) + leafCount
    var high = classes.stretch(of: range.last) + leafCount + 1
    while low < high {
      if low & 1 == 1 {
        mask.formUnion(tree[low * width..<(low + 1) * width])
        low += 1
      }
      if high & 1 == 1 {
        high -= 1
        mask.formUnion(tree[high * width..<(high + 1) * width])
      }
      low >>= 1
      high >>= 1
    }
    return mask
  }
}

/// Chooses last words that stand for all, everywhere or within a range.
private struct LastWordChooser {
  private let classes: TestClasses<UInt32>
  private var cover: ClassCover
  /// The chosen stretch of each class.
  private var chosen: [Int]
  /// The stretches of each class, ascending, one class after the other.
  private var stretches: [Int32]
  private var starts: [Int]

  init(_ classes: TestClasses<UInt32>, _ wellKnown: [UInt32]) {
    self.classes = classes
    cover = ClassCover(classes)
    chosen = [Int](repeating: -1, count: classes.count)
    var widest = [UInt32](repeating: 0, count: classes.count)
    starts = [Int](repeating: 0, count: classes.count + 1)
    for stretch in classes.firsts.indices {
      let number = Int(classes.classes[stretch])
      starts[number + 1] += 1
      let interval = classes.interval(stretch)
      let width = interval.last - interval.first
      if chosen[number] < 0 || width > widest[number] {
        chosen[number] = stretch
        widest[number] = width
      }
    }
    for address in wellKnown.reversed() {
      let stretch = classes.stretch(of: address)
      chosen[Int(classes.classes[stretch])] = stretch
    }
    for number in 0..<classes.count { starts[number + 1] += starts[number] }
    var next = starts
    stretches = [Int32](repeating: 0, count: classes.firsts.count)
    for stretch in classes.firsts.indices {
      let number = Int(classes.classes[stretch])
      stretches[next[number]] = Int32(stretch)
      next[number] += 1
    }
  }

  /// One stretch of each class.
  var representatives: IntervalSet<UInt32> {
    IntervalSet(chosen.map { classes.interval($0) })
  }

  /// A part of one stretch for each class that the range meets.
  mutating func representatives(within range: Interval<UInt32>) -> [Interval<UInt32>] {
    if range.first == range.last { return [range] }
    var found: [Interval<UInt32>] = []
    for (word, bits) in cover.mask(range).words.enumerated() {
      var bits = bits
      while bits != 0 {
        let number = word * 64 + bits.trailingZeroBitCount
        bits &= bits - 1
        let usual = classes.interval(chosen[number])
        let interval = usual.meets(range) ? usual : classes.interval(first(number, within: range))
        found.append(
          Interval(max(interval.first, range.first), min(interval.last, range.last)))
      }
    }
    return found
  }

  /// The first stretch of a class that meets the range.
  private func first(_ number: Int, within range: Interval<UInt32>) -> Int {
    let start = Int32(classes.stretch(of: range.first))
    var low = starts[number]
    var high = starts[number + 1]
    while low < high {
      let middle = (low + high) >> 1
      if stretches[middle] < start { low = middle + 1 } else { high = middle }
    }
    return Int(stretches[low])
  }
}

extension Interval {
  fileprivate func meets(_ other: Interval) -> Bool { first <= other.last && other.first <= last }
}
