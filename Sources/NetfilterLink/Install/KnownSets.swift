import Bytecode

/// What a read has told of a table's named sets, and the ruleset's generation for which it holds.
///
/// Each transaction of anybody moves the generation by one. Where ours are accepted only at the
/// generation that we expect, and the next read meets the generation that they lead to, nobody
/// else has changed anything since the read before: of the sets that we did not touch ourselves
/// the elements need not be read again. Any other generation, and a transaction without such a
/// condition or with lost replies, and all of them are read.
///
/// Source: `nf_tables_valid_genid`, `nf_tables_commit`, `net/netfilter/nf_tables_api.c`.
struct KnownSets {
  private let table: TableIdentifier
  /// The generation for which this holds.
  private(set) var generation: UInt32
  private var contents: [String: SetContent] = [:]

  /// What a snapshot of a table tells.
  ///
  /// Nothing is known where something was read that is not modelled: it may belong to an element.
  /// Anonymous sets are left out: the kernel gives their names again.
  init(of live: Table?, _ table: TableIdentifier, _ generation: UInt32) {
    self.table = table
    self.generation = generation
    guard let live, live.unknown.isEmpty else { return }
    for set in live.sets where !set.flags.contains(.anonymous) && set.unknown.isEmpty {
      contents[set.name] = set.content
    }
  }

  /// The contents of a set whose description was just read; nil when its elements must be read.
  ///
  /// Packets and time may change the elements of some kinds of sets; nothing is known of those.
  func content(of place: RulesetBuilder.SetPlace) -> SetContent? {
    guard place.table == table, place.set.flags.isDisjoint(with: [.timeout, .evaluated]) else {
      return nil
    }
    return contents[place.set.name]
  }

  /// Takes the storage of sets that were found equal to the compiled ones.
  ///
  /// One copy stays in memory, and the next comparison finds the same storage at once.
  mutating func adopt(_ compiled: Table) {
    for set in compiled.sets where GenerationName.isShared(set.name) {
      if contents[set.name] != nil { contents[set.name] = set.content }
    }
  }

  /// What is known after transactions of ours.
  ///
  /// - Parameters:
  ///   - changes: what they changed.
  ///   - condition: the generation that the first of them asked for.
  ///   - commits: how many there were.
  /// - Returns: nil for nothing.
  func after(
    _ changes: [Change], ifGeneration condition: UInt32?, commits: UInt32
  ) -> KnownSets? {
    if commits == 0 { return self }
    guard condition == generation else { return nil }
    var known = self
    known.generation = generation.advancedGeneration(by: commits)
    for change in changes {
      switch change {
      case .addSet(let set), .addElements(let set), .deleteElements(let set):
        known.contents[set.name] = nil
      case .flushSet(let name), .deleteSet(let name): known.contents[name] = nil
      case .deleteTable: return nil
      case .addTable, .addChain, .flushChain, .deleteChain, .addCounter, .addObject, .deleteObject,
        .deleteCounter,
        .addRule:
        continue
      }
    }
    return known
  }
}
