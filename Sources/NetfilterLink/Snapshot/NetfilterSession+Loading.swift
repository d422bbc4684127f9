import Bytecode
import CNetfilter

/// Why a recorded ruleset could not be loaded.
public enum LoadError: Error, Hashable, Sendable {
  /// The recording is not what a kernel sends.
  case snapshot(SnapshotError)
  /// The kernel refused a part of it; the error names which.
  case kernel(KernelError)
}

extension LoadError: CustomStringConvertible {
  /// One sentence.
  public var description: String {
    switch self {
    case .snapshot(let error): error.description
    case .kernel(let error): error.description
    }
  }
}

extension NetfilterSession where Transport: ~Copyable {
  /// Makes the tables of a recording anew in this namespace, which has none of their names.
  ///
  /// Every object goes over with its state, counters and remaining times included. What the kernel
  /// gives out itself is new: handles, and the numbers of anonymous sets and chains. Chains are
  /// registered in the order of the dump. Devices that chains and flowtables bind must be there.
  ///
  /// - Parameter recorded: the messages of a dump.
  /// - Returns: what may differ from where the recording was taken, one sentence each.
  /// - Throws: ``LoadError``; the namespace is then to be thrown away.
  public mutating func load(_ recorded: RecordedRuleset) throws(LoadError) -> [String] {
    let tables: [RecordedTable]
    let decoded: Ruleset
    do throws(SnapshotError) {
      decoded = try recorded.decoded().ruleset
      tables = try recorded.tables()
    } catch { throw .snapshot(error) }
    for table in tables { try load(table, recorded.messages) }
    return decoded.loadingNotes
  }

  private mutating func load(
    _ table: RecordedTable, _ bytes: ArraySlice<UInt8>
  ) throws(LoadError) {
    let limit = min(transport.largestSendBytes * 3 / 4, Self.comfortableBatchBytes)
    var loader = try TableLoader.make(bytes, table)
    var batch = makeBatch(table.identifier.family, nil)
    for step in loader.steps {
      try loader.add(step, to: &batch)
      guard batch.buffer.count >= limit else { continue }
      try commit(batch.finalize())
      batch = makeBatch(table.identifier.family, nil)
      loader.beginTransaction()
    }
    try loader.checkNothingLeft()
    if batch.changeCount > 0 { try commit(batch.finalize()) }
  }

  private mutating func commit(_ batch: consuming FinalizedBatch) throws(LoadError) {
    do throws(KernelError) { try send(batch) } catch { throw .kernel(error) }
  }
}

extension TableLoader {
  fileprivate static func make(
    _ bytes: ArraySlice<UInt8>, _ table: RecordedTable
  ) throws(LoadError) -> TableLoader {
    do throws(MalformedAttribute) {
      return try TableLoader(bytes, table)
    } catch { throw .malformed(error, in: table) }
  }

  fileprivate mutating func add(_ step: Step, to batch: inout Batch) throws(LoadError) {
    do throws(MalformedAttribute) {
      try write(step, to: &batch)
    } catch { throw .malformed(error, in: table) }
  }
}

extension TableLoader {
  fileprivate func checkNothingLeft() throws(LoadError) {
    do throws(MalformedAttribute) {
      try finish()
    } catch { throw .malformed(error, in: table) }
  }
}

extension LoadError {
  fileprivate static func malformed(
    _ error: MalformedAttribute, in table: RecordedTable
  ) -> LoadError {
    .snapshot(
      .message(
        offset: table.table.lowerBound, problem: "table \(table.identifier): \(error.place)"))
  }
}

extension Ruleset {
  /// What a copy of these tables may do otherwise than they did, one sentence each.
  fileprivate var loadingNotes: [String] {
    var notes: [String] = []
    for table in tables where table.flags & UInt32(NFT_TABLE_F_OWNER.rawValue) != 0 {
      notes.append(
        "table \(table.family.keyword) \(table.name) is owned by a program; the copy is not")
    }
    for (index, table) in tables.enumerated() {
      for later in tables[(index + 1)...] where table.family.sharesPackets(with: later.family) {
        for chain in table.chains {
          for other in later.chains where chain.hook != nil {
            guard chain.hook?.hook == other.hook?.hook,
              chain.hook?.priority == other.hook?.priority
            else { continue }
            notes.append(
              "chains \(chain.name) of table \(table.family.keyword) \(table.name) and"
                + " \(other.name) of table \(later.family.keyword) \(later.name) have the same"
                + " hook and priority; which runs first is not recorded, and in the copy the"
                + " second does")
          }
        }
      }
    }
    return notes
  }
}

extension TableFamily {
  /// Whether a packet can meet chains of both families.
  fileprivate func sharesPackets(with other: TableFamily) -> Bool {
    let both: Set = [self, other]
    return self == other || both == [.inet, .ip] || both == [.inet, .ip6]
  }
}
