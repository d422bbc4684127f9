public import Bytecode

/// A policy of some scopes, for whichever generation it gets.
public struct ScopePolicy {
  /// What the comment of its entry chain ends with; tells whether the kernel has it already.
  public let digest: String
  /// Its chains, sets, counters and objects, without base chains.
  public let render: (Int) -> Table

  /// Makes one.
  public init(digest: String, render: @escaping (Int) -> Table) {
    self.digest = digest
    self.render = render
  }
}

/// What a scope table is to hold.
public struct ScopeChange {
  /// The policies that the change needs.
  public let policies: [ScopePolicy]
  /// From the table that is there and the generations of `policies` by digest to the base chains and
  /// maps as they are to be; nil for no table at all.
  public let frame: (Table?, [String: Int]) -> Table?

  /// Makes one.
  public init(policies: [ScopePolicy], frame: @escaping (Table?, [String: Int]) -> Table?) {
    self.policies = policies
    self.frame = frame
  }
}

extension NetfilterSession where Transport: ~Copyable {
  /// Changes which scopes there are and what judges them; packets of the others see nothing of it.
  ///
  /// Policies that are not there yet are loaded where no packet reaches them, read back and compared;
  /// then one transaction, valid only if nobody changed the ruleset since, changes the elements that
  /// differ; what it left is read back and compared too. Killed at any point, each scope has its old
  /// policy or its new one, whole.
  ///
  /// - Returns: the table as it was read back; nil when there is none any more.
  /// - Throws: ``InstallError``.
  public mutating func change(
    _ change: ScopeChange, in table: TableIdentifier
  ) throws(InstallError) -> Table? {
    for _ in 0..<Self.installAttempts {
      do throws(InstallFailure) {
        return try attempt(change, in: table)
      } catch {
        switch error {
        case .step(let cause) where cause.isWorthAnotherAttempt: continue
        case .step(let cause): throw .kernel(cause, standing: .unclear)
        case .refusal(let refusal): throw refusal
        }
      }
    }
    throw .keepsChanging(attempts: Self.installAttempts, standing: .unclear)
  }

  private mutating func attempt(
    _ change: ScopeChange, in name: TableIdentifier
  ) throws(InstallFailure) -> Table? {
    var (live, generation) = try readScopes(name)
    if let live, live.comment != Table.managedComment {
      throw .refusal(.foreign(name, reasons: [live.commentReason]))
    }
    var generations: [String: Int] = [:]
    var fresh: [Table] = []
    var load: [Change] = []
    // Only what is missing is sent: `assumed` is what is there, and what was put on the list.
    var assumed = live
    for policy in change.policies where generations[policy.digest] == nil {
      if let live, let known = live.generation(ofPolicy: policy.digest) {
        let compiled = policy.render(known)
        if live.judgement(like: compiled, known).problems(from: compiled.everything).isEmpty {
          generations[policy.digest] = known
          do {
            try refresh(compiled.sets.filter(\.isRuntimeState), in: live)
          } catch { throw .step(error) }
          continue
        }
      }
      let next = (assumed?.generations.max() ?? 0) + 1
      let plan = GenerationPlan(live: assumed, target: policy.render(next), generation: next)
      load += plan.preload
      generations[policy.digest] = next
      fresh.append(plan.target)
      assumed = plan.target.merged(into: assumed)
    }
    if !load.isEmpty {
      try send(load, to: name, generation, .split)
      (live, generation) = try readScopes(name)
    }
    for table in fresh {
      let number = table.generations.first ?? 0
      let problems =
        live?.judgement(like: table, number).problems(from: table.everything)
        ?? ["the table is missing"]
      if !problems.isEmpty {
        throw .refusal(.notProven(.preloaded, differences: problems, standing: .unclear))
      }
    }
    guard let frame = change.frame(live, generations) else {
      if live != nil {
        try send([.deleteTable], to: name, generation, .whole)
      }
      return nil
    }
    let swap = live.map { frame.changes(from: $0) } ?? []
    if !swap.isEmpty {
      try send(swap, to: name, generation, .whole)
      (live, generation) = try readScopes(name)
    }
    guard let found = live else {
      throw .refusal(
        .notProven(.swapped, differences: ["the table is missing"], standing: .nothing))
    }
    let problems = found.frameProblems(from: frame)
    if !problems.isEmpty {
      throw .refusal(.notProven(.swapped, differences: problems, standing: .unclear))
    }
    let clean = GenerationPlan.cleaning(found, keeping: frame.generationsLedTo, counters: [])
    try send(clean, to: name, generation, .whole)
    return found
  }

  private mutating func readScopes(
    _ name: TableIdentifier
  ) throws(InstallFailure) -> (Table?, UInt32) {
    do {
      let snapshot = try readSnapshot(of: name)
      return (snapshot.ruleset.tables.first, snapshot.generation)
    } catch { throw .step(error) }
  }

  private mutating func send(
    _ changes: [Change], to name: TableIdentifier, _ generation: UInt32, _ atomicity: Atomicity
  ) throws(InstallFailure) {
    do {
      try commit(changes, to: name.family, name.name, ifGeneration: generation, atomicity)
    } catch { throw .step(error) }
  }
}

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
  fileprivate var everything: Table { part { _ in true } }

  /// The generations that a frame's maps lead to.
  fileprivate var generationsLedTo: Set<Int> {
    var found: Set<Int> = []
    for set in sets where set.isVerdictMap {
      guard case .elements(let elements) = set.content else { continue }
      found.formUnion(elements.compactMap { $0.verdict?.chain.flatMap(GenerationName.generation) })
    }
    return found
  }

  /// The generation whose entry chain says that it holds a policy.
  fileprivate func generation(ofPolicy digest: String) -> Int? {
    let entry = chains.first { chain in
      chain.name.hasSuffix("/out") && GenerationName.generation(of: chain.name) != nil
        && chain.comment?.hasSuffix(digest) ?? false
    }
    return entry.flatMap { GenerationName.generation(of: $0.name) }
  }

  /// What is here of a generation, and of what its compiled form shares with others.
  fileprivate func judgement(like compiled: Table, _ generation: Int) -> Table {
    let names = Set(
      compiled.sets.map(\.name) + compiled.counters.map(\.name) + compiled.objects.map(\.name))
    return part { name in
      GenerationName.generation(of: name).map { $0 == generation } ?? names.contains(name)
    }
  }

  /// Another table with this one's contents added.
  fileprivate func merged(into other: Table?) -> Table {
    guard var other else { return self }
    other.chains += chains
    other.sets += sets
    other.counters += counters
    other.objects += objects
    return other
  }

  /// The changes that make a table's base chains and maps like this frame.
  fileprivate func changes(from live: Table) -> [Change] {
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
