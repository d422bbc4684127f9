/// A way into an ordered set by one of its fields, so that a lookup looks at few elements.
///
/// The field's values fall into segments between the elements' bounds; each segment lists the
/// elements that hold it, in the order in which they win.
struct OrderedIndex {
  /// The first word of the field, from the key's first, and its length in bytes.
  let word: Int
  let lengthBytes: Int
  /// Where segments start, ascending; the first is 0.
  private var starts: [UInt128]
  /// Where the list of each segment starts in ``elements``, and at the end where the last one ends.
  private var lists: [Int32]
  private var elements: [Int32]

  /// The elements that may hold a key whose field has this value.
  ///
  /// O(log n).
  func candidates(_ value: UInt128) -> ArraySlice<Int32> {
    var low = 0
    var high = starts.count
    while low < high {
      let middle = (low + high) >> 1
      if starts[middle] <= value { low = middle + 1 } else { high = middle }
    }
    return elements[Int(lists[low - 1])..<Int(lists[low])]
  }

  /// Indexes the field that tells the elements apart best; nil when none does.
  ///
  /// `fields` are their lengths, `bounds` per element and field the low and the high bound.
  ///
  /// O(n log n) for each field.
  init?(fields: [UInt8], bounds: ArraySlice<UInt128>, count: Int) {
    guard count > 16 else { return nil }
    var best: (field: Int, starts: [UInt128], total: Int)?
    for field in fields.indices {
      let ranges = Self.ranges(of: field, fields.count, bounds, count)
      var starts: Set<UInt128> = [0]
      for range in ranges {
        starts.insert(range.low)
        if range.high < .max { starts.insert(range.high + 1) }
      }
      let sorted = starts.sorted()
      var total = 0
      for range in ranges {
        total += Self.segment(of: range.high, sorted) - Self.segment(of: range.low, sorted) + 1
        if total > 16 * count { break }
      }
      if total <= 16 * count, total < best?.total ?? .max { best = (field, sorted, total) }
    }
    guard let best else { return nil }
    word = fields[..<best.field].reduce(0) { $0 + (Int($1) + 3) / 4 }
    lengthBytes = Int(fields[best.field])
    starts = best.starts
    let ranges = Self.ranges(of: best.field, fields.count, bounds, count).map {
      Self.segment(of: $0.low, best.starts)...Self.segment(of: $0.high, best.starts)
    }
    lists = [Int32](repeating: 0, count: starts.count + 1)
    for range in ranges { for segment in range { lists[segment + 1] += 1 } }
    for segment in 0..<starts.count { lists[segment + 1] += lists[segment] }
    var next = lists
    elements = [Int32](repeating: 0, count: best.total)
    for (element, range) in ranges.enumerated() {
      for segment in range {
        elements[Int(next[segment])] = Int32(element)
        next[segment] += 1
      }
    }
  }

  private static func ranges(
    of field: Int, _ fields: Int, _ bounds: ArraySlice<UInt128>, _ count: Int
  ) -> [(low: UInt128, high: UInt128)] {
    (0..<count).map { element in
      let at = bounds.startIndex + (element * fields + field) * 2
      return (bounds[at], max(bounds[at], bounds[at + 1]))
    }
  }

  private static func segment(of value: UInt128, _ starts: [UInt128]) -> Int {
    var low = 0
    var high = starts.count
    while low < high {
      let middle = (low + high) >> 1
      if starts[middle] <= value { low = middle + 1 } else { high = middle }
    }
    return low - 1
  }
}
