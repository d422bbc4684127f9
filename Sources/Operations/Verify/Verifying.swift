import Bytecode
import ConnectionReplay
import LinuxSystem
import NetfilterLink
import NetworkTypes
import PolicyLanguage
import PolicyMeaning
import RuleCompiler

/// What to verify, and how far.
public struct VerifyRequest: Sendable {
  /// The policy.
  public var policy: LoadedPolicy
  /// Whose packets it is verified for.
  public var scope = VerifiedScope.host
  /// Which rungs to climb.
  public var rungs: Set<Rung> = Set(Rung.allCases)
  /// Addresses of names; others are made up inside each name's `within`.
  public var pins = NamePins()
  /// A file of further cases.
  public var caseFile: String?
  /// At most so many generated probes, 1…200 000.
  public var probeCap = 60_000
  /// Whether the packet rung also asks which rule decided; without, it is several times faster.
  public var tracesPackets = true
  /// At most so many conversations beside the tests.
  public var conversationCap = 2000

  /// Verifies everything.
  public init(policy: LoadedPolicy) { self.policy = policy }
}

/// Replays a policy on every rung asked for.
///
/// Kernel rungs make network namespaces of their own; as an ordinary user the process enters a user
/// namespace first, so call this before any second thread exists.
///
/// - Parameters:
///   - request: what to do.
///   - progress: is called with one line of text now and then.
/// - Returns: what was found; its status is the exit code.
/// - Throws: ``OperationFailure`` when the case file is wrong or a sandbox breaks.
public func verify(
  _ request: VerifyRequest, progress: (String) -> Void = { _ in }
) throws(OperationFailure) -> VerifyReport {
  let policy = request.policy.policy
  let extra = try readCases(request.caseFile, for: policy)
  let compiled = compile(policy, tableName: request.scope == .host ? "weir" : "weir-scopes")
  let plan = VerifyPlan(
    policy, pins: request.pins, extra: extra, cap: request.probeCap, scope: request.scope)
  let stage = VerifyStage(request.scope)
  let table = stage.table(
    compiled, answers: plan.names.addresses.mapValues { $0.sorted() })
  var climb = Climb(plan: plan, stage: stage, table: table, request: request)
  let rungs = try climb.run(progress)
  var exercised: [String: Int] = [:]
  for report in rungs {
    exercised.merge(report.denialsByClause) { $0 + $1 }
    exercised.merge(report.allowancesByClause) { $0 + $1 }
  }
  return VerifyReport(
    policy: policy.name, digest: compiled.digest, scope: request.scope,
    kernel: climb.askedKernel ? ProcessFacts.kernelRelease() : nil, rungs: rungs,
    clauses: policy.clauseStatuses(
      rungs, exercised: exercised, isScoped: stage.isOfSockets))
}

/// The rungs one after the other.
private struct Climb {
  let plan: VerifyPlan
  let stage: VerifyStage
  let table: Table
  let request: VerifyRequest
  var askedKernel = false

  mutating func run(_ progress: (String) -> Void) throws(OperationFailure) -> [RungReport] {
    var reports: [RungReport] = []
    for rung in Rung.allCases where request.rungs.contains(rung) {
      progress("\(rung.rawValue) …")
      switch rung {
      case .reference: reports.append(plan.referenceRung())
      case .interpreter:
        reports.append(
          plan.interpreterRung(table, stage, clock: ProcessFacts.monotonicNanoseconds))
      case .symbolic:
        reports.append(
          plan.symbolicRung(
            table, stage, readBack: try readBack(), clock: ProcessFacts.monotonicNanoseconds))
      case .packet, .connection: reports.append(try climbKernel(rung, progress))
      }
    }
    return reports
  }

  private mutating func climbKernel(
    _ rung: Rung, _ progress: (String) -> Void
  ) throws(OperationFailure) -> RungReport {
    if let obstacle = stage.obstacle ?? enterThrowAwayPlace() {
      return .skipped(rung, obstacle)
    }
    askedKernel = true
    let show = { (done: Int, all: Int) in progress("\(rung.rawValue) \(done) of \(all)") }
    do {
      return rung == .packet
        ? try plan.packetRung(
          loading: load, table: table, stage, isTraced: request.tracesPackets, progress: show)
        : try plan.connectionRung(
          loading: load, table: table, stage, cap: request.conversationCap, progress: show)
    } catch let failure as OperationFailure {
      throw failure
    } catch let error as KernelError {
      throw OperationFailure(error.exitStatus, "\(rung.rawValue) rung: \(error)")
    } catch {
      throw OperationFailure(.unsupported, "\(rung.rawValue) rung: \(error)")
    }
  }

  /// Loads the table into a namespace made for it, and reads what the kernel then holds.
  private mutating func readBack() throws(OperationFailure) -> ReadBack {
    if let obstacle = enterThrowAwayPlace() { return .unavailable(obstacle) }
    askedKernel = true
    do {
      return try NetworkNamespace.make().run {
        try load(table)
        var session = NetfilterSession(try NetlinkSocket.open())
        return .rules(try session.recordRuleset().decoded().ruleset)
      }
    } catch let error as KernelError {
      throw OperationFailure(error.exitStatus, "symbolic rung: \(error)")
    } catch let error as LinuxError {
      return .unavailable("\(error)")
    } catch {
      throw OperationFailure(.internalError, "symbolic rung: \(error)")
    }
  }

  /// Enters a user namespace where that is needed to make network namespaces; says why not.
  private func enterThrowAwayPlace() -> String? {
    guard UserNamespace.isNeeded else { return nil }
    do {
      try UserNamespace.enter()
      return nil
    } catch {
      return "\(error)"
    }
  }
}

@Sendable private func load(_ table: Table) throws {
  try NetworkNamespace.assertThrowAway()
  var session = NetfilterSession(try NetlinkSocket.open())
  try session.makeTable(table)
}

/// The caller's cases: YAML by the file's ending, tab-separated lines otherwise.
private func readCases(
  _ path: String?, for policy: Policy
) throws(OperationFailure) -> [PolicyTest] {
  guard let path else { return [] }
  if path.hasSuffix(".yaml") || path.hasSuffix(".yml") {
    let (tests, diagnostics) = PolicyParser.parseTests(
      path: path, source: PolicyFiles(), for: policy)
    guard !diagnostics.contains(where: { $0.severity == .error }) else {
      let isMissing = diagnostics.contains { $0.code == .fileMissing }
      throw OperationFailure(isMissing ? .notFound : .badData, diagnostics.render())
    }
    return tests
  }
  let bytes: [UInt8]
  do {
    bytes = try BoundedFile.read(path, limitBytes: 64 << 20)
  } catch {
    throw OperationFailure(error.isMissingFile ? .notFound : .badData, "\(error)")
  }
  guard let text = String(validating: bytes, as: UTF8.self) else {
    throw OperationFailure(.badData, "\(path): not UTF-8")
  }
  do {
    return try CaseFile(parsing: text).cases.map {
      PolicyTest(
        expected: $0.expected, flow: $0.flow, remoteName: $0.remoteName,
        location: SourceLocation(file: path, line: $0.line, column: 1))
    }
  } catch {
    let lines = error.problems.map { "\(path):\($0.line):\($0.column): error: \($0.message)" }
    throw OperationFailure(.badData, lines.joined(separator: "\n"))
  }
}
