import NetworkTypes
import PolicyMeaning

/// The independent readers that must agree about a policy.
public enum Rung: String, CaseIterable, Sendable, Encodable {
  /// The list walk over the policy against the policy's own tests.
  case reference
  /// The compiled bytecode, packet by packet, in a model of the kernel.
  case interpreter
  /// The compiled bytecode for every packet at once, against the policy's packet set.
  case symbolic
  /// The real kernel, packet by packet, with the rule that decided.
  case packet
  /// The real kernel, by real TCP and UDP conversations.
  case connection
}

/// Two readers that say different things about one probe.
public struct Disagreement: Encodable, Sendable {
  /// The probe, as `weir explain` reads it.
  public let probe: String
  /// Where the probe comes from: `file:line:column`, or `generated`.
  public let origin: String
  /// What should happen: decision and clause.
  public let expected: String
  /// What was seen.
  public let seen: String
  /// The packet's bytes from the IP header on, hexadecimal, where there is one.
  public let packet: String?
  /// The rules it went through, in order.
  public let rules: [String]
}

/// What one rung found.
public struct RungReport: Encodable, Sendable {
  /// How a rung ended.
  public enum Outcome: String, Encodable, Sendable {
    /// Every probe agreed.
    case agrees
    /// At least one probe disagreed.
    case disagrees
    /// Something could not be decided.
    case unknown
    /// The rung did not run.
    case skipped
  }

  /// Which rung.
  public let rung: Rung
  /// How it ended.
  public var outcome: Outcome
  /// Probes that agreed on allow.
  public var allowed = 0
  /// Probes that agreed on deny.
  public var denied = 0
  /// What disagreed; the first hundred.
  public var disagreements: [Disagreement] = []
  /// How many disagreed in all.
  public var disagreementCount = 0
  /// Probes that proved nothing, and why; the first hundred.
  public var undecided: [String] = []
  /// How many proved nothing.
  public var undecidedCount = 0
  /// Why the rung did not run, or what it leaves out.
  public var note: String?
  /// Denials seen, by clause; a rung that cannot tell clauses leaves it empty.
  public var denialsByClause: [String: Int] = [:]
  /// Flows allowed, by clause, where the rung can tell.
  public var allowancesByClause: [String: Int] = [:]
  /// Nanoseconds the probes took; not part of the JSON form.
  public var durationNanoseconds: UInt64 = 0

  enum CodingKeys: String, CodingKey {
    case rung, outcome, allowed, denied, disagreements, disagreementCount, undecided
    case undecidedCount, note, denialsByClause, allowancesByClause
  }

  init(_ rung: Rung) {
    self.rung = rung
    outcome = .agrees
  }

  /// How many probes were tried.
  public var tried: Int { allowed + denied + disagreementCount + undecidedCount }

  /// Counts a probe that went as the reference says, under its clause.
  mutating func agree(_ ruling: Ruling) {
    switch ruling.decision {
    case .allow:
      allowed += 1
      allowancesByClause[ruling.clause, default: 0] += 1
    case .deny:
      denied += 1
      denialsByClause[ruling.clause, default: 0] += 1
    }
  }

  mutating func disagree(_ disagreement: Disagreement) {
    disagreementCount += 1
    if disagreements.count < 100 { disagreements.append(disagreement) }
  }

  mutating func leaveOpen(_ probe: String, _ reason: String) {
    undecidedCount += 1
    if undecided.count < 100 { undecided.append("\(probe): \(reason)") }
  }

  /// Takes in what was found at the same time about other probes.
  mutating func add(_ other: RungReport) {
    allowed += other.allowed
    denied += other.denied
    disagreementCount += other.disagreementCount
    disagreements += other.disagreements.prefix(100 - disagreements.count)
    undecidedCount += other.undecidedCount
    undecided += other.undecided.prefix(100 - undecided.count)
    denialsByClause.merge(other.denialsByClause) { $0 + $1 }
    allowancesByClause.merge(other.allowancesByClause) { $0 + $1 }
    durationNanoseconds = max(durationNanoseconds, other.durationNanoseconds)
  }

  mutating func conclude() {
    if outcome == .skipped { return }
    outcome = disagreementCount > 0 ? .disagrees : undecidedCount > 0 ? .unknown : .agrees
  }

  static func skipped(_ rung: Rung, _ reason: String) -> RungReport {
    var report = RungReport(rung)
    report.outcome = .skipped
    report.note = reason
    return report
  }
}

/// What the verification found.
public struct VerifyReport: Encodable, Sendable {
  /// Version of this form.
  public let version = 1
  /// The policy's name.
  public let policy: String
  /// The compiled policy's digest.
  public let digest: String
  /// Whose packets it was verified for.
  public let scope: VerifiedScope
  /// The kernel's release, where one was asked.
  public let kernel: String?
  /// One report a rung.
  public let rungs: [RungReport]
  /// One answer a clause.
  public let clauses: [ClauseStatus]

  enum CodingKeys: String, CodingKey { case version, policy, digest, scope, kernel, rungs, clauses }

  /// 0 when all rungs agree, 1 when one disagrees, 2 when one could not decide or run.
  public var status: ExitStatus {
    if rungs.contains(where: { $0.outcome == .disagrees }) { return .finding }
    return rungs.allSatisfy { $0.outcome == .agrees } ? .good : .unknown
  }
}
