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
  /// Milliseconds after which the kernel falls back to what stands; nil to replace that.
  var trialMilliseconds: UInt64?

  /// What has no business in a table of weir's: names neither of a generation nor in `target`.
  static func strangers(in live: Table, _ target: Table) -> [String] {
    let known = Set(target.chains.map(\.name) + target.sets.map(\.name))
    func isStrange(_ name: String) -> Bool {
      GenerationName.generation(of: name) == nil && !known.contains(name)
    }
    let sets = live.sets.filter { !$0.flags.contains(.anonymous) }.map(\.name)
    return live.chains.map(\.name).filter(isStrange).map { "chain \($0)" }
      + sets.filter { isStrange($0) && !GenerationName.isShared($0) }.map { "set \($0)" }
      + live.objects.filter { !GenerationName.isIdle($0.name) }.map { "object \($0.name)" }
      + live.flowtables.map { "flowtable \($0.name)" } + live.allUnknown.map(\.kind)
  }

  /// Deletes all generations but some, the shared sets that nothing else uses, stale counters.
  ///
  /// `kept` are the generations that stay; `counters` are the names that stay.
  static func cleaning(
    _ live: Table, keeping kept: Set<Int>, counters: Set<String>
  ) -> [Change] {
    func isGone(_ name: String) -> Bool {
      GenerationName.generation(of: name).map { !kept.contains($0) } ?? false
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

  /// Makes the maps forget what has expired in them.
  ///
  /// An element holds on to its chain until the kernel's collector has come by, a second later.
  static func forgettingExpired(_ live: Table) -> [Change] {
    live.sets.filter { GenerationName.isGenerationMap($0.name) }.flatMap { map in
      var kept = map
      if case .elements(let elements) = map.content {
        kept.content = .elements(elements.map(\.withoutState))
      }
      return [Change.flushSet(map.name), .addElements(kept)]
    }
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
    let objects = Set(live?.objects.map(\.name) ?? [])
    changes += target.objects.filter { !objects.contains($0.name) }.map(Change.addObject)
    let sets = Set(live?.sets.map(\.name) ?? [])
    for set in target.sets where belongs(set.name) || GenerationName.isShared(set.name) {
      if !sets.contains(set.name) { changes += [.addSet(set), .addElements(set)] }
    }
    return changes + Change.rules(of: chains, in: target)
  }

  /// Leads packets into the new generation: the tiny transaction.
  ///
  /// Replaces what differs in the generation maps; makes maps and base chains that are missing or of
  /// another shape, and rewrites the rules of base chains that are not as compiled.
  var swap: [Change] {
    let maps = wanted.sets.filter { GenerationName.isGenerationMap($0.name) }
    let misshapen = maps.filter { map in
      there(map).map { $0.flags != map.flags || $0.key != map.key } ?? false
    }
    var changes: [Change] = []
    if !misshapen.isEmpty {
      let chains = live?.chains.filter { $0.hook != nil } ?? []
      changes += chains.map { .flushChain($0.name) } + misshapen.map { .deleteSet($0.name) }
    }
    for map in maps {
      changes += misshapen.contains(map) ? [.addSet(map), .addElements(map)] : redirect(map)
    }
    for chain in target.chains where chain.hook != nil {
      changes += repair(chain, isEmpty: !misshapen.isEmpty)
    }
    return changes
  }

  /// The compiled table with its maps as they are to be: on trial, or for good.
  private var wanted: Table {
    guard let trialMilliseconds else { return target }
    return target.onTrial(generation, over: live, timeoutMilliseconds: trialMilliseconds)
  }

  private func there(_ map: NamedSet) -> NamedSet? {
    live?.sets.first { $0.name == map.name }
  }

  /// Whether a name is of the new generation.
  func belongs(_ name: String) -> Bool { GenerationName.generation(of: name) == generation }

  private func redirect(_ map: NamedSet) -> [Change] {
    guard let there = there(map) else { return [.addSet(map), .addElements(map)] }
    guard case .elements(let old) = there.content, case .elements(let new) = map.content
    else { return [] }
    // What expires may be gone before the kernel gets this: a flush takes what is there.
    if old.contains(where: \.isOnTrial) { return [.flushSet(map.name), .addElements(map)] }
    var gone = there
    gone.content = .elements(old.filter { !new.contains($0.withoutState) })
    var added = map
    let kept = old.map(\.withoutState)
    added.content = .elements(new.filter { !kept.contains($0) })
    return [.deleteElements(gone), .addElements(added)]
  }

  private func repair(_ chain: Chain, isEmpty: Bool) -> [Change] {
    let rules = Change.rules(of: [chain], in: target)
    guard let live, let there = live.chains.first(where: { $0.name == chain.name }) else {
      return [.addChain(chain)] + rules
    }
    if there.hook != chain.hook {
      return [.flushChain(chain.name), .deleteChain(chain.name), .addChain(chain)] + rules
    }
    if isEmpty { return rules }
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
