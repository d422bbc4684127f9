public import Bytecode

/// What an installation did.
public struct InstallOutcome: Hashable, Sendable {
  /// The generation in force.
  public var generation: Int
  /// The generation that was in force before; nil after a first installation.
  public var previous: Int?
  /// Whether the kernel held the same already, so that no packet's fate was touched.
  public var isUnchanged: Bool
  /// Why the old generation is still lying about, unreachable; nil when it is gone.
  public var cleaningError: KernelError?
  /// The trial that it is on; nil when it is there to stay.
  public var trial: RunningTrial?
}

/// The judge of a read-back: an objection in words, or nil.
public typealias InstallProof = (InstallStage, Ruleset) -> String?

extension NetfilterSession where Transport: ~Copyable {
  /// So many times an installation is begun anew when somebody else changes the ruleset.
  static var installAttempts: Int { 8 }

  /// Puts a compiled table in force without a moment in which packets see half of it.
  ///
  /// 1. read what is there; stop when it is the same, refuse what is not weir's;
  /// 2. preload the next generation, unreferenced, in as many transactions as it needs;
  /// 3. read it back and compare;
  /// 4. swap the catch-all elements that lead into it, in one transaction that holds only if
  ///    nobody changed the ruleset since;
  /// 5. read back, compare, and swap back if that fails;
  /// 6. delete the old generation.
  ///
  /// Killed at any point, the old or the new generation is whole and in force; the rest is removed
  /// by the next installation. Counters that both generations use go on counting.
  ///
  /// On trial, the swap adds elements that expire above the catch-all ones. The kernel passes over
  /// them when the time is up, and packets are back where they were, whatever became of the caller;
  /// after a first installation, all pass. The old generation stays, whole, until the next
  /// installation or ``confirmTrial(of:)``. An installation during a trial ends that trial: what it
  /// falls back to itself is what stood before. What stands already is not put on trial.
  ///
  /// - Parameters:
  ///   - trialMilliseconds: for how long, at least 1; nil to install for good.
  ///   - proof: a further judge of both read-backs, who is shown every table of the host.
  ///   - target: the table, rendered for a generation from 1.
  /// - Returns: what was done.
  /// - Throws: ``InstallError``, which says what is in force now.
  public mutating func install(
    trialMilliseconds: UInt64? = nil, proof: InstallProof? = nil,
    _ target: @escaping (Int) -> Table
  ) throws(InstallError) -> InstallOutcome {
    var installer = Installer(
      target: target, proof: proof, trialMilliseconds: trialMilliseconds)
    for _ in 0..<Self.installAttempts {
      do throws(InstallFailure) {
        return try installer.run(&self)
      } catch {
        switch error {
        case .step(let cause) where cause.isWorthAnotherAttempt: continue
        case .step(let cause): throw .kernel(cause, standing: installer.standing)
        case .refusal(let refusal): throw refusal
        }
      }
    }
    throw .keepsChanging(attempts: Self.installAttempts, standing: installer.standing)
  }

  /// Removes weir's table, whole, in one transaction.
  ///
  /// - Parameter table: which.
  /// - Returns: whether there was one.
  /// - Throws: ``InstallError/foreign(_:reasons:)`` for a table that is not weir's.
  @discardableResult
  public mutating func remove(_ table: TableIdentifier) throws(InstallError) -> Bool {
    for _ in 0..<Self.installAttempts {
      do throws(InstallFailure) {
        return try removeOnce(table)
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

  private mutating func removeOnce(_ table: TableIdentifier) throws(InstallFailure) -> Bool {
    let foreign: InstallError
    do throws(KernelError) {
      let snapshot = try readSnapshot(of: table)
      guard let live = snapshot.ruleset.tables.first else { return false }
      if live.comment == Table.managedComment {
        try commit(
          [.deleteTable], to: table.family, table.name, ifGeneration: snapshot.generation)
        return true
      }
      foreign = .foreign(table, reasons: [live.commentReason])
    } catch { throw .step(error) }
    throw .refusal(foreign)
  }
}

extension Table {
  /// Why a table is not taken for weir's.
  var commentReason: String {
    comment.map { "its comment is \"\($0)\"" } ?? "it has no comment"
  }
}
