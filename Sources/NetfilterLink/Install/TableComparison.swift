import Bytecode

// "The kernel holds what was compiled", for a part of a table.

extension Table {
  /// The chains, sets and counters whose names pass, and the anonymous sets of those chains.
  ///
  /// Comments of counters are left out: a counter is kept over generations so that it goes on
  /// counting, with the comment it was made with.
  func part(where isPart: (String) -> Bool) -> Table {
    var part = self
    part.chains.removeAll { !isPart($0.name) }
    part.counters.removeAll { !isPart($0.name) }
    for index in part.counters.indices { part.counters[index].comment = nil }
    let used = part.setsUsed { _ in true }
    part.sets.removeAll {
      $0.flags.contains(.anonymous) ? !used.contains($0.name) : !isPart($0.name)
    }
    return part
  }

  /// What of `expected` is missing or different here, as sentences; empty when all of it is here.
  ///
  /// When `isExact`, anything here beyond `expected` is a difference as well.
  func problems(from expected: Table, isExact: Bool = true) -> [String] {
    differences(from: expected).filter { difference in
      guard case .unexpected(let item) = difference, !isExact else { return true }
      // A whole object more is fine; a rule or an element more is not.
      return item.contains(" rule ") || item.contains(" element ")
    }.map(\.description)
  }
}
