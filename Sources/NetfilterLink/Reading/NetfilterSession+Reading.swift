public import Bytecode
import CNetfilter
import Glibc

/// Which table.
public struct TableIdentifier: Hashable, Sendable {
  /// The family.
  public var family: TableFamily
  /// The name.
  public var name: String

  /// Names a table.
  public init(family: TableFamily, name: String) {
    self.family = family
    self.name = name
  }
}

extension TableIdentifier: CustomStringConvertible {
  /// `inet weir`.
  public var description: String { "\(family.keyword) \(name)" }
}

/// A ruleset as it was at one generation.
public struct Snapshot: Hashable, Sendable {
  /// What the kernel held.
  public var ruleset: Ruleset
  /// The generation it was read at.
  public var generation: UInt32
}

extension NetfilterSession where Transport: ~Copyable {
  /// So many times a read is begun anew when somebody changes the ruleset meanwhile.
  private static var readAttempts: Int { 20 }

  /// Reads every table of the namespace.
  ///
  /// - Returns: all tables; what is not modelled is in their `unknown`.
  /// - Throws: ``KernelError``; ``KernelError/Cause/keepsChanging(attempts:)`` when no attempt saw
  ///   one generation throughout.
  public mutating func readRuleset() throws(KernelError) -> Ruleset {
    try readSnapshot().ruleset
  }

  /// Reads one table.
  ///
  /// - Returns: the table with handles; nil when there is none of that name.
  /// - Throws: as ``readRuleset()``.
  public mutating func readTable(
    family: TableFamily, name: String
  ) throws(KernelError) -> Table? {
    let only = TableIdentifier(family: family, name: name)
    return try readSnapshot(of: only).ruleset.tables.first
  }

  /// Reads every table, or one, together with the generation.
  ///
  /// The generation is asked for before and after, and every message in between must carry it: the
  /// kernel marks interrupted dumps of rules, but never of set elements.
  ///
  /// - Parameter only: the table; nil for all.
  /// - Returns: the tables that exist.
  /// - Throws: as ``readRuleset()``.
  public mutating func readSnapshot(
    of only: TableIdentifier? = nil
  ) throws(KernelError) -> Snapshot {
    try readSnapshot(of: only, knowing: nil)
  }

  /// Reads every table, or one, but no elements of sets that are known at the generation met.
  mutating func readSnapshot(
    of only: TableIdentifier?, knowing known: KnownSets?
  ) throws(KernelError) -> Snapshot {
    let (ruleset, generation) = try atOneGeneration { session, generation throws(KernelError) in
      try session.readTables(
        only, generation: generation, knowing: known?.generation == generation ? known : nil)
    }
    return Snapshot(ruleset: ruleset, generation: generation)
  }

  /// Every table by name, also those of other programs.
  ///
  /// - Returns: in the kernel's order.
  /// - Throws: as ``readRuleset()``.
  public mutating func tableNames() throws(KernelError) -> [TableIdentifier] {
    try atOneGeneration { session, generation throws(KernelError) in
      Ruleset(
        tables: try session.readTableHeaders(
          nil, generation: UInt16(generation & 0xffff)))
    }.value.tables.map { TableIdentifier(family: $0.family, name: $0.name) }
  }

  /// Reads a table's named counters and nothing else.
  ///
  /// - Returns: the counters in the kernel's order; empty when the table is not there.
  /// - Throws: as ``readRuleset()``.
  public mutating func readCounters(
    family: TableFamily, table: String
  ) throws(KernelError) -> [NamedCounter] {
    let only = TableIdentifier(family: family, name: table)
    return try atOneGeneration { session, generation throws(KernelError) in
      var builder = RulesetBuilder(tables: [Table(family: family, name: table)])
      try session.readObjects(
        only, generation: UInt16(generation & 0xffff), into: &builder)
      return Ruleset(tables: builder.tables)
    }.value.tables.flatMap(\.counters)
  }

