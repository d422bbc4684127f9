import Bytecode
import NetfilterLink
import NetworkTypes
import PolicyLanguage
import RuleCompiler

/// What of weir's is in force.
public struct StatusReport: Encodable, Sendable {
  /// One clause's counter.
  public struct Row: Encodable, Sendable {
    /// The clause.
    public let clause: String
    /// Packets it has denied.
    public let packets: UInt64
    /// Their bytes, layer 3 length.
    public let bytes: UInt64
  }

  /// Version of this form.
  public let version = 1
  /// `inet weir`.
  public let table: String
  /// Whether there is such a table.
  public let isInstalled: Bool
  /// Whether packets are judged by it.
  public let isInForce: Bool
  /// The generation that judges packets now.
  public let generation: Int?
  /// Policy and digest, as the entry chain says.
  public let policy: String?
  /// The trial that runs; nil for none.
  public let trial: TrialReport?
  /// Whether every packet passes now: a first trial has ended unconfirmed.
  public let isOpen: Bool
  /// Denied packets by clause.
  public let denials: [Row]
  /// Generations of killed installations and ended trials that lie about, unreachable.
  public let leftovers: [Int]

  enum CodingKeys: String, CodingKey {
    case version, table, isInstalled, isInForce, generation, policy, trial, isOpen, denials
    case leftovers
  }

  /// 0 when rules are in force, 1 when none are.
  public var status: ExitStatus { isInForce ? .good : .finding }
}

/// Tells what of weir's is in force, and what each clause has denied.
///
/// - Parameter target: where to look.
/// - Returns: the state; a table that is not there is a state too.
/// - Throws: ``OperationFailure`` when the table is somebody else's, or cannot be read.
public func status(of target: InstallTarget) throws(OperationFailure) -> StatusReport {
  try target.withSession { session in
    let found = try session.status(of: target.identifier)
    let rows = (found?.counters ?? []).map { counter in
      StatusReport.Row(
        clause: counter.name.split(separator: "/").last.map(String.init) ?? counter.name,
        packets: counter.packets, bytes: counter.bytes)
    }
    return StatusReport(
      table: "\(target.identifier)", isInstalled: found != nil,
      isInForce: found?.isHooked ?? false && found?.generation != nil,
      generation: found?.generation, policy: found?.policyComment, trial: TrialReport(found),
      isOpen: found.map { $0.isOpen && $0.trial == nil } ?? false, denials: rows,
      leftovers: found?.leftovers ?? [])
  }
}

/// Removes weir's table; packets are no longer judged by it.
///
/// - Parameter target: which.
/// - Returns: whether there was one.
/// - Throws: ``OperationFailure``; a table that is not weir's is left alone.
public func remove(_ target: InstallTarget) throws(OperationFailure) -> Bool {
  try target.withSession { session in try session.remove(target.identifier) }
}

/// What a refresh of names did.
public struct RefreshReport: Encodable, Sendable {
  /// Version of this form.
  public let version = 1
  /// One report a name.
  public let names: [NameReport]
  /// Names whose addresses in the kernel were changed.
  public let changed: [String]
  /// Names that kept old addresses: none of the new ones can be used, or a family went unanswered.
  public let kept: [String]

  enum CodingKeys: String, CodingKey { case version, names, changed, kept }

  /// 1 when a name kept old addresses.
  public var status: ExitStatus { kept.isEmpty ? .good : .finding }
}

/// Renews what names resolve to, in place, under the policy that is installed.
///
/// - Parameter request: the policy that is installed, and where.
/// - Returns: what changed.
/// - Throws: ``OperationFailure`` when another policy is installed, or none.
public func refresh(_ request: ApplyRequest) throws(OperationFailure) -> RefreshReport {
  var memory: NameMemory?
  return try refresh(request, remembering: &memory)
}

/// As ``refresh(_:)``, and lets addresses that names had lately stay for a while.
func refresh(
  _ request: ApplyRequest, remembering memory: inout NameMemory?
) throws(OperationFailure) -> RefreshReport {
  let target = request.target
  let compiled = compile(request.policy.policy, tableName: target.table)
  // A wrong place, policy or right is told before names are asked for.
  _ = try target.withSession { session in try session.generation(of: compiled, in: target) }
  let (names, asked) = try fillNames(
    compiled.names, pins: request.pins, servers: request.servers)
  var kept = memory
  let report = try target.withSession { session in
    let generation = try session.generation(of: compiled, in: target)
    guard let live = try session.readTable(family: .inet, name: target.table) else {
      throw OperationFailure(.unknown, "\(target.identifier) vanished meanwhile")
    }
    kept?.note(live.sets, of: generation)
    let answers = kept?.adding(asked, names) ?? asked
    let renewed = Set(names.flatMap { $0.renewedSets(of: generation) })
    let sets = compiled.table(generation: generation, answers: answers).sets.filter {
      renewed.contains($0.name)
    }
    let changed = try session.refresh(sets, in: live)
    return RefreshReport(
      names: names,
      changed: Set(changed.map { String($0.split(separator: "/").last ?? "") }).sorted(),
      kept: names.filter { $0.isEmpty || !$0.unanswered.isEmpty }.map(\.name))
  }
  memory = kept
  return report
}

extension NetfilterSession where Transport: ~Copyable {
  /// The generation in force, which must be one of this policy.
  fileprivate mutating func generation(
    of compiled: CompiledPolicy, in target: InstallTarget
  ) throws -> Int {
    guard let found = try briefStatus(of: target.identifier), let generation = found.generation
    else {
      throw OperationFailure(.notFound, "\(target.identifier) is not installed; apply the policy")
    }
    guard found.policyComment?.hasSuffix(compiled.digest.prefix(32)) ?? false else {
      throw OperationFailure(
        .finding,
        "\(target.identifier) holds another policy (\(found.policyComment ?? "unknown")); apply"
          + " this one first")
    }
    return generation
  }
}

extension NameReport {
  /// The sets of an installed generation that are to get the name's new answers.
  ///
  /// A family of which nothing was learnt keeps what it has, and so does a name without any usable
  /// address: an exception is not shut because a server was silent or lied.
  func renewedSets(of generation: Int) -> [String] {
    guard !isEmpty else { return [] }
    return Family.allCases.filter { !unanswered.contains($0) }.map {
      "g\(generation)/name\($0 == .ipv4 ? 4 : 6)/\(name)"
    }
  }
}
