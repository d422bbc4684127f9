import Bytecode
import Glibc

/// One change of scopes over as many attempts as it takes.
struct ScopeInstaller {
  private let change: ScopeChange
  private let name: TableIdentifier
  /// How elements are found; nil when all of the table is read.
  private var lookup: ScopeLookup?
  /// The keys that were looked up: what became of them is read back.
  private var keys: [String: Set<[UInt8]>] = [:]
  /// Generations that this change took scopes from, over all attempts.
  private var left: Set<Int> = []
  /// What was read last.
  private var live: Table?
  /// The generation of the ruleset that it was read at.
  private var generation: UInt32 = 0

  init(_ change: ScopeChange, _ name: TableIdentifier) {
    self.change = change
    self.name = name
    lookup = change.lookup
  }

  /// One attempt.
  mutating func run<Transport: NetlinkTransport & ~Copyable>(
    _ session: inout NetfilterSession<Transport>
  ) throws(InstallFailure) -> Table? {
    keys = [:]
    let digests = change.policies.map(\.digest)
    try read(&session) { table in
      Set(digests.flatMap { table.generations(ofPolicy: $0) })
    }
    if let live, live.comment != Table.managedComment {
      throw .refusal(.foreign(name, reasons: [live.commentReason]))
    }
    var fuller = try fullerMaps(&session)
    if fuller == nil {
      lookup = nil
      try read(&session)
      fuller = []
    }
    let generations = try load(&session)
    let view = live.map { ScopeView(table: $0, fullerMaps: fuller ?? []) }
    let frame: Table
    switch change.goal(view, generations) {
    case .unchanged: return live
    case .nothing:
      if live != nil { try send([.deleteTable], &session) }
      return nil
    case .frame(let wanted): frame = wanted
    }
    if let live { left.formUnion(live.generationsLedTo.subtracting(frame.generationsLedTo)) }
    let swap = live.map { frame.changes(from: $0) } ?? []
    if !swap.isEmpty {
      try send(swap, &session)
      try read(&session)
    }
    guard let found = live else {
      throw .refusal(
        .notProven(.swapped, differences: ["the table is missing"], standing: .nothing))
    }
    let problems = found.frameProblems(from: frame)
    if !problems.isEmpty {
      throw .refusal(.notProven(.swapped, differences: problems, standing: .unclear))
    }
    try clean(found, frame, &session)
    return found
  }

  // MARK: Steps

  /// Finds the policies, and loads those that are missing where no packet reaches them.
  ///
  /// Returns the generations by digest.
  private mutating func load<Transport: NetlinkTransport & ~Copyable>(
    _ session: inout NetfilterSession<Transport>
  ) throws(InstallFailure) -> [String: Int] {
    var generations: [String: Int] = [:]
    var fresh: [Table] = []
    var load: [Change] = []
    // Only what is missing is sent: `assumed` is what is there, and what was put on the list.
    var assumed = live
    for policy in change.policies where generations[policy.digest] == nil {
      if let live, let (known, compiled) = live.proven(policy) {
        generations[policy.digest] = known
        do {
          try session.refresh(compiled.sets.filter(\.isRuntimeState), in: live)
        } catch { throw .step(error) }
        continue
      }
      let next = (assumed?.generations.max() ?? 0) + 1
      let plan = GenerationPlan(live: assumed, target: policy.render(next), generation: next)
      load += plan.preload
      generations[policy.digest] = next
      fresh.append(plan.target)
      assumed = plan.target.merged(into: assumed)
    }
    guard !load.isEmpty else { return generations }
    try send(load, &session, .split)
    let numbers = Set(fresh.flatMap(\.generations))
    try read(&session) { _ in numbers }
    for table in fresh {
      let number = table.generations.first ?? 0
      let problems =
        live?.judgement(like: table, number).problems(from: table.everything)
        ?? ["the table is missing"]
      if !problems.isEmpty {
        throw .refusal(.notProven(.preloaded, differences: problems, standing: .unclear))
      }
    }
    return generations
  }

  /// Reads the table: all of it, or the frame, the elements in question and some generations.
  private mutating func read<Transport: NetlinkTransport & ~Copyable>(
    _ session: inout NetfilterSession<Transport>, _ generations: (Table) -> Set<Int> = { _ in [] }
  ) throws(InstallFailure) {
    do {
      guard let lookup else {
        let snapshot = try session.readSnapshot(of: name)
        (live, generation) = (snapshot.ruleset.tables.first, snapshot.generation)
        return
      }
      var keys = self.keys
      (live, generation) = try session.readExcerpt(of: name) { table in
        keys.merge(lookup.keys(table)) { $0.union($1) }
        var excerpt = Excerpt(ofGenerations: generations(table))
        let isPart = excerpt.chains
        excerpt.chains = { isPart($0) || GenerationName.isOfFrame($0) }
        excerpt.keys = keys
        return excerpt
      }
      self.keys = keys
    } catch { throw .step(error) }
  }

