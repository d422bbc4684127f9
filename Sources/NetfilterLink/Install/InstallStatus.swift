public import Bytecode

/// What of weir's is in a kernel.
public struct InstallStatus: Hashable, Sendable {
  /// The generation in force; nil when the table leads nowhere.
  public var generation: Int?
  /// The comment of the generation's entry chain, which names policy and digest.
  public var policyComment: String?
  /// The named counters.
  public var counters: [NamedCounter]
  /// Whether base chains are there, so that packets are judged at all.
  public var isHooked: Bool
  /// Generations that lie about, unreachable, because an installation was killed.
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
    guard let live else { return nil }
    guard live.comment == Table.managedComment else {
      throw .foreign(table, reasons: [live.commentReason])
    }
    let inForce = live.generationInForce
    let entry = inForce.flatMap { number in
      live.chains.first { $0.name == "g\(number)/out" }?.comment
    }
    return InstallStatus(
      generation: inForce, policyComment: entry, counters: live.counters,
      isHooked: live.chains.contains { $0.hook != nil },
      leftovers: live.generations.filter { $0 != inForce }.sorted())
  }
}
