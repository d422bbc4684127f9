import NetworkTypes

/// What one test tells apart: disjoint ascending intervals with a label each; 0 is everywhere else.
struct IntervalLabels<Bound: FixedWidthInteger & UnsignedInteger & Sendable>: Hashable, Sendable {
  var intervals: ArraySlice<Interval<Bound>>
  /// One for each interval; empty when every label is 1.
  var labels: [Int32] = []

  /// Labels by first appearance, so that equal tests are equal whatever numbers were used.
  init(_ pieces: [(interval: Interval<Bound>, mark: Int32)], otherwise: Int32) {
    var places = [otherwise: Int32(0)]
    var labels: [Int32] = []
    labels.reserveCapacity(pieces.count)
    for piece in pieces {
      let next = Int32(places.count)
      let label = places[piece.mark] ?? next
      places[piece.mark] = label
      labels.append(label)
    }
    intervals = pieces.map(\.interval)[...]
    self.labels = labels
  }

  init(_ set: IntervalSet<Bound>) { intervals = set.intervals }

  private init(intervals: ArraySlice<Interval<Bound>>, labels: [Int32]) {
    self.intervals = intervals
    self.labels = labels
  }

  /// The label of the interval at a place from 0.
  @inline(__always)
  func label(_ place: Int) -> Int32 { labels.isEmpty ? 1 : labels[place] }

  /// The same test of other numbers; intervals that the function drops have the label 0.
  func map<Other>(
    _ transform: (Interval<Bound>) -> Interval<Other>?
  ) -> IntervalLabels<Other> {
    var found: [Interval<Other>] = []
    var kept: [Int32] = []
    for (place, interval) in intervals.enumerated() {
      guard let moved = transform(interval) else { continue }
      found.append(moved)
      kept.append(label(place))
    }
    return IntervalLabels<Other>(intervals: found[...], labels: kept)
  }
}

/// Every different test of one address: of IPv4 addresses, of whole IPv6 addresses, and of one of
/// their four words.
struct AddressTests: Sendable {
  private(set) var four: [IntervalLabels<UInt32>] = []
  private(set) var whole: [IntervalLabels<UInt128>] = []
  private(set) var words: [[IntervalLabels<UInt32>]] = [[], [], [], []]
  /// Of all tests together.
  private(set) var intervalCount = 0
  private var places: [Key: [Int]] = [:]

  private struct Key: Hashable {
    /// 0…3 a word, 4 the whole, 5 IPv4.
    var part: Int
    var count: Int
    var first: UInt128
    var last: UInt128

    init<Bound>(_ part: Int, _ test: IntervalLabels<Bound>) {
      self.part = part
      count = test.intervals.count
      first = UInt128(test.intervals.first?.first ?? 0)
      last = UInt128(test.intervals.last?.last ?? 0)
    }
  }

  /// Takes a test of a word, 0 the most significant, for packets of one family or, with nil, of both.
  ///
  /// - Returns: whether it is a new one.
  mutating func note(_ test: IntervalLabels<UInt32>, word: Int, _ family: Family?) -> Bool {
    var isNew = false
    // The first three words of an IPv4 address are 0 whatever is tested.
    if family != .ipv6 && word == 3 { isNew = note(test, 5, in: \.four) }
    if family != .ipv4 { isNew = note(test, word, in: \.words[word]) || isNew }
    return isNew
  }

  /// Takes a test of a whole address, for packets of one family or, with nil, of both.
  ///
  /// - Returns: whether it is a new one.
  mutating func note(_ test: IntervalLabels<UInt128>, _ family: Family?) -> Bool {
    var isNew = false
    if family != .ipv6 {
      let narrow: IntervalLabels<UInt32> = test.map { interval in
        interval.first >> 32 == 0
          ? Interval(UInt32(interval.first), UInt32(min(interval.last, 0xffff_ffff))) : nil
      }
      isNew = note(narrow, 5, in: \.four)
    }
    if family != .ipv4 { isNew = note(test, 4, in: \.whole) || isNew }
    return isNew
  }

  private mutating func note<Bound>(
    _ test: IntervalLabels<Bound>, _ part: Int,
    in list: WritableKeyPath<AddressTests, [IntervalLabels<Bound>]>
  ) -> Bool {
    let key = Key(part, test)
    let known = self[keyPath: list]
    if places[key]?.contains(where: { known[$0] == test }) == true { return false }
    places[key, default: []].append(known.count)
    self[keyPath: list].append(test)
    intervalCount += test.intervals.count
    return true
  }
}
