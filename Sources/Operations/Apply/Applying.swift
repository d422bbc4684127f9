import HostAudit
import LinuxSystem
import NetfilterLink
import NetworkTypes
import PolicyLanguage
import PolicyMeaning
import RuleCompiler

/// What to install.
public struct ApplyRequest: Sendable {
  /// The policy.
  public var policy: LoadedPolicy
  /// Where.
  public var target = InstallTarget()
  /// Addresses of names that are not asked for.
  public var pins = NamePins()
  /// DNS servers to ask instead of the system's.
  public var servers: [String] = []
  /// Whether a name without any usable address is put up with, its exception staying shut.
  public var allowsUnresolved = false
  /// Whether nothing is changed.
  public var isDryRun = false
  /// Whether the packets whose verdict changes are looked for.
  public var showsChanges = true
  /// Whether open flows that the policy denies are left to go on.
  public var keepsExisting = false
  /// Whether it is installed although the caller's own connection, or something that the host cannot do
  /// without, would be cut.
  public var isForced = false
  /// What the host does without: `resolver`, `dhcp`, `ntp`.
  public private(set) var without: Set<String> = []
  /// The file with the host's resolvers; nil for the one that the namespace has.
  public var resolverFile: String?
  /// Seconds after which the kernel undoes it unless it is confirmed; nil to install for good.
  public var trialSeconds: Int?

  /// Installs into the caller's own namespace.
  public init(policy: LoadedPolicy) { self.policy = policy }

  /// Names what the host does without when the policy denies it.
  ///
  /// - Throws: ``OperationFailure`` (64) for a word that is none of `resolver`, `dhcp`, `ntp`.
  public mutating func doWithout(_ names: [String]) throws(OperationFailure) {
    for name in names {
      guard Essential(rawValue: name) != nil else {
        let known = Essential.allCases.map(\.rawValue).joined(separator: ", ")
        throw OperationFailure(.usage, "--without takes \(known), not `\(name)`")
      }
      without.insert(name)
    }
  }
}

/// What an installation did, or would do.
public struct ApplyReport: Encodable, Sendable {
  /// What happened.
  public enum Outcome: String, Encodable, Sendable {
    /// The new rules are in force and were read back equal.
    case installed
    /// As installed, and undone by the kernel unless it is confirmed.
    case onTrial = "on trial"
    /// The kernel held the same rules already; nothing was changed.
    case unchanged
    /// A dry run: the rules would be installed.
    case wouldInstall = "would install"
    /// A dry run: the kernel holds the same policy.
    case wouldNotChange = "would not change"
  }

  /// Version of this form.
  public let version = 1
  /// What happened.
  public let outcome: Outcome
  /// `inet weir`.
  public let table: String
  /// The policy's name.
  public let policy: String
  /// The compiled policy's digest.
  public let digest: String
  /// The generation in force afterwards.
  public let generation: Int?
  /// The generation that was in force before.
  public let previousGeneration: Int?
  /// The trial that runs afterwards; nil for none.
  public let trial: TrialReport?
  /// Which packets change verdict.
  public let changes: ChangesReport
  /// The flows that were open; what the policy says of each, and what was done.
  public let flows: FlowsReport
  /// What the host uses and cannot do without, and what the policy says of it.
  public let essentials: EssentialReport
  /// One report a name.
  public let names: [NameReport]
  /// What the operator should know.
  public let warnings: [String]

  enum CodingKeys: String, CodingKey {
    case version, outcome, table, policy, digest, generation, previousGeneration, trial, changes
    case flows, essentials, names, warnings
  }
}

