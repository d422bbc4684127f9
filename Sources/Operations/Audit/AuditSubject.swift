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

  /// Reads the snapshot that the request names, or takes one.
  init(_ request: AuditRequest, _ progress: (String) -> Void) throws(OperationFailure) {
    policy = request.policy.policy
    tableName = request.target.table
    let loaded: LoadedSnapshot
    if let file = request.snapshotFile {
      source = file
      loaded = try readSnapshot(file)
    } else {
      source = "live"
      progress("reading the kernel …")
      let file = try takeSnapshot(of: request.target.namespace)
      do {
        loaded = try LoadedSnapshot(file)
      } catch {
        throw OperationFailure(.internalError, "the snapshot that was just taken: \(error)")
      }
    }
    snapshot = loaded
    var unread = loaded.unknownSections.map { "section \($0)" }
    host = loaded.host?.state ?? HostState(unknown: "not in the snapshot")
    unread += loaded.host?.unknownKeys ?? []
    self.unread = unread
    (names, namesOrigin) = policy.answersForAudit(request.pins, loaded.ruleset, tableName)
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
    let release = snapshot.kernelRelease
    let parts = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    guard parts.count == 2 else {
      return (.linux6_18, .linux6_18, "kernel \(release) is taken to behave as 6.18 does")
    }
    switch (parts[0], parts[1]) {
    case (6, 12): return (.linux6_18, .linux6_12, nil)
    case (6, 18): return (.linux6_18, .linux6_18, nil)
    case (7, 3): return (.linux7_3, .linux7_3, nil)
    case (7, 4...), (8..., _):
      return (.linux7_3, .linux7_3, "kernel \(release) is taken to behave as 7.3 does")
    default:
      return (.linux6_18, .linux6_18, "kernel \(release) is taken to behave as 6.18 does")
    }
  }

  /// What the symbolic analysis may know of the host.
  var analysisFacts: AnalysisFacts {
    var facts = AnalysisFacts(kernel: quirks.analysis)
    facts.links = host.links.value?.map {
      Link(index: UInt32(bitPattern: $0.index), name: $0.name)
    }
    // With VRFs the kernel asks a table of the link's; then what is local depends on the link.
    let hasVRF = host.links.value?.contains { $0.kind == "vrf" } ?? true
    if !hasVRF, let routes = host.routes.value {
      facts.localAddresses = routes.addresses(ofKind: 2)
      facts.broadcastAddresses = routes.addresses(ofKind: 3).v4
    }
    return facts
  }
}

extension [HostRoute] {
  /// The addresses that routes of the local table call so.
  fileprivate func addresses(ofKind kind: UInt8) -> AddressSet {
    var v4: [Interval<UInt32>] = []
    var v6: [Interval<UInt128>] = []
    for route in self where route.kind == kind && route.table == 255 {
      switch route.destination {
      case .v4(let bits):
        let rest = route.prefixLength >= 32 ? 0 : UInt32.max >> UInt32(route.prefixLength)
        v4.append(Interval(bits, bits | rest))
      case .v6(let bits):
        let rest = route.prefixLength >= 128 ? 0 : UInt128.max >> UInt128(route.prefixLength)
        v6.append(Interval(bits, bits | rest))
      }
    }
    return AddressSet(v4: IntervalSet(v4), v6: IntervalSet(v6))
  }
}

extension Policy {
  /// What names resolve to: as pinned, or as weir's table has it, within what each name may be.
  fileprivate func answersForAudit(
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
    var found: Set<IPAddress> = []
    for set in sets
    where set.name.hasSuffix("/name4/\(name)") || set.name.hasSuffix("/name6/\(name)") {
      switch set.content {
      case .ipv4(let addresses):
        for interval in addresses.intervals where interval.first == interval.last {
          found.insert(.v4(interval.first))
        }
      case .ipv6(let addresses):
        for interval in addresses.intervals where interval.first == interval.last {
          found.insert(.v6(interval.first))
        }
      case .elements(let elements):
        for element in elements where element.keyEnd == nil {
          if let address = IPAddress(networkOrderBytes: element.key) { found.insert(address) }
        }
      }
    }
    return found
  }
}
