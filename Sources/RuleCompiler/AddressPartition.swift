import NetworkTypes

/// One class of addresses of a family: those for which the same terms may matter.
struct AddressClass<Bound: FixedWidthInteger & UnsignedInteger & Sendable>: Sendable {
  /// Indices of the terms, ascending, cut after the first that decides everything.
  var terms: [Int]
  /// The addresses, sorted, disjoint and merged.
  var intervals: [Interval<Bound>]
}

/// Pass 2: cuts the address space into classes, so that one lookup tells which terms matter.
///
/// A sweep over the starts and ends of every term's addresses. O(n log t) for n intervals of t
/// terms, plus the number of active terms at each cut.
func partition<Bound: FixedWidthInteger & UnsignedInteger & Sendable>(
  supports: [IntervalSet<Bound>], isTotal: [Bool]
) -> [AddressClass<Bound>] {
  var sweep = Sweep(supports: supports, isTotal: isTotal)
  return sweep.run()
}

private struct Sweep<Bound: FixedWidthInteger & UnsignedInteger & Sendable> {
  let supports: [IntervalSet<Bound>]
  let isTotal: [Bool]
  /// Terms that are present at the sweep's position, ascending.
  var active: [Int] = []
  /// Classes by their term list.
  var classIndex: [[Int]: Int] = [:]
  var classes: [AddressClass<Bound>] = []
  /// The classes of the two intervals before: a long list goes back and forth between two.
  var recent = (last: -1, before: -1)

  init(supports: [IntervalSet<Bound>], isTotal: [Bool]) {
    self.supports = supports
    self.isTotal = isTotal
  }

  mutating func run() -> [AddressClass<Bound>] {
    var queue = CutQueue(supports)
    var position = Bound.min
    while let cut = queue.next {
      if cut.position > position {
        emit(Interval(position, cut.position - 1))
        position = cut.position
      }
      while let same = queue.next, same.position == position { apply(queue.take(same)) }
    }
    emit(Interval(position, .max))
    return classes
  }

  private mutating func apply(_ cut: Cut<Bound>) {
    var low = 0
    var high = active.count
    while low < high {
      let middle = (low + high) / 2
      if active[middle] < cut.term { low = middle + 1 } else { high = middle }
    }
    if cut.isStart { active.insert(cut.term, at: low) } else { active.remove(at: low) }
  }

  private mutating func emit(_ interval: Interval<Bound>) {
    let index = currentClass()
    if index == recent.last, let last = classes[index].intervals.popLast() {
      classes[index].intervals.append(Interval(last.first, interval.last))
      return
    }
    classes[index].intervals.append(interval)
    recent = (index, recent.last)
  }

  /// The class of the terms that are active up to the first that decides everything.
  private mutating func currentClass() -> Int {
    var count = 0
    while count < active.count {
      count += 1
      if isTotal[active[count - 1]] { break }
    }
    if recent.before >= 0, isClass(recent.before, count) { return recent.before }
    if recent.last >= 0, isClass(recent.last, count) { return recent.last }
    let terms = Array(active[..<count])
    if let known = classIndex[terms] { return known }
    classIndex[terms] = classes.count
    classes.append(AddressClass(terms: terms, intervals: []))
    return classes.count - 1
  }

  /// Whether the terms of a class are the first `count` active ones.
  private func isClass(_ index: Int, _ count: Int) -> Bool {
    guard classes[index].terms.count == count else { return false }
    for place in 0..<count where classes[index].terms[place] != active[place] { return false }
    return true
  }
}

/// A position where a term's addresses begin or have just ended.
private struct Cut<Bound: FixedWidthInteger & UnsignedInteger & Sendable> {
  var position: Bound
  var term: Int
  var isStart: Bool
}

/// The cuts of all terms in ascending order: a heap over one cursor for each term.
private struct CutQueue<Bound: FixedWidthInteger & UnsignedInteger & Sendable> {
  private struct Cursor {
    let intervals: ArraySlice<Interval<Bound>>
    var index: Int
  }

  private var cursors: [Cursor]
  private var heap: [Cut<Bound>] = []

  init(_ supports: [IntervalSet<Bound>]) {
    cursors = supports.map { Cursor(intervals: $0.intervals, index: $0.intervals.startIndex) }
    for (term, support) in supports.enumerated() {
      guard let first = support.intervals.first else { continue }
      push(Cut(position: first.first, term: term, isStart: true))
    }
  }

  var next: Cut<Bound>? { heap.first }

  /// Removes the first cut and puts the same term's next one in its place.
  mutating func take(_ cut: Cut<Bound>) -> Cut<Bound> {
    let term = cut.term
    if cut.isStart {
      let last = cursors[term].intervals[cursors[term].index].last
      if last == .max {
        removeFirst()
      } else {
        replaceFirst(Cut(position: last + 1, term: term, isStart: false))
      }
    } else {
      cursors[term].index += 1
      if cursors[term].index < cursors[term].intervals.endIndex {
        let start = cursors[term].intervals[cursors[term].index].first
        replaceFirst(Cut(position: start, term: term, isStart: true))
      } else {
        removeFirst()
      }
    }
    return cut
  }

  private mutating func push(_ cut: Cut<Bound>) {
    heap.append(cut)
    var child = heap.count - 1
    while child > 0, heap[child].position < heap[(child - 1) / 2].position {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  private mutating func removeFirst() {
    let last = heap.removeLast()
    if !heap.isEmpty { replaceFirst(last) }
  }

  private mutating func replaceFirst(_ cut: Cut<Bound>) {
    heap[0] = cut
    var parent = 0
    while true {
      var smallest = parent
      for child in 2 * parent + 1...2 * parent + 2
      where child < heap.count && heap[child].position < heap[smallest].position {
        smallest = child
      }
      if smallest == parent { return }
      heap.swapAt(parent, smallest)
      parent = smallest
    }
  }
}