  /// Repeats a read until one generation held before it, after it and in every message.
  ///
  /// - Throws: ``KernelError/Cause/keepsChanging(attempts:)``; what `read` throws otherwise.
  mutating func atOneGeneration<Value>(
    _ read: (inout Self, UInt32) throws(KernelError) -> Value
  ) throws(KernelError) -> (value: Value, generation: UInt32) {
    for _ in 0..<Self.readAttempts {
      let before = try readGeneration()
      do {
        let value = try read(&self, before)
        if try readGeneration() == before { return (value, before) }
      } catch {
        switch error.cause {
        case .generationMoved, .repliesLost: continue
        case .refused(ENOENT), .refused(EINTR): continue
        default: throw error
        }
      }
    }
    throw KernelError(
      operation: "reading the ruleset", cause: .keepsChanging(attempts: Self.readAttempts))
  }

  private mutating func readTables(
    _ only: TableIdentifier?, generation: UInt32, knowing known: KnownSets?
  ) throws(KernelError) -> Ruleset {
    let low = UInt16(generation & 0xffff)
    var builder = try readDeclarations(only, low)
    guard !builder.tables.isEmpty else { return Ruleset() }
    for place in builder.setPlaces {
      if let content = known?.content(of: place) {
        builder.finish(place, content)
      } else {
        try readElements(place, low, into: &builder)
      }
    }
    try request(.all(.getRule, of: only, low)) { message, reply throws(MalformedAttribute) in
      try builder.addRule(message, reply)
    }
    try readObjects(only, generation: low, into: &builder)
    try readFlowtables(only, low, into: &builder)
    return Ruleset(tables: builder.tables)
  }

  /// The tables with their chains and sets, without rules and elements.
  mutating func readDeclarations(
    _ only: TableIdentifier?, _ generation: UInt16
  ) throws(KernelError) -> RulesetBuilder {
    var builder = RulesetBuilder(tables: try readTableHeaders(only, generation: generation))
    guard !builder.tables.isEmpty else { return builder }
    try request(.all(.getChain, of: only, generation)) {
      message, reply throws(MalformedAttribute) in
      try builder.addChain(message, reply)
    }
    try request(.all(.getSet, of: only, generation)) {
      message, reply throws(MalformedAttribute) in
      try builder.addSet(message, reply)
    }
    return builder
  }

  mutating func readFlowtables(
    _ only: TableIdentifier?, _ generation: UInt16, into builder: inout RulesetBuilder
  ) throws(KernelError) {
    do {
      try request(.all(.getFlowtable, of: only, generation)) {
        message, reply throws(MalformedAttribute) in
        try builder.addFlowtable(message, reply)
      }
    } catch {
      // Kernels without flowtables refuse the question; then there are none.
      guard error.errorNumber == EOPNOTSUPP || error.errorNumber == EINVAL else { throw error }
    }
  }

  private mutating func readTableHeaders(
    _ only: TableIdentifier?, generation: UInt16
  ) throws(KernelError) -> [Table] {
    var tables: [Table] = []
    try request(
      Request(kind: .getTable, family: only?.family, generation: generation)
    ) { message, reply throws(MalformedAttribute) in
      let table = try Table(message, reply)
      let identifier = TableIdentifier(family: table.family, name: table.name)
      if only == nil || only == identifier { tables.append(table) }
    }
    return tables
  }

  mutating func readElements(
    _ place: RulesetBuilder.SetPlace, _ generation: UInt16, into builder: inout RulesetBuilder
  ) throws(KernelError) {
    var collector = ElementCollector(place.set)
    try request(.elements(of: place, generation)) { message, reply throws(MalformedAttribute) in
      try collector.add(message, reply)
    }
    builder.finish(place, collector)
  }

  mutating func readObjects(
    _ only: TableIdentifier?, generation: UInt16, into builder: inout RulesetBuilder
  ) throws(KernelError) {
    try request(.all(.getObject, of: only, generation)) {
      message, reply throws(MalformedAttribute) in
      try builder.addObject(message, reply)
    }
  }
}
