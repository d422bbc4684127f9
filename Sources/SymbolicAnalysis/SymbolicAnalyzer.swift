public import Bytecode
import NetworkTypes
public import PacketSets

/// Decides what a ruleset does with every packet at once.
///
/// Rules become functions from packets to everything that may become of them; chains are composed
/// once, base chains run by priority, and what the model does not know yields several outcomes and
/// a cause. Nothing is shared with the interpreter.
///
/// Source: `nft_do_chain`, `net/netfilter/nf_tables_core.c`; `nf_hook_slow`,
/// `net/netfilter/core.c`.
/// Example:
/// ```
/// var analyzer = SymbolicAnalyzer(ruleset, AnalysisFacts())
/// let egress = try analyzer.analyze(.egress)
/// let leaves = egress.mayPass
/// ```
public struct SymbolicAnalyzer: ~Copyable {
  /// The arena of all results; make a policy's packet set in it to compare.
  public var diagrams: PacketDiagrams

  let ruleset: Ruleset
  let host: AnalysisFacts
  let table = OutcomeTable()
  var tables: [ValueTable] = []
  let links: LinkTable
  /// The level that every `socket cgroupv2` load asks for; nil when they differ.
  let cgroupLevel: UInt32?
  /// Whether rules ask for the cgroup of any level.
  let hasCgroupLevels: Bool
  var selectors: [SelectorKey: SetSelector] = [:]
  var chainFunctions: [ChainKey: Diagram] = [:]
  var openChains: Set<ChainKey> = []
  var dynamicSets: Set<SetName> = []
  /// Where the analysis is, for causes.
  var place: Cause.Place?
  var beforeMemo: [BeforeKey: Diagram] = [:]
  var operationNumbers: [OperationKey: Int32] = [:]
  var setIndex: [SetName: Int] = [:]
  var chainIndex: [SetName: Int] = [:]
  var presence: [PresenceKey: Diagram] = [:]

  /// Prepares an analysis; nothing is computed yet.
  ///
  /// - Parameters:
  ///   - ruleset: the rules.
  ///   - host: what is known of the host.
  ///   - budget: how much the analysis may cost.
  ///   - sampling: lets a few addresses stand for all; look afterwards whether it was faithful.
  public init(
    _ ruleset: Ruleset, _ host: AnalysisFacts = AnalysisFacts(),
    budget: DiagramBudget = DiagramBudget(), sampling: AddressSampling? = nil
  ) {
    self.init(ruleset, host, numberedFor: ruleset, budget: budget, sampling: sampling)
  }

  /// Prepares an analysis whose numbers for links and control groups are those of `vocabulary`, which
  /// has all tables of the ruleset and maybe more.
  init(
    _ ruleset: Ruleset, _ host: AnalysisFacts, numberedFor vocabulary: Ruleset,
    budget: DiagramBudget, sampling: AddressSampling? = nil
  ) {
    self.ruleset = ruleset
    self.host = host
    diagrams = PacketDiagrams(budget: budget, sampling: sampling)
    links = LinkTable(vocabulary, host)
    let cgroups = CgroupTable(vocabulary)
    cgroupLevel = cgroups.level
    hasCgroupLevels = cgroups.hasLevels
    for (index, table) in ruleset.tables.enumerated() {
      for (place, set) in table.sets.enumerated() {
        setIndex[SetName(table: index, name: set.name)] = place
      }
      for (place, chain) in table.chains.enumerated() {
        chainIndex[SetName(table: index, name: chain.name)] = place
        for rule in chain.rules {
          for expression in rule.expressions {
            if let name = expression.changedSet {
              dynamicSets.insert(SetName(table: index, name: name))
            }
          }
        }
      }
    }
    tables = [
      ValueTable(
        field: .conntrackState,
        rows: [1, 2, 4, 8, 64].map { [UInt8($0), 0, 0, 0] }),
      ValueTable(field: .family, rows: [[2], [10]]),
      ValueTable(field: .family, rows: [[8, 0], [0x86, 0xdd]]),
      ValueTable(field: .firstNextHeader, rows: (0...255).map { [$0 == 0 ? 1 : 0] }),
      ValueTable(field: .inputInterface, rows: links.indexRows),
      ValueTable(field: .inputInterface, rows: links.nameRows),
      ValueTable(field: .outputInterface, rows: links.indexRows),
      ValueTable(field: .outputInterface, rows: links.nameRows),
      ValueTable(field: .socketCgroup, rows: cgroups.rows),
    ]
  }

