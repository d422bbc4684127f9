import Bytecode

/// The changes that lead from what a kernel holds to one more generation of a compiled table.
///
/// Pure: what is there goes in as a value, what to send comes out as values.
struct GenerationPlan {
  /// What the kernel holds under the table's name; nil for nothing.
  var live: Table?
  /// The compiled table of the generation to come.
  var target: Table
  /// The generation to come.
  var generation: Int

  /// What has no business in a table of weir's: names neither of a generation nor in `target`.
  static func strangers(in live: Table, _ target: Table) -> [String] {
    let known = Set(target.chains.map(\.name) + target.sets.map(\.name))
    func isStrange(_ name: String) -> Bool {
      GenerationName.generation(of: name) == nil && !known.contains(name)
    }
    let sets = live.sets.filter { !$0.flags.contains(.anonymous) }.map(\.name)
    return live.chains.map(\.name).filter(isStrange).map { "chain \($0)" }
      + sets.filter { isStrange($0) && !GenerationName.isShared($0) }.map { "set \($0)" }
      + live.objects.map { "object \($0.name)" }
      + live.flowtables.map { "flowtable \($0.name)" } + live.allUnknown.map(\.kind)
  }

  /// Deletes every generation but one, the shared sets that nothing else uses, stale counters.
  ///
  /// `kept` is the generation that stays, nil for none; `counters` are the names that stay.
  static func cleaning(_ live: Table, keeping kept: Int?, counters: Set<String>) -> [Change] {
    func isGone(_ name: String) -> Bool {
      GenerationName.generation(of: name).map { $0 != kept } ?? false
    }
    let chains = live.chains.filter { isGone($0.name) }.map(\.name)
    let sets = live.sets.filter { isGone($0.name) }.map(\.name)
    let used = live.setsUsed { !isGone($0) }
    let unused = live.sets.map(\.name).filter { GenerationName.isShared($0) && !used.contains($0) }
    let stale = live.counters.map(\.name).filter { name in
      !counters.contains(name)
        && !live.chains.contains { !isGone($0.name) && $0.refersTo(counter: name) }
    }
    return chains.map(Change.flushChain) + (sets + unused).map(Change.deleteSet)
      + chains.map(Change.deleteChain) + stale.map(Change.deleteCounter)
  }

  /// Makes everything of the new generation that no packet can reach yet.
  ///
  /// Shared sets that are there with the same name are kept.
  var preload: [Change] {
    var changes: [Change] = []
    if live == nil { changes.append(.addTable(target)) }
    let chains = target.chains.filter { belongs($0.name) }
    changes += chains.map(Change.addChain)
    let counters = Set(live?.counters.map(\.name) ?? [])
    changes += target.counters.filter { !counters.contains($0.name) }.map(Change.addCounter)
    let sets = Set(live?.sets.map(\.name) ?? [])
    for set in target.sets where belongs(set.name) || GenerationName.isShared(set.name) {
      if !sets.contains(set.name) { changes += [.addSet(set), .addElements(set)] }
    }
    return changes + Change.rules(of: chains, in: target)
  }

  /// Leads packets into the new generation: the tiny transaction.
  ///
  /// Replaces what differs in the generation maps; makes maps and base chains that are missing, and
  /// rewrites the rules of base chains that are not as compiled.
  var swap: [Change] {
    var changes: [Change] = []
    for map in target.sets where GenerationName.isGenerationMap(map.name) {
      changes += redirect(map)
    }
    for chain in target.chains where chain.hook != nil { changes += repair(chain) }
    return changes
  }

  /// Whether a name is of the new generation.
  func belongs(_ name: String) -> Bool { GenerationName.generation(of: name) == generation }

  private func redirect(_ map: NamedSet) -> [Change] {
    guard let there = live?.sets.first(where: { $0.name == map.name }) else {
      return [.addSet(map), .addElements(map)]
    }
    guard case .elements(let old) = there.content, case .elements(let new) = map.content
    else { return [] }
    var gone = there
    gone.content = .elements(old.filter { !new.contains($0.withoutState) })
    var added = map
    let kept = old.map(\.withoutState)
    added.content = .elements(new.filter { !kept.contains($0) })
    return [.deleteElements(gone), .addElements(added)]
  }

  private func repair(_ chain: Chain) -> [Change] {
    let rules = Change.rules(of: [chain], in: target)
    guard let live, let there = live.chains.first(where: { $0.name == chain.name }) else {
      return [.addChain(chain)] + rules
    }
    if there.hook != chain.hook {
      return [.flushChain(chain.name), .deleteChain(chain.name), .addChain(chain)] + rules
    }
    let found = live.part { $0 == chain.name }
    let expected = target.part { $0 == chain.name }
    return found.problems(from: expected).isEmpty ? [] : [.flushChain(chain.name)] + rules
  }
}

extension Chain {
  fileprivate func refersTo(counter name: String) -> Bool {
    rules.contains { $0.expressions.contains(.objectReference(.counter(name))) }
  }
}
