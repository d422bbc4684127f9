/// A non-empty closed range of unsigned numbers: `first`…`last`, both inside.
@frozen
public struct Interval<Bound: FixedWidthInteger & UnsignedInteger & Sendable>: Hashable, Sendable {
  /// The smallest member.
  public let first: Bound
  /// The largest member; never below `first`.
  public let last: Bound

  /// Makes `first…last`.
  ///
  /// - Precondition: `first <= last`.
  @inlinable
  public init(_ first: Bound, _ last: Bound) {
    precondition(first <= last, "an interval must not be reversed")
    self.first = first
    self.last = last
  }

  /// Whether `value` lies inside.
  @inlinable
  public func contains(_ value: Bound) -> Bool { first <= value && value <= last }
}

/// A set of unsigned numbers as sorted, disjoint, non-adjacent closed intervals.
///
/// Storage is an array slice, so that cutting a large set into shards copies nothing.
/// Example: inserting 1…3, 4…6 and 9…9 stores `[1…6, 9…9]`.
@frozen
public struct IntervalSet<Bound: FixedWidthInteger & UnsignedInteger & Sendable>: Hashable,
  Sendable
{
  /// The intervals, ascending; between two neighbours at least one number is missing.
  public let intervals: ArraySlice<Interval<Bound>>

  /// The empty set.
  @inlinable
  public init() { intervals = [] }

  /// Every number of the type.
  @inlinable
  public static var full: IntervalSet { IntervalSet(canonical: [Interval(.min, .max)]) }

  /// Sorts and merges any intervals.
  ///
  /// Linear when they come sorted, O(n log n) otherwise.
  @inlinable
  public init(_ unsorted: [Interval<Bound>]) {
    guard !unsorted.isEmpty else {
      self.init()
      return
    }
    var isCanonical = true
    var isSorted = true
    do {
      let items = unsorted.span
      for index in 1..<Swift.max(1, items.count) {
        let previous = items[index - 1]
        let current = items[index]
        if current.first < previous.first { isSorted = false }
        if previous.last == .max || current.first <= previous.last &+ 1 { isCanonical = false }
        if !isSorted && !isCanonical { break }
      }
    }
    if isSorted && isCanonical {
      self.init(canonical: unsorted[...])
      return
    }
    let ordered = isSorted ? unsorted : unsorted.sorted { $0.first < $1.first }
    var merged: [Interval<Bound>] = []
    merged.reserveCapacity(ordered.count)
    var open = ordered[0]
    for next in ordered.dropFirst() {
      if open.last == .max || next.first <= open.last &+ 1 {
        if next.last > open.last { open = Interval(open.first, next.last) }
      } else {
        merged.append(open)
        open = next
      }
    }
    merged.append(open)
    self.init(canonical: merged[...])
  }

  /// Adopts intervals that are already ascending, disjoint and non-adjacent; the caller vouches.
  @inlinable
  public init(canonical: ArraySlice<Interval<Bound>>) { intervals = canonical }

  /// Whether nothing is inside.
  @inlinable
  public var isEmpty: Bool { intervals.isEmpty }

  /// Whether `value` is inside.
  ///
  /// O(log n).
  @inlinable
  public func contains(_ value: Bound) -> Bool {
    var low = intervals.startIndex
    var high = intervals.endIndex
    while low < high {
      let middle = low + (high - low) / 2
      if intervals[middle].last < value { low = middle + 1 } else { high = middle }
    }
    return low < intervals.endIndex && intervals[low].first <= value
  }

  /// Numbers in either set.
  ///
  /// O(n + m).
  @inlinable
  public func union(_ other: IntervalSet) -> IntervalSet {
    if isEmpty { return other }
    if other.isEmpty { return self }
    var all: [Interval<Bound>] = []
    all.reserveCapacity(intervals.count + other.intervals.count)
    var left = intervals.startIndex
    var right = other.intervals.startIndex
    while left < intervals.endIndex || right < other.intervals.endIndex {
      let takeLeft =
        right >= other.intervals.endIndex
        || (left < intervals.endIndex
          && intervals[left].first <= other.intervals[right].first)
      if takeLeft {
        all.append(intervals[left])
        left += 1
      } else {
        all.append(other.intervals[right])
        right += 1
      }
    }
    return IntervalSet(all)
  }

  /// Numbers in both sets.
  ///
  /// O(n + m).
  @inlinable
  public func intersection(_ other: IntervalSet) -> IntervalSet {
    var common: [Interval<Bound>] = []
    var left = intervals.startIndex
    var right = other.intervals.startIndex
    while left < intervals.endIndex && right < other.intervals.endIndex {
      let a = intervals[left]
      let b = other.intervals[right]
      let first = Swift.max(a.first, b.first)
      let last = Swift.min(a.last, b.last)
      if first <= last { common.append(Interval(first, last)) }
      if a.last < b.last { left += 1 } else { right += 1 }
    }
    return IntervalSet(common)
  }

  /// Numbers of this set that are not in `other`.
  ///
  /// O(n + m).
  @inlinable
  public func subtracting(_ other: IntervalSet) -> IntervalSet {
    if isEmpty || other.isEmpty { return self }
    return intersection(other.complement)
  }

  /// Every number that is not in this set.
  ///
  /// O(n).
  @inlinable
  public var complement: IntervalSet {
    var gaps: [Interval<Bound>] = []
    gaps.reserveCapacity(intervals.count + 1)
    var next: Bound? = .min
    for interval in intervals {
      if let start = next, start < interval.first {
        gaps.append(Interval(start, interval.first &- 1))
      }
      next = interval.last == .max ? nil : interval.last &+ 1
    }
    if let start = next { gaps.append(Interval(start, .max)) }
    return IntervalSet(canonical: gaps[...])
  }

  /// Whether every number of this set is in `other`.
  ///
  /// O(n + m).
  @inlinable
  public func isSubset(of other: IntervalSet) -> Bool { subtracting(other).isEmpty }
}

/// A set of TCP, UDP, SCTP, DCCP or UDP-Lite ports, host order.
public typealias PortSet = IntervalSet<UInt16>
