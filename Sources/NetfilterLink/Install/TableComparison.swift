public import Bytecode

// "The kernel holds what was compiled", for a part of a table.

extension Table {
  /// The chains, sets, counters and objects whose names pass, and the anonymous sets of those chains.
  ///
  /// Comments of counters are left out: a counter is kept over generations so that it goes on
  /// counting, with the comment it was made with.
  func part(where isPart: (String) -> Bool) -> Table {
    var part = self
    part.chains.removeAll { !isPart($0.name) }
    part.counters.removeAll { !isPart($0.name) }
    part.objects.removeAll { !isPart($0.name) }
    for index in part.counters.indices { part.counters[index].comment = nil }
    let used = part.setsUsed { _ in true }
    part.sets.removeAll {
      $0.flags.contains(.anonymous) ? !used.contains($0.name) : !isPart($0.name)
    }
    return part
  }

  /// The part that a compiled table is compared with.
  ///
  /// Base chains, maps, the generations that it has, and what they use; other generations and what
  /// only they use do not count.
  func part(inForceOf compiled: Table) -> Table {
    let generations = compiled.generations
    let sets = Set(compiled.sets.map(\.name))
    let named = Set(compiled.counters.map(\.name) + compiled.objects.map(\.name))
    let base = Set(chains.map(\.name) + self.sets.map(\.name))
    return part { name in
      if let generation = GenerationName.generation(of: name) {
        return generations.contains(generation)
      }
      if GenerationName.isShared(name) { return sets.contains(name) }
      return named.contains(name) || base.contains(name)
    }
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

/// How a table that weir installed differs from what it would install.
public struct TableDrift: Hashable, Sendable {
  /// The generation that was compared; nil when nothing leads packets into one.
  public var generation: Int?
  /// The trial that runs: what holds now ends with it, or what holds afterwards does not yet.
  public var trial: RunningTrial?
  /// Differences by rule and element, as sentences; empty when there are none.
  public var differences: [String]
}

extension Table {
  /// Compares a table that was read with what weir would install.
  ///
  /// The addresses of names are runtime state and do not count. While a trial runs, the generation on
  /// trial is compared, or that which stands, whichever differs less.
  ///
  /// - Parameter compiled: the compiled table of a generation.
  /// - Returns: the differences; nil when the table is not weir's.
  public func drift(from compiled: (Int) -> Table) -> TableDrift? {
    guard comment == Table.managedComment else { return nil }
    let trial = runningTrial
    func drift(_ table: Table, _ generation: Int) -> TableDrift {
      let expected = compiled(generation)
      let live = table.part(inForceOf: expected)
      return TableDrift(
        generation: generation, trial: trial,
        differences: live.problems(from: expected.part { _ in true })
          + unknown.map { "not modelled: \($0.kind)" })
    }
    let onTrial = trial.map { drift(settled, $0.generation) }
    let stands = standingGeneration.map { drift(trial == nil ? self : withoutTrial, $0) }
    let drifts = [onTrial, stands].compactMap(\.self)
    return drifts.min { $0.differences.count < $1.differences.count }
      ?? TableDrift(generation: nil, trial: trial, differences: ["no generation is in force"])
  }
}
