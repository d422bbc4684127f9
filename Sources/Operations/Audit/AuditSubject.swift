import Bytecode
import BytecodeInterpreter
import Hashing
import HostFacts
import NetfilterLink
import NetworkTypes
import PolicyLanguage
import PolicyMeaning
import SymbolicAnalysis

/// What an audit judges: a snapshot with its host facts, and the policy.
struct AuditSubject {
  let policy: Policy
  let snapshot: LoadedSnapshot
  /// The rules that packets of the IP stack meet: the snapshot's, without seals.
  let ruleset: Ruleset
  let host: HostState
  /// Keys and sections of the snapshot that this weir does not know.
  let unread: [String]
  /// What the policy's names resolve to.
  let names: NameAnswers
  /// Where the answers of names come from, for the report; nil when the policy has no names.
  let namesOrigin: String?
  /// `live`, or the file.
  let source: String
  /// The name of weir's own table.
  let tableName: String
  /// The place that was read.
  let target: InstallTarget
  /// The scope whose packets are judged; nil for all.
  let packetScope: AuditScope?

  /// Reads the snapshot that the request names, or takes one.
  init(_ request: AuditRequest, _ progress: (String) -> Void) throws(OperationFailure) {
    policy = request.policy.policy
    tableName = request.target.table
    target = request.target
    let loaded: LoadedSnapshot
    if let file = request.snapshotFile {
      source = file
      loaded = try readSnapshot(file)
    } else {
      source = "live"
      progress("reading the kernel …")
      loaded = try LoadedSnapshot(justTaken: takeSnapshot(of: request.target.namespace))
    }
    snapshot = loaded
    ruleset = loaded.ruleset.withoutSeals
    var unread = loaded.unknownSections.map { "section \($0)" }
    host = loaded.hostState
    unread += loaded.host?.unknownKeys ?? []
    self.unread = unread
    var scope: AuditScope?
    if let named = request.scope { scope = try AuditScope(named, loaded.ruleset, request) }
    packetScope = scope
    (names, namesOrigin) = policy.answersForAudit(
      request.pins, loaded.ruleset, scope == nil ? tableName : target.scopes.name)
  }

  /// SHA-256 of the messages that were judged: the snapshot's section `nftables`.
  var rulesetDigest: String {
    var hash = SHA256()
    hash.update(contentsOf: Array(snapshot.recorded.messages).span)
    return hash.hexDigest()
  }

  /// Tables, chains and rules in numbers.
  var scope: String {
    let tables = snapshot.ruleset.tables
    let chains = tables.flatMap(\.chains)
    return "\(tables.count) tables, \(chains.count) chains,"
      + " \(chains.reduce(0) { $0 + $1.rules.count }) rules"
  }

  /// The kernel's quirks as the analysis knows them, and a remark where they are a guess.
  var quirks: (analysis: KernelQuirks, interpreter: KernelBehaviour, remark: String?) {
    snapshot.quirks
  }

  /// What the symbolic analysis may know of the host.
  var analysisFacts: AnalysisFacts { snapshot.analysisFacts }
}

extension Policy {
  /// What names resolve to: as pinned, or as weir's table has it, within what each name may be.
  func answersForAudit(
    _ pins: NamePins, _ ruleset: Ruleset, _ tableName: String
  ) -> (NameAnswers, String?) {
    let references = (allow + deny).flatMap { $0.destination?.names ?? [] }
    guard !references.isEmpty else { return (NameAnswers(), nil) }
    let table = ruleset.tables.first { $0.family == .inet && $0.name == tableName }
    var answers: [String: Set<IPAddress>] = [:]
    var installed = 0
    for reference in references where answers[reference.name] == nil {
      if let pinned = pins.addresses[reference.name] {
        answers[reference.name] = Set(pinned.filter { reference.accepts($0) })
        continue
      }
      let live = table?.installedAddresses(of: reference.name) ?? []
      installed += live.count
      answers[reference.name] = live.filter { reference.accepts($0) }
    }
    let origin =
      installed > 0
      ? "names mean the addresses in table inet \(tableName) that lie within what each may be"
      : pins.addresses.isEmpty
        ? "names mean no address; give them with --resolve" : "names mean the addresses given"
    return (NameAnswers(answers), origin)
  }
}

extension Table {
  /// The addresses in the sets of a name, in whatever generation.
  fileprivate func installedAddresses(of name: String) -> Set<IPAddress> {
    sets.filter { $0.name.hasSuffix("/name4/\(name)") || $0.name.hasSuffix("/name6/\(name)") }
      .reduce(into: []) { $0.formUnion($1.singleAddresses) }
  }
}

extension NamedSet {
  /// The addresses that it holds one by one.
  var singleAddresses: Set<IPAddress> {
    switch content {
    case .ipv4(let addresses):
      Set(addresses.intervals.filter { $0.first == $0.last }.map { .v4($0.first) })
    case .ipv6(let addresses):
      Set(addresses.intervals.filter { $0.first == $0.last }.map { .v6($0.first) })
    case .elements(let elements):
      Set(elements.filter { $0.keyEnd == nil }.compactMap { IPAddress(networkOrderBytes: $0.key) })
    }
  }
}
