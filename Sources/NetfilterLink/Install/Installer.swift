import Bytecode

/// Ends one attempt at an installation.
enum InstallFailure: Error {
  /// A step failed at the kernel; a moved generation is worth another attempt.
  case step(KernelError)
  /// Another attempt would end alike.
  case refusal(InstallError)
}

/// The compiled table by generation, rendered once each: large lists make that dear.
private final class RenderedTables {
  private let render: (Int) -> Table
  private var tables: [Int: Table] = [:]

  init(_ render: @escaping (Int) -> Table) { self.render = render }

  subscript(generation: Int) -> Table {
    if let known = tables[generation] { return known }
    let table = render(generation)
    tables[generation] = table
    return table
  }
}

/// One installation over as many attempts as it takes.
struct Installer {
  let target: (Int) -> Table
  let proof: InstallProof?
  /// Milliseconds of trial; nil to install for good.
  let trialMilliseconds: UInt64?
  /// The generation that stood when the first attempt began.
  private var previous: Int?
  /// The generation this installation has put in force.
  private var swapped: Int?
  /// What is in force now, for errors.
  private(set) var standing = Standing.unclear
  /// The sets as this attempt read them, until somebody else may have changed them.
  private var known: KnownSets?

  init(target: @escaping (Int) -> Table, proof: InstallProof?, trialMilliseconds: UInt64?) {
    let rendered = RenderedTables(target)
    self.target = { rendered[$0] }
    self.proof = proof
    self.trialMilliseconds = trialMilliseconds
  }

  /// One attempt.
  mutating func run<Transport: NetlinkTransport & ~Copyable>(
    _ session: inout NetfilterSession<Transport>
  ) throws(InstallFailure) -> InstallOutcome {
    let name = target(1).identifier
    known = nil
    var (live, generation) = try read(name, &session)
    if let live { try refuseForeign(live) }
    standing = live?.generationInForce.map(Standing.previous) ?? .nothing
    if swapped == nil { previous = live?.standingGeneration }
    if let live, let known = knownGeneration(live) {
      if swapped == nil { try refresh(live, target(known), &session) }
      let isSettled = known == live.standingGeneration && live.runningTrial == nil
      if isSettled || swapped == known { return try finish(live, known, generation, &session) }
      // It is here, and only the maps are to lead there: for good, or for a new span of time.
      let snapshot = try readAll(name, &session)
      return try swap(
        plan(snapshot.ruleset.table(name), known), snapshot.generation, &session)
    }
    if let there = live {
      let counters = Set(there.counters.map(\.name))
      let kept = there.generationsInUse
      if try clean(there, keeping: kept, counters: counters, generation, &session) {
        (live, generation) = try read(name, &session)
      }
    }
    let next = (live?.generations.max() ?? 0) + 1
    var plan = plan(live, next)
    if try heal(plan, &session) { (plan.live, generation) = try read(name, &session) }
    known?.adopt(plan.target)
    try commit(plan.preload, name, generation, .split, &session)
    (plan.live, generation) = try provePreload(plan, &session)
    return try swap(plan, generation, &session)
  }

  // MARK: Steps

  /// The way from what is there to a generation.
  ///
  /// What stands is not put on trial: a trial of it ends the one that runs.
  private func plan(_ live: Table?, _ generation: Int) -> GenerationPlan {
    GenerationPlan(
      live: live, target: target(generation), generation: generation,
      trialMilliseconds: generation == live?.standingGeneration ? nil : trialMilliseconds)
  }

  private mutating func provePreload<Transport: NetlinkTransport & ~Copyable>(
    _ plan: GenerationPlan, _ session: inout NetfilterSession<Transport>
  ) throws(InstallFailure) -> (live: Table?, generation: UInt32) {
    let name = plan.target.identifier
    let snapshot = try readAll(name, &session)
    let live = snapshot.ruleset.table(name)
    let isPart = { (name: String) in
      GenerationName.isShared(name) || GenerationName.isIdle(name)
        || GenerationName.generation(of: name) == plan.generation
    }
    var differences =
      live?.part(where: isPart).problems(from: plan.target.part(where: isPart), isExact: false)
      ?? ["the table is missing"]
    if let objection = proof?(.preloaded, snapshot.ruleset) { differences.append(objection) }
    guard differences.isEmpty else {
      if let live {
        let counters = Set(live.counters.map(\.name))
        _ = try? clean(
          live, keeping: live.generationsInUse, counters: counters, snapshot.generation, &session)
      }
      throw .refusal(
        .notProven(.preloaded, differences: differences, standing: standing))
    }
    known?.adopt(plan.target)
    return (live, snapshot.generation)
  }

