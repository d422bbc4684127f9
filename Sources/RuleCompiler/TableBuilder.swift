import Bytecode
import NetworkTypes
import PolicyLanguage

/// Pass 4: writes the table of one generation.
///
/// The way of a packet, and the file that writes each step:
///
///     base chain ─▶ generation map ─▶ g/out ─▶ dispatch by family, state, protocol   (+Entry)
///       established ─▶ accept           new ─▶ g/new4, g/new6 ─▶ class of the address (+Classes)
///       large lists ─▶ shard ─▶ hash and interval sets                                (+Shards)
///       class chain ─▶ names, link facts, ports ─▶ accept or g/deny/<clause>          (+Denials)
///     timeouts of new flows                                                           (+Idle)
struct TableBuilder {
  let plan: TablePlan
  let generation: Int
  let answers: [String: [IPAddress]]
  var entryComment: String?

  var sets: [NamedSet] = []
  var chains: [Chain] = []
  /// Names of the chains that ``addChain(_:comment:_:)`` wrote.
  private(set) var chainNames: Set<String> = []
  /// Clauses that some chain denies with, in the order of first use, and what they answer.
  var denials: [Denial] = []
  /// The clauses among them, by direction.
  var knownDenials: Set<DenialKey> = []
  /// Class chains written so far, by family and terms.
  var classVerdicts: [ClassKey: Verdict] = [:]
  /// Names of the content-named sets added so far.
  var sharedSetNames: Set<String> = []
  /// Their names by what of the plan they hold: to digest a million addresses takes a while.
  var sharedSetNameByPart: [SharedSetPart: String]
  var anonymousSetCount = 0
  var anonymousMapCount = 0

  init(
    plan: TablePlan, generation: Int, answers: [String: [IPAddress]],
    sharedSetNameByPart: [SharedSetPart: String] = [:]
  ) {
    self.plan = plan
    self.sharedSetNameByPart = sharedSetNameByPart
    self.generation = generation
    self.answers = answers
  }

  var policy: Policy { plan.policy }

  /// A name of this generation: `g1/out`.
  func name(_ suffix: String) -> String { "g\(generation)/\(suffix)" }

  mutating func build() -> Table {
    addNameSets()
    addClassifier4()
    addClassifier6()
    addNewFlowChains()
    addOutEntry()
    addInEntry()
    addDenialChains()
    addBaseChains()
    return Table(
      family: .inet, name: plan.tableName, comment: CompiledPolicy.tableComment,
      counters: counters, objects: idleObjects, sets: sets, chains: chains)
  }

  mutating func addChain(_ suffix: String, comment: String? = nil, _ rules: [Rule]) {
    let name = name(suffix)
    chainNames.insert(name)
    chains.append(Chain(name: name, comment: comment, rules: rules))
  }

  /// Adds a set that lives and dies with the one rule that uses it.
  mutating func anonymousSet(
    _ key: KeyType, isInterval: Bool, _ elements: [SetElement]
  ) -> String {
    let name = "__set\(anonymousSetCount)"
    anonymousSetCount += 1
    sets.append(
      NamedSet(
        name: name,
        flags: isInterval ? [.anonymous, .constant, .interval] : [.anonymous, .constant],
        key: [key], content: .elements(elements)))
    return name
  }

  /// Adds a verdict map that lives and dies with the one rule that uses it.
  mutating func anonymousMap(
    _ key: KeyType, isInterval: Bool, _ elements: [SetElement]
  ) -> String {
    let name = "__map\(anonymousMapCount)"
    anonymousMapCount += 1
    let flags: SetFlags =
      isInterval ? [.anonymous, .constant, .map, .interval] : [.anonymous, .constant, .map]
    sets.append(
      NamedSet(
        name: name, flags: flags, key: [key], isVerdictMap: true, content: .elements(elements)))
    return name
  }

  /// Where a packet goes that a term decides.
  mutating func verdict(of term: Term) -> Verdict {
    switch term.decision {
    case .allow: .accept
    case .deny: deny(term.clause, at: term.location)
    }
  }

  func rule(_ parts: [[Expression]], _ verdict: Verdict) -> Rule {
    Rule(parts.flatMap { $0 } + [Match.verdict(verdict)])
  }
}
