public import Bytecode

/// What of weir's is in a kernel.
public struct InstallStatus: Hashable, Sendable {
  /// The generation that judges packets now; nil when the table leads nowhere.
  public var generation: Int?
  /// The comment of the generation's entry chain, which names policy and digest.
  public var policyComment: String?
  /// The named counters.
  public var counters: [NamedCounter]
  /// Whether base chains are there, so that packets are judged at all.
  public var isHooked: Bool
  /// The trial that runs, and then is the generation that judges packets now; nil for none.
  public var trial: RunningTrial?
  /// The generation that stays, and that the kernel falls back to after a trial; nil for none.
  public var standingGeneration: Int?
  /// The comment of its entry chain.
  public var standingComment: String?
  /// Whether all packets pass where no trial judges them: a first trial ends so.
  public var isOpen: Bool
  /// Seconds of silence after which the generation's new flows are forgotten; nil for the kernel's own.
  public var idleSeconds: Int?
  /// Generations that lie about, unreachable: an installation was killed, or a trial has ended.
  public var leftovers: [Int]
}

extension NetfilterSession where Transport: ~Copyable {
  /// Tells what of weir's is installed.
  ///
  /// - Parameter table: which table.
  /// - Returns: nil when there is no such table.
  /// - Throws: ``InstallError/foreign(_:reasons:)`` when the table is not weir's, or the kernel's
  ///   refusal.
  public mutating func status(
    of table: TableIdentifier
  ) throws(InstallError) -> InstallStatus? {
    let live: Table?
    do throws(KernelError) {
      live = try readTable(family: table.family, name: table.name)
    } catch { throw .kernel(error, standing: .unclear) }
    return try live.map { live throws(InstallError) in try live.statusOfOwn(table) }
  }

  /// Tells what of weir's is in force, without reading what judges packets.
  ///
  /// - Parameter table: which table.
  /// - Returns: as ``status(of:)``, but nothing of idle times.
  /// - Throws: as ``status(of:)``.
  ///
  /// Complexity: O(chains + sets), whatever the sets hold.
  public mutating func briefStatus(
    of table: TableIdentifier
  ) throws(InstallError) -> InstallStatus? {
    let live: Table?
    do throws(KernelError) {
      live = try readExcerpt(of: table) { declared in
        let base = Set(declared.chains.filter { $0.hook != nil }.map(\.name))
        return Excerpt(chains: base.contains, sets: GenerationName.isGenerationMap)
      }.table
    } catch { throw .kernel(error, standing: .unclear) }
    return try live.map { live throws(InstallError) in try live.statusOfOwn(table) }
  }
}

extension Table {
  /// What the timeouts that a generation's rules give are named by.
  private func idleSeconds(of generation: Int) -> Int? {
    for chain in chains where GenerationName.generation(of: chain.name) == generation {
      for case .objectReference(let reference) in chain.rules.flatMap(\.expressions)
      where reference.type == 7 {
        if let seconds = GenerationName.idleSeconds(of: reference.name) { return seconds }
      }
    }
    return nil
  }

  /// What is installed, of a table that is weir's.
  fileprivate func statusOfOwn(
    _ table: TableIdentifier
  ) throws(InstallError) -> InstallStatus {
    guard comment == Self.managedComment else {
      throw .foreign(table, reasons: [commentReason])
    }
    return installStatus
  }

  private var installStatus: InstallStatus {
    func comment(of generation: Int?) -> String? {
      generation.flatMap { number in chains.first { $0.name == "g\(number)/out" }?.comment }
    }
    let inUse = generationsInUse
    return InstallStatus(
      generation: generationInForce, policyComment: comment(of: generationInForce),
      counters: counters, isHooked: isHooked, trial: runningTrial,
      standingGeneration: standingGeneration, standingComment: comment(of: standingGeneration),
      isOpen: isOpen, idleSeconds: generationInForce.flatMap(idleSeconds),
      leftovers: generations.subtracting(inUse).sorted())
  }
}
