import Bytecode
import HostFacts
import LinuxSystem
import NetfilterLink
import NetworkTypes
import RuleCompiler
import SymbolicAnalysis

/// Which packets change verdict by an installation, every table of the host counted in.
public struct ChangesReport: Encodable, Sendable {
  /// The comparison of the rules before with those that would be; nil where it was not made.
  public internal(set) var expected: DiffReport?
  /// The comparison of the rules before with those read back afterwards; nil where it was not made,
  /// as in a dry run.
  public internal(set) var seen: DiffReport?
  /// Why nothing was compared; nil where it was.
  public internal(set) var omission: String?

  /// Whether the rules that were read back change exactly what was announced; nil where one of the
  /// two was not compared.
  public var isAsExpected: Bool? {
    guard let expected, let seen else { return nil }
    return expected.differences.map(\.scope) == seen.differences.map(\.scope)
      && expected.causes == seen.causes
  }

  enum CodingKeys: String, CodingKey { case expected, seen, omission }
}

/// Compares the rules of a host before, during the planning, and after an installation.
struct ApplyChanges {
  /// More elements of sets, or bytes of messages, than this are not compared unasked: `weir diff` does
  /// it, and takes its time.
  static let mostElements = 4096
  static let mostBytes = 1 << 20
  /// Intervals of decision diagrams at most: a fraction of a second.
  private static let intervalBudget = 4 << 20

  private var before: LoadedSnapshot?
  private let host: HostState
  private(set) var report = ChangesReport()

  /// Reads the rules, and compares them with what they would be.
  ///
  /// - Parameters:
  ///   - session: the kernel.
  ///   - host: the namespace's links, addresses and routes.
  ///   - compiled: the table to install.
  /// - Throws: what the kernel refuses.
  init(
    _ session: inout NetfilterSession<NetlinkSocket>, on host: HostState,
    installing compiled: Table
  ) throws {
    self.host = host
    let elements = compiled.sets.reduce(0) { $0 + $1.content.count }
    guard elements <= Self.mostElements else {
      report.omission = "\(elements) elements of sets; weir diff compares them"
      return
    }
    guard let before = try Self.read(&session) else {
      report.omission = "the rules of this host are many; weir diff compares them"
      return
    }
    self.before = before
    var tables = before.ruleset.tables
    let place = tables.firstIndex { $0.family == compiled.family && $0.name == compiled.name }
    if let place {
      guard tables[place].comment == CompiledPolicy.tableComment else {
        report.omission = "the table is not weir's"
        return
      }
      tables[place] = compiled
    } else {
      tables.append(compiled)
    }
    report.expected = compare(before, Ruleset(tables: tables), "the policy")
  }

  /// Nothing is compared.
  init(leftOut reason: String) {
    host = HostState(unknown: reason)
    report.omission = reason
  }

  /// Reads the rules again, and compares them with those before.
  mutating func lookAgain(_ session: inout NetfilterSession<NetlinkSocket>) throws {
    guard let before else { return }
    guard let after = try Self.read(&session) else {
      report.omission = "the rules of this host have become many; weir diff compares them"
      return
    }
    report.seen = compare(before, after.ruleset, "afterwards")
  }

  private func compare(_ before: LoadedSnapshot, _ after: Ruleset, _ name: String) -> DiffReport {
    let ways: [PacketWay] =
      host.mayForward ? [.egress, .forwarding, .ingress] : [.egress, .ingress]
    let report = DiffReport(
      a: DiffSource(kind: "live", name: "before"), b: DiffSource(kind: "live", name: name),
      ways: ways.map(\.name))
    let sides = (
      DiffSide(before.ruleset, onKernelOf: before), DiffSide(after, onKernelOf: before)
    )
    var comparer = DiffComparer(
      sides, on: host.analysisFacts, ways: ways, filling: report, budget: Self.intervalBudget)
    comparer.compareAll { _ in }
    return comparer.report
  }

  /// The rules that are there; nil when they are too many.
  private static func read(
    _ session: inout NetfilterSession<NetlinkSocket>
  ) throws -> LoadedSnapshot? {
    let recorded = try session.recordRuleset()
    guard recorded.messages.count <= mostBytes else { return nil }
    return try LoadedSnapshot(
      justTaken: SnapshotFile(
        kernelRelease: ProcessFacts.kernelRelease(), machine: ProcessFacts.machine(),
        generation: recorded.generation,
        sections: [SnapshotFile.Section(name: "nftables", bytes: recorded.messages)]))
  }
}

extension Difference {
  /// What packets it is about, without the rules that decide.
  fileprivate var scope: [String] {
    ["\(way) \(family) \(passesIn.rawValue) \(moreRegions)"] + regions.map(\.region)
  }
}
