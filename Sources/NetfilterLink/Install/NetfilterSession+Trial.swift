import Bytecode

extension NetfilterSession where Transport: ~Copyable {
  /// Makes the generation on trial the one that stays.
  ///
  /// One transaction replaces the catch-all elements and deletes those that expire; it is refused as
  /// a whole when one of them has expired, so that it never half succeeds. Then the table is read
  /// back, and the generation that the trial would have fallen back to is deleted.
  ///
  /// - Parameter table: whose trial.
  /// - Returns: what is in force; `previous` is what was deleted.
  /// - Throws: ``InstallError/noTrial(_:standing:left:)`` when none runs, or none any more.
  public mutating func confirmTrial(
    of table: TableIdentifier
  ) throws(InstallError) -> InstallOutcome {
    var confirmation = Confirmation(table: table)
    for _ in 0..<Self.installAttempts {
      do throws(InstallFailure) {
        return try confirmation.run(&self)
      } catch {
        switch error {
        case .step(let cause) where cause.isWorthAnotherAttempt: continue
        case .step(let cause): throw .kernel(cause, standing: confirmation.standing)
        case .refusal(let refusal): throw refusal
        }
      }
    }
    throw .keepsChanging(attempts: Self.installAttempts, standing: confirmation.standing)
  }
}

/// One confirmation over as many attempts as it takes.
private struct Confirmation {
  let table: TableIdentifier
  /// The generation that this confirmation has asked the kernel to keep, and what stood before it.
  private var asked: (generation: Int, previous: Int?)?
  /// What is in force, for errors.
  private(set) var standing = Standing.unclear

  init(table: TableIdentifier) { self.table = table }

  mutating func run<Transport: NetlinkTransport & ~Copyable>(
    _ session: inout NetfilterSession<Transport>
  ) throws(InstallFailure) -> InstallOutcome {
    var (live, generation) = try read(&session)
    standing = live?.generationInForce.map(Standing.previous) ?? .nothing
    if let trial = live?.runningTrial, let there = live {
      asked = (trial.generation, there.standingGeneration)
      do throws(KernelError) {
        try session.commit(
          there.confirming(trial), to: table.family, table.name, ifGeneration: generation)
      } catch {
        // An element to delete is not there any more: the next read tells what is in force.
        guard error.cause == .refused(2) else { throw .step(error) }
      }
      (live, generation) = try read(&session)
      standing = live?.generationInForce.map(Standing.previous) ?? .nothing
    }
    guard let live, live.runningTrial == nil, let asked, asked.generation == live.standingGeneration
    else {
      let left = live.map { $0.generations.subtracting($0.generationsInUse).sorted() }
      throw .refusal(.noTrial(table, standing: standing, left: left ?? []))
    }
    var outcome = InstallOutcome(
      generation: asked.generation, previous: asked.previous, isUnchanged: false)
    do throws(KernelError) {
      let changes = GenerationPlan.cleaning(live, keeping: [asked.generation], counters: [])
      try session.commit(changes, to: table.family, table.name, ifGeneration: generation)
    } catch {
      if error.isWorthAnotherAttempt { throw .step(error) }
      outcome.cleaningError = error
    }
    return outcome
  }

  private func read<Transport: NetlinkTransport & ~Copyable>(
    _ session: inout NetfilterSession<Transport>
  ) throws(InstallFailure) -> (live: Table?, generation: UInt32) {
    let live: Table?
    let generation: UInt32
    do throws(KernelError) {
      let snapshot = try session.readSnapshot(of: table)
      live = snapshot.ruleset.tables.first
      generation = snapshot.generation
    } catch { throw .step(error) }
    if let live, live.comment != Table.managedComment {
      throw .refusal(.foreign(table, reasons: [live.commentReason]))
    }
    return (live, generation)
  }
}

extension Table {
  /// Leads the catch-all elements into the generation on trial and deletes those that expire.
  fileprivate func confirming(_ trial: RunningTrial) -> [Change] {
    sets.filter { GenerationName.isGenerationMap($0.name) }.flatMap { map in
      var added = map
      added.content = .elements([.catchAll(map.entry(of: trial.generation))])
      return [Change.deleteElements(map), .addElements(added)]
    }
  }
}
