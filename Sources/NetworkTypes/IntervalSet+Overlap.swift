extension IntervalSet {
  /// Whether any number is in both sets.
  ///
  /// O(min(n, m) · log max(n, m)), so that a small set is cheap to hold against a large one.
  public func intersects(_ other: IntervalSet) -> Bool {
    let (small, large) = intervals.count <= other.intervals.count ? (self, other) : (other, self)
    return small.intervals.contains { interval in
      large.firstEnding(atOrAfter: interval.first).map { $0.first <= interval.last } ?? false
    }
  }

  /// Whether every number of `other` is in this set.
  ///
  /// O(m · log n) for m intervals of `other`; with `isSubset` the cost is O(n + m).
  public func covers(_ other: IntervalSet) -> Bool {
    other.intervals.allSatisfy { interval in
      firstEnding(atOrAfter: interval.first).map {
        $0.first <= interval.first && interval.last <= $0.last
      } ?? false
    }
  }

  /// The first interval whose last number is `value` or larger.
  private func firstEnding(atOrAfter value: Bound) -> Interval<Bound>? {
    var low = intervals.startIndex
    var high = intervals.endIndex
    while low < high {
      let middle = low + (high - low) / 2
      if intervals[middle].last < value { low = middle + 1 } else { high = middle }
    }
    return low < intervals.endIndex ? intervals[low] : nil
  }
}

extension AddressSet {
  /// Whether any address is in both sets; see ``IntervalSet/intersects(_:)``.
  public func intersects(_ other: AddressSet) -> Bool {
    v4.intersects(other.v4) || v6.intersects(other.v6)
  }

  /// Whether every address of `other` is in this set; see ``IntervalSet/covers(_:)``.
  public func covers(_ other: AddressSet) -> Bool { v4.covers(other.v4) && v6.covers(other.v6) }
}