  /// The maps that hold more than was read of them; nil when all of the table must be read.
  ///
  /// What was not read is relied on only where all that leads to it is as it should be.
  private func fullerMaps<Transport: NetlinkTransport & ~Copyable>(
    _ session: inout NetfilterSession<Transport>
  ) throws(InstallFailure) -> Set<String>? {
    guard let lookup, let live else { return [] }
    guard live.emptyFrame.problems(from: lookup.shape(live).everything).isEmpty else { return nil }
    var fuller: Set<String> = []
    for set in live.sets where GenerationName.isOfFrame(set.name) {
      guard lookup.empties, set.content.count > 0 else {
        fuller.insert(set.name)
        continue
      }
      do {
        guard let count = try session.readElementCount(ofSet: set.name, in: name, generation)
        else { return nil }
        if count > set.content.count { fuller.insert(set.name) }
      } catch { throw .step(error) }
    }
    return fuller
  }

  private func send<Transport: NetlinkTransport & ~Copyable>(
    _ changes: [Change], _ session: inout NetfilterSession<Transport>,
    _ atomicity: Atomicity = .whole
  ) throws(InstallFailure) {
    do {
      try session.commit(
        changes, to: name.family, name.name, ifGeneration: generation, atomicity)
    } catch { throw .step(error) }
  }

  // MARK: What is left behind

  /// Deletes generations that no scope has any more.
  private mutating func clean<Transport: NetlinkTransport & ~Copyable>(
    _ found: Table, _ frame: Table, _ session: inout NetfilterSession<Transport>
  ) throws(InstallFailure) {
    guard lookup != nil else {
      let changes = GenerationPlan.cleaning(
        found, keeping: frame.generationsLedTo, counters: [])
      return try send(changes, &session)
    }
    for number in left.sorted() where !frame.generationsLedTo.contains(number) {
      do {
        if try delete(number, &session) { left.remove(number) }
      } catch { throw .step(error) }
    }
  }

  /// Deletes a generation, and what only it used; false when a scope has it still.
  ///
  /// The kernel knows who uses what: it counts, and it refuses to delete what is in use.
  private mutating func delete<Transport: NetlinkTransport & ~Copyable>(
    _ number: Int, _ session: inout NetfilterSession<Transport>
  ) throws(KernelError) -> Bool {
    (live, generation) = try session.readExcerpt(of: name) { _ in
      Excerpt(ofGenerations: [number])
    }
    guard let gone = live?.part(where: { GenerationName.generation(of: $0) == number }),
      let entry = gone.chains.first(where: { $0.name == "g\(number)/out" })
    else { return true }
    if let use = try session.readUse(ofChain: entry.name, in: name, generation),
      use > entry.rules.count
    {
      return false
    }
    let changes = GenerationPlan.cleaning(gone, keeping: [], counters: [])
    guard try commitUnlessBusy(changes, &session) else { return false }
    let counters = try session.readUnusedCounters(in: name, generation)
    _ = try commitUnlessBusy(counters.map(Change.deleteCounter), &session)
    for set in gone.setsUsed(by: { _ in true }).filter(GenerationName.isShared).sorted() {
      _ = try commitUnlessBusy([.deleteSet(set)], &session)
    }
    return true
  }

  /// Commits deletions; false when the kernel refused since something is in use.
  private mutating func commitUnlessBusy<Transport: NetlinkTransport & ~Copyable>(
    _ changes: [Change], _ session: inout NetfilterSession<Transport>
  ) throws(KernelError) -> Bool {
    do {
      let commits = try session.commit(
        changes, to: name.family, name.name, ifGeneration: generation)
      generation = generation.advancedGeneration(by: commits)
      return true
    } catch {
      guard error.errorNumber == EBUSY else { throw error }
      return false
    }
  }
}

extension Excerpt {
  /// What generations judge by.
  fileprivate init(ofGenerations numbers: Set<Int>) {
    let isPart = { (name: String) in
      GenerationName.generation(of: name).map(numbers.contains) ?? false
    }
    self.init(chains: isPart, sets: isPart)
  }
}