  /// A number for a cause at the present place.
  func cause(_ reason: String) -> Int32 {
    table.number(Cause(place: place, reason: reason))
  }

  /// A number for an operation of a kind on a change, the same each time.
  mutating func operationNumber(_ kind: OperationKey.Kind, _ change: Int32) -> Int32 {
    let key = OperationKey(kind: kind, change: change)
    if let known = operationNumbers[key] { return known }
    let number = diagrams.makeOperationNumber()
    operationNumbers[key] = number
    return number
  }

  /// The first function, and the second where the first lets the packet go on.
  mutating func sequence(
    _ first: Diagram, _ second: Diagram
  ) throws(PacketSetError) -> Diagram {
    var open: Set<Int32> = [0]
    if table.changes.count > 1 {
      open = []
      for value in diagrams.values(of: first) { open.formUnion(table.outcomes[value].next) }
    }
    if open == [0] || open.isEmpty {
      var operation = SequenceOperation(
        number: operationNumber(.sequence, 0), table: table, change: 0, isMarked: false)
      return try diagrams.apply(first, second, &operation)
    }
    var result = first
    for change in open.sorted() {
      let moved = try before(change, second)
      var operation = SequenceOperation(
        number: operationNumber(.markedSequence, change), table: table, change: change,
        isMarked: true)
      result = try diagrams.apply(result, moved, &operation)
    }
    return try mapOutcomes(result) { outcome in
      outcome.next = outcome.later
      outcome.later = []
    }
  }

  /// A function of the changed packet as a function of the packet before the change.
  mutating func before(
    _ change: Int32, _ function: Diagram
  ) throws(PacketSetError) -> Diagram {
    guard change != 0 else { return function }
    let key = BeforeKey(change: change, function: function)
    if let known = beforeMemo[key] { return known }
    let value = table.changes[Int(change)]
    var join = EitherOperation(
      number: operationNumber(.either, change), table: table, causes: value.causes)
    let result = try diagrams.before(value.fields, function, joining: &join)
    beforeMemo[key] = result
    return result
  }

  /// Either function, for a cause.
  mutating func either(
    _ a: Diagram, _ b: Diagram, _ causes: [Int32]
  ) throws(PacketSetError) -> Diagram {
    var join = EitherOperation(
      number: diagrams.makeOperationNumber(), table: table, causes: causes)
    return try diagrams.apply(a, b, &join)
  }

  /// The function with every outcome changed.
  mutating func mapOutcomes(
    _ function: Diagram, _ body: (inout Outcome) -> Void
  ) throws(PacketSetError) -> Diagram {
    let table = self.table
    return try diagrams.mapValues(function) { value in
      var outcome = table.outcomes[value]
      body(&outcome)
      return table.number(outcome)
    }
  }

  /// A list of functions in sequence, as a balanced tree.
  mutating func sequence(_ functions: [Diagram]) throws(PacketSetError) -> Diagram {
    guard !functions.isEmpty else { return .constant(OutcomeTable.goesOn) }
    var row = functions
    while row.count > 1 {
      var shorter: [Diagram] = []
      shorter.reserveCapacity((row.count + 1) / 2)
      for index in stride(from: 0, to: row.count - 1, by: 2) {
        shorter.append(try sequence(row[index], row[index + 1]))
      }
      if row.count % 2 == 1, let last = row.last { shorter.append(last) }
      row = shorter
    }
    return row[0]
  }
}

/// A set or chain of a table.
struct SetName: Hashable {
  var table: Int
  var name: String
}

/// A function before a change.
struct BeforeKey: Hashable {
  var change: Int32
  var function: Diagram
}

/// An operation that keeps its number.
struct OperationKey: Hashable {
  enum Kind { case sequence, markedSequence, either }
  var kind: Kind
  var change: Int32
}

extension Expression {
  /// The set that the expression adds elements to or deletes them from.
  var changedSet: String? {
    if case .dynamicSet(let change) = self { return change.set }
    return nil
  }
}
