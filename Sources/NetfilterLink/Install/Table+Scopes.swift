public import Bytecode

// A scope table: the frame of base chains and scope maps, and the policies of generations.

extension Table {
  /// How the base chains and maps of a scope table differ from a frame, as sentences.
  ///
  /// - Parameter frame: as it is to be.
  /// - Returns: none when all is as it is to be.
  public func frameProblems(from frame: Table) -> [String] {
    part { GenerationName.isOfFrame($0) }.problems(from: frame.everything)
      + unknown.map { "not modelled: \($0.kind)" }
  }

  /// How what is here of a generation differs from a compiled policy, as sentences.
  ///
  /// - Parameters:
  ///   - generation: the generation.
  ///   - compiled: the policy's part of a table, for a generation.
  /// - Returns: none when it is as compiled; addresses of names are not compared.
  public func policyProblems(_ generation: Int, from compiled: (Int) -> Table) -> [String] {
    let expected = compiled(generation)
    return judgement(like: expected, generation).problems(from: expected.everything)
  }

  /// The whole table, without comments of counters.
  var everything: Table { part { _ in true } }

  /// The generations that a frame's maps lead to.
  var generationsLedTo: Set<Int> {
    var found: Set<Int> = []
    for set in sets where set.isVerdictMap && GenerationName.isOfFrame(set.name) {
      guard case .elements(let elements) = set.content else { continue }
      found.formUnion(elements.compactMap { $0.verdict?.chain.flatMap(GenerationName.generation) })
    }
    return found
  }

  /// The base chains and maps of a scope table, the maps without elements.
  var emptyFrame: Table {
    var frame = part { GenerationName.isOfFrame($0) }
    for index in frame.sets.indices where GenerationName.isOfFrame(frame.sets[index].name) {
      frame.sets[index].content = .elements([])
    }
    return frame
  }

  /// The generations whose entry chains say that they hold a policy, in order.
  func generations(ofPolicy digest: String) -> [Int] {
    chains.compactMap { chain in
      guard let generation = GenerationName.generation(of: chain.name),
        chain.name.hasSuffix("/out"), chain.comment?.hasSuffix(digest) ?? false
      else { return nil }
      return generation
    }.sorted()
  }

  /// The generation that holds a policy as it is compiled, and that; nil when none does.
  func proven(_ policy: ScopePolicy) -> (generation: Int, compiled: Table)? {
    for generation in generations(ofPolicy: policy.digest) {
      let compiled = policy.render(generation)
      if judgement(like: compiled, generation).problems(from: compiled.everything).isEmpty {
        return (generation, compiled)
      }
    }
    return nil
  }

  /// What is here of a generation, and of what its compiled form shares with others.
  func judgement(like compiled: Table, _ generation: Int) -> Table {
    let names = Set(
      compiled.sets.map(\.name) + compiled.counters.map(\.name) + compiled.objects.map(\.name))
    return part { name in
      GenerationName.generation(of: name).map { $0 == generation } ?? names.contains(name)
    }
  }

  /// Another table with this one's contents added.
  func merged(into other: Table?) -> Table {
    guard var other else { return self }
    other.chains += chains
    other.sets += sets
    other.counters += counters
    other.objects += objects
    return other
  }

  /// The changes that make a table's base chains and maps like this frame.
  func changes(from live: Table) -> [Change] {
    let frame = live.part { GenerationName.isOfFrame($0) }
    let wantedSets = Set(sets.map(\.name))
    var changes: [Change] = []
    var ends: [Change] = []
    for chain in frame.chains where !chains.contains(where: { $0.name == chain.name }) {
      changes.append(.flushChain(chain.name))
      ends.append(.deleteChain(chain.name))
    }
    for set in frame.sets where !set.flags.contains(.anonymous) && !wantedSets.contains(set.name) {
      ends.append(.deleteSet(set.name))
    }
    for set in sets where !set.flags.contains(.anonymous) {
      changes += set.changes(from: frame.sets.first { $0.name == set.name })
    }
    for chain in chains {
      let rules = Change.rules(of: [chain], in: self)
      guard let there = frame.chains.first(where: { $0.name == chain.name }) else {
        changes += [.addChain(chain)] + rules
        continue
      }
      if there.hook != chain.hook {
        changes += [.flushChain(chain.name), .deleteChain(chain.name), .addChain(chain)] + rules
      } else {
        let found = frame.part { $0 == chain.name }
        let isSame = found.problems(from: part { $0 == chain.name }).isEmpty
        if !isSame { changes += [.flushChain(chain.name)] + rules }
      }
    }
    return changes + ends
  }
}

extension NamedSet {
  /// The changes of elements that make a map like this one; the map itself when it is missing.
  ///
  /// Those that go come before those that come: a key may do both.
  fileprivate func changes(from live: NamedSet?) -> [Change] {
    guard let live, case .elements(let old) = live.content, case .elements(let new) = content
    else { return [.addSet(self), .addElements(self)] }
    let kept = Set(old.map(\.withoutState))
    let wanted = Set(new)
    var gone = live
    gone.content = .elements(old.filter { !wanted.contains($0.withoutState) })
    var added = self
    added.content = .elements(new.filter { !kept.contains($0) })
    return (gone.content.count == 0 ? [] : [.deleteElements(gone)])
      + (added.content.count == 0 ? [] : [.addElements(added)])
  }
}