  private mutating func swap<Transport: NetlinkTransport & ~Copyable>(
    _ plan: GenerationPlan, _ generation: UInt32, _ session: inout NetfilterSession<Transport>
  ) throws(InstallFailure) -> InstallOutcome {
    let name = plan.target.identifier
    standing = .unclear
    do {
      try commit(plan.swap, name, generation, .whole, &session)
    } catch {
      // Lost replies say nothing either way: the read-back does.
      guard case .step(let cause) = error, cause.cause == .repliesLost else {
        standing = plan.live?.generationInForce.map(Standing.previous) ?? .nothing
        throw error
      }
    }
    let snapshot = try readAll(name, &session)
    let live = snapshot.ruleset.table(name)
    var differences: [String] = []
    if let live {
      differences = plan.objections(to: live) + self.differences(live.settled, plan.target)
    } else {
      differences.append("the table is missing")
    }
    if let objection = proof?(.swapped, snapshot.ruleset) { differences.append(objection) }
    guard differences.isEmpty, let live else {
      try swapBack(live, &session)
      throw .refusal(.notProven(.swapped, differences: differences, standing: standing))
    }
    swapped = plan.generation
    return try finish(live, plan.generation, snapshot.generation, &session)
  }

  /// The generation that holds what was compiled: what is on trial, or what stands.
  private func knownGeneration(_ live: Table) -> Int? {
    if let trial = live.runningTrial,
      isAsCompiled(live.settled, target(trial.generation))
    {
      return trial.generation
    }
    guard let standing = live.standingGeneration else { return nil }
    let settled = live.runningTrial == nil ? live : live.withoutTrial
    return isAsCompiled(settled, target(standing)) ? standing : nil
  }

  /// Leads packets back into the generation before, or removes a first installation.
  private mutating func swapBack<Transport: NetlinkTransport & ~Copyable>(
    _ live: Table?, _ session: inout NetfilterSession<Transport>
  ) throws(InstallFailure) {
    guard let live else { return }
    let name = live.identifier
    guard let previous else {
      try commit([.deleteTable], name, nil, .whole, &session)
      standing = .nothing
      return
    }
    let back = GenerationPlan(live: live, target: target(previous), generation: previous)
    try commit(back.swap, name, nil, .whole, &session)
    let again = try read(name, &session).live
    standing = again?.generationInForce == previous ? .previous(generation: previous) : .unclear
  }

  /// The new generation is proven: removes everything but what a trial falls back to.
  private mutating func finish<Transport: NetlinkTransport & ~Copyable>(
    _ live: Table, _ inForce: Int, _ generation: UInt32,
    _ session: inout NetfilterSession<Transport>
  ) throws(InstallFailure) -> InstallOutcome {
    let compiled = target(inForce)
    var outcome = InstallOutcome(
      generation: inForce, previous: previous, isUnchanged: swapped == nil,
      trial: live.runningTrial)
    do {
      let counters = Set(compiled.counters.map(\.name))
      let kept = live.generationsInUse.union([inForce])
      _ = try clean(live, keeping: kept, counters: counters, generation, &session)
    } catch {
      guard case .step(let cause) = error, !cause.isWorthAnotherAttempt else { throw error }
      outcome.cleaningError = cause
    }
    return outcome
  }

  /// Removes what is unreachable; tells whether there was anything.
  private mutating func clean<Transport: NetlinkTransport & ~Copyable>(
    _ live: Table, keeping kept: Set<Int>, counters: Set<String>, _ generation: UInt32,
    _ session: inout NetfilterSession<Transport>
  ) throws(InstallFailure) -> Bool {
    var changes = GenerationPlan.cleaning(live, keeping: kept, counters: counters)
    do {
      try commit(changes, live.identifier, generation, .whole, &session)
    } catch {
      guard case .step(let cause) = error, cause.isBusy, live.runningTrial == nil else {
        throw error
      }
      changes = GenerationPlan.forgettingExpired(live) + changes
      try commit(changes, live.identifier, generation, .whole, &session)
    }
    return !changes.isEmpty
  }

  /// Rewrites shared sets whose contents are not what their names say; tells whether any was.
  ///
  /// Nothing is known of them any more then: the next read reads all.
  private mutating func heal<Transport: NetlinkTransport & ~Copyable>(
    _ plan: GenerationPlan, _ session: inout NetfilterSession<Transport>
  ) throws(InstallFailure) -> Bool {
    guard let live = plan.live else { return false }
    do {
      let shared = plan.target.sets.filter { GenerationName.isShared($0.name) }
      if try session.refresh(shared, in: live).isEmpty { return false }
      known = nil
      return true
    } catch { throw .step(error) }
  }

