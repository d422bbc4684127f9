import NetworkTypes

/// Finds the pairs of entries that may have an address in common, without trying all pairs.
///
/// Entries with few addresses are swept in address order; those without addresses, with names or
/// with very many are held against every other entry.
struct EntryPairs {
  /// Pairs of indices, smaller first, ascending; incomplete when ``isComplete`` is false.
  private(set) var pairs: [(Int, Int)] = []
  /// Whether all pairs were found within the budget.
  private(set) var isComplete = true

  private static let budget = 300_000
  private static let manyIntervals = 10_000

  /// O(k log k + pairs) for k intervals in all.
  init(_ entries: [Entry]) {
    var found: Set<Int> = []
    func insert(_ a: Int, _ b: Int) -> Bool {
      if a != b { found.insert(min(a, b) * entries.count + max(a, b)) }
      return found.count <= Self.budget
    }
    let wide = entries.indices.filter { Self.isWide(entries[$0]) }
    let narrow = Set(entries.indices).subtracting(wide).sorted()
    isComplete =
      wide.count * entries.count <= Self.budget
      && Self.sweep(narrow.map { ($0, entries[$0].destination?.addresses.v4) }, insert)
      && Self.sweep(narrow.map { ($0, entries[$0].destination?.addresses.v6) }, insert)
    if isComplete {
      for index in wide { for other in entries.indices { _ = insert(index, other) } }
    }
    pairs = found.sorted().map { ($0 / entries.count, $0 % entries.count) }
  }

  private static func isWide(_ entry: Entry) -> Bool {
    guard let destination = entry.destination else { return true }
    let count = destination.addresses.v4.intervals.count + destination.addresses.v6.intervals.count
    return !destination.names.isEmpty || count > manyIntervals
      || !destination.isatapEmbedded.isEmpty || destination.includesLinkBroadcast
  }

  /// Calls `insert` for entries with a common address; false once that answers false.
  private static func sweep<Bound>(
    _ sets: [(Int, IntervalSet<Bound>?)], _ insert: (Int, Int) -> Bool
  ) -> Bool {
    let items = sets.flatMap { index, set in
      (set?.intervals ?? []).map { (interval: $0, index: index) }
    }
    .sorted { $0.interval.first < $1.interval.first }
    var active: [(last: Bound, index: Int)] = []
    for item in items {
      active.removeAll { $0.last < item.interval.first }
      for other in active where !insert(other.index, item.index) { return false }
      active.append((item.interval.last, item.index))
    }
    return true
  }
}