/// Installs a policy, and ends with a read-back that equals what was compiled.
///
/// - Parameters:
///   - request: what and where.
///   - preview: is told which packets will change verdict, before anything is done.
/// - Returns: what was done.
/// - Throws: ``OperationFailure``, which says what is in force now; nothing is half-applied.
public func apply(
  _ request: ApplyRequest, preview: (ChangesReport) -> Void = { _ in }
) throws(OperationFailure) -> ApplyReport {
  let policy = request.policy.policy
  let target = request.target
  let compiled = compile(policy, tableName: target.table)
  if compiled.names.contains(where: { request.pins.addresses[$0.name] == nil }) {
    // A wrong place or a missing right is told before names are asked for.
    _ = try target.withSession { session in try session.briefStatus(of: target.identifier) }
  }
  let (names, answers) = try fillNames(
    compiled.names, pins: request.pins, servers: request.servers)
  let empty = names.filter(\.isEmpty)
  if let first = empty.first, !request.allowsUnresolved, !request.isDryRun {
    throw OperationFailure(.notFound, first.refusal)
  }
  return try target.withSession { session in
    let denied: FlowsReport.Treatment =
      request.keepsExisting || request.trialSeconds != nil
      ? request.isDryRun ? .wouldKeep : .kept : request.isDryRun ? .wouldEnd : .ended
    let host = HostReader.readFlowsHere()
    var changes =
      request.showsChanges
      ? try ApplyChanges(&session, on: host, installing: compiled.table(answers: answers))
      : ApplyChanges(leftOut: "not asked for")
    preview(changes.report)
    var flows = ExistingFlows(
      host, policy, NameAnswers(answers.mapValues(Set.init)), treatment: denied)
    let essentials = EssentialReport(
      host, flows.judged, policy, NameAnswers(answers.mapValues(Set.init)),
      resolverFile: request.resolverFile ?? ResolverFile.path(of: target.namespace),
      without: request.without)
    if !request.isForced, !request.isDryRun {
      if let danger = flows.lockOut() {
        throw OperationFailure(.finding, danger + "; nothing was changed. " + ExistingFlows.advice)
      }
      if !essentials.dangers.isEmpty, request.trialSeconds == nil {
        throw OperationFailure(
          .finding,
          essentials.dangers.joined(separator: "; ") + "; nothing was changed. "
            + EssentialReport.advice)
      }
    }
    var warnings = empty.map { "\($0.name) has no usable address: its exception stays shut" }
    if let text = policy.ephemeralPortWarning() { warnings.append(text) }
    warnings += essentials.unknowns
    if request.isDryRun || request.isForced, let danger = flows.lockOut() {
      warnings.append(danger)
    }
    // Whoever gets here has forced it, or only tries.
    warnings += essentials.dangers + essentials.remarks
    func report(
      _ outcome: ApplyReport.Outcome, _ generation: Int?, _ previous: Int?, _ trial: TrialReport?
    ) -> ApplyReport {
      ApplyReport(
        outcome: outcome, table: "\(target.identifier)", policy: policy.name,
        digest: compiled.digest, generation: generation, previousGeneration: previous,
        trial: trial, changes: changes.report,
        flows: flows.report, essentials: essentials, names: names, warnings: warnings)
    }
    if request.isDryRun {
      let status = try session.briefStatus(of: target.identifier)
      let isSame = status?.policyComment?.hasSuffix(compiled.digest.prefix(32)) ?? false
      return report(
        isSame ? .wouldNotChange : .wouldInstall, status?.generation, status?.generation,
        TrialReport(status))
    }
    flows.track()
    let outcome = try session.install(
      trialMilliseconds: request.trialSeconds.map { UInt64($0) * 1000 }
    ) { compiled.table(generation: $0, answers: answers) }
    warnings += outcome.cleaningWarnings
    flows.end()
    let trial =
      outcome.trial == nil ? nil : TrialReport(try session.briefStatus(of: target.identifier))
    if !outcome.isUnchanged { try changes.lookAgain(&session) }
    return report(
      trial != nil ? .onTrial : outcome.isUnchanged ? .unchanged : .installed,
      outcome.generation, outcome.previous, trial)
  }
}

extension NameReport {
  /// Why nothing is installed while the name opens nothing.
  var refusal: String {
    let why = (failures + refused).joined(separator: "; ")
    return "\(name) has no usable address (\(why)); nothing was changed. Pin it with --resolve"
      + " \(name)=ADDRESS, or leave its exception shut with --allow-unresolved"
  }
}

extension Policy {
  /// Why the kernel's own choice of ports does not fit the policy's, in the current namespace.
  fileprivate func ephemeralPortWarning() -> String? {
    guard let allowed = sourcePorts.value, let own = ProcessFacts.ephemeralPorts() else {
      return nil
    }
    let chosen = PortSet([Interval(own.lowerBound, own.upperBound)])
    if chosen.isSubset(of: allowed) { return nil }
    return "the kernel picks local ports from \(chosen.text), the policy allows \(allowed.text):"
      + " some connections will be denied as `bind`; change net.ipv4.ip_local_port_range or"
      + " source-ports"
  }
}