  /// Gives sets of runtime state the contents of the compiled table.
  private mutating func refresh<Transport: NetlinkTransport & ~Copyable>(
    _ live: Table, _ compiled: Table, _ session: inout NetfilterSession<Transport>
  ) throws(InstallFailure) {
    do {
      try session.refresh(compiled.sets.filter(\.isRuntimeState), in: live)
    } catch { throw .step(error) }
  }

  // MARK: Judging

  private func refuseForeign(_ live: Table) throws(InstallFailure) {
    var reasons = live.comment == Table.managedComment ? [] : [live.commentReason]
    reasons += GenerationPlan.strangers(in: live, target(1))
    if !reasons.isEmpty { throw .refusal(.foreign(live.identifier, reasons: reasons)) }
  }

  private func isAsCompiled(_ live: Table, _ compiled: Table) -> Bool {
    live.part(inForceOf: compiled).isSame(as: compiled.part { _ in true })
  }

  private func differences(_ live: Table, _ compiled: Table) -> [String] {
    live.part(inForceOf: compiled).problems(from: compiled.part { _ in true })
  }

  // MARK: Kernel

  private mutating func read<Transport: NetlinkTransport & ~Copyable>(
    _ name: TableIdentifier, _ session: inout NetfilterSession<Transport>
  ) throws(InstallFailure) -> (live: Table?, generation: UInt32) {
    let snapshot = try readSnapshot(of: name, name, &session)
    return (snapshot.ruleset.tables.first, snapshot.generation)
  }

  /// The table, or every table when there is a judge to see them.
  private mutating func readAll<Transport: NetlinkTransport & ~Copyable>(
    _ name: TableIdentifier, _ session: inout NetfilterSession<Transport>
  ) throws(InstallFailure) -> Snapshot {
    try readSnapshot(of: proof == nil ? name : nil, name, &session)
  }

  private mutating func readSnapshot<Transport: NetlinkTransport & ~Copyable>(
    of only: TableIdentifier?, _ name: TableIdentifier,
    _ session: inout NetfilterSession<Transport>
  ) throws(InstallFailure) -> Snapshot {
    do {
      let snapshot = try session.readSnapshot(of: only, knowing: known)
      known = KnownSets(of: snapshot.ruleset.table(name), name, snapshot.generation)
      return snapshot
    } catch { throw .step(error) }
  }

  private mutating func commit<Transport: NetlinkTransport & ~Copyable>(
    _ changes: [Change], _ name: TableIdentifier, _ generation: UInt32?,
    _ atomicity: Atomicity, _ session: inout NetfilterSession<Transport>
  ) throws(InstallFailure) {
    let before = known
    known = nil
    do {
      let count = try session.commit(
        changes, to: name.family, name.name, ifGeneration: generation, atomicity)
      known = before?.after(changes, ifGeneration: generation, commits: count)
    } catch { throw .step(error) }
  }
}

extension Table {
  /// Family and name.
  var identifier: TableIdentifier { TableIdentifier(family: family, name: name) }
}

extension Ruleset {
  /// The table of that name.
  func table(_ name: TableIdentifier) -> Table? { tables.first { $0.identifier == name } }
}

extension GenerationPlan {
  /// What of a table read after the swap is not as the swap should have left it.
  fileprivate func objections(to found: Table) -> [String] {
    guard trialMilliseconds != nil else {
      return found.standingGeneration == generation && found.runningTrial == nil
        ? [] : ["the swap is not in force"]
    }
    guard found.runningTrial?.generation == generation else {
      return ["the trial is not in force, or was over before it was read back"]
    }
    guard let fallback = live?.standingGeneration else { return [] }
    guard found.standingGeneration == fallback, let live else {
      return ["generation \(fallback) is not what the trial falls back to"]
    }
    let isPart = { (name: String) in GenerationName.generation(of: name) == fallback }
    return found.part(where: isPart).problems(from: live.part(where: isPart))
  }
}

extension KernelError {
  /// Whether something refers still to what was to be deleted (EBUSY).
  var isBusy: Bool { cause == .refused(16) }

  /// Whether reading again and going on from what is there can succeed: the ruleset moved, or the
  /// kernel's answer was lost and only a read-back tells what happened.
  public var isWorthAnotherAttempt: Bool { cause == .generationMoved || cause == .repliesLost }
}
