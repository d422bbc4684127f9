public import Bytecode

extension NetfilterSession where Transport: ~Copyable {
  /// Gives named sets new contents in place, all in one transaction.
  ///
  /// For sets of runtime state: answers of names. Sets that hold the contents already are left
  /// alone; a packet finds the old contents or the new, never none.
  ///
  /// - Parameters:
  ///   - sets: the sets as they should be; those that the table does not have are left out.
  ///   - live: the table as it was read.
  /// - Returns: the names of the sets that were changed.
  /// - Throws: ``KernelError``.
  @discardableResult
  public mutating func refresh(
    _ sets: [NamedSet], in live: Table
  ) throws(KernelError) -> [String] {
    var changes: [Change] = []
    var names: [String] = []
    let there = Dictionary(live.sets.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
    for set in sets {
      guard let found = there[set.name] else { continue }
      var expected = set
      expected.isRuntimeState = false
      let wanted = Table(family: live.family, name: live.name, sets: [expected])
      let part = Table(family: live.family, name: live.name, sets: [found])
      if part.problems(from: wanted).isEmpty { continue }
      changes += [.flushSet(set.name), .addElements(set)]
      names.append(set.name)
    }
    try commit(changes, to: live.family, live.name)
    return names
  }
}
