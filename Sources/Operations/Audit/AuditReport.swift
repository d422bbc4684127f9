/// How a claim about a host comes out.
public enum ClaimAnswer: String, Encodable, Sendable, CaseIterable {
  /// Proved for every packet, or seen to be so for every thing listed.
  case holds
  /// Refuted, with a packet or a thing that breaks it.
  case fails
  /// Neither: the causes say what is not modelled or could not be read.
  case unknown

  /// Both claims together: fails when one does, else unknown when one is.
  func and(_ other: ClaimAnswer) -> ClaimAnswer {
    if self == .fails || other == .fails { return .fails }
    return self == .unknown || other == .unknown ? .unknown : .holds
  }
}

/// What an audit claims, in the order of the report.
public enum ClaimKind: String, Encodable, Sendable, CaseIterable {
  /// What opens a flow and leaves is allowed by the policy.
  case noLeak = "no-leak"
  /// What leaves as part of a known flow is allowed by the policy.
  case noLeakEstablished = "no-leak-established"
  /// What the policy allows can leave.
  case noOverBlocking = "no-over-blocking"
  /// What nobody here asked for does not enter, unless the policy lets it.
  case nothingEnters = "nothing-enters"
  /// No socket listens beyond what the policy admits.
  case listeners
  /// The flows that are open now are within the policy.
  case liveFlows = "live-flows"
  /// The known ways around packet rules are absent.
  case waysAround = "ways-around"
  /// The table is what weir would install.
  case asInstalled = "as-installed"

  /// Whether it is decided for all packets at once, from the rules of nf_tables.
  var isAboutPackets: Bool {
    switch self {
    case .noLeak, .noLeakEstablished, .noOverBlocking, .nothingEnters: true
    case .listeners, .liveFlows, .waysAround, .asInstalled: false
    }
  }

  /// One sentence that says what is claimed.
  public var statement: String {
    switch self {
    case .noLeak: "every packet that opens a flow and leaves is allowed by the policy"
    case .noLeakEstablished:
      "every packet that leaves as part of a known flow is allowed by the policy"
    case .noOverBlocking: "every packet that the policy allows can leave"
    case .nothingEnters: "nothing enters that was not asked for, beyond what the policy lets in"
    case .listeners: "no socket listens beyond what the policy admits"
    case .liveFlows: "the flows that are open now are within the policy"
    case .waysAround: "the known ways around packet rules are absent"
    case .asInstalled: "the table is exactly what weir would install"
    }
  }
}

/// A rule, or the end of a chain, that a packet met.
public struct PathStep: Encodable, Sendable, Hashable {
  /// The table, as in `inet weir`.
  public let table: String
  /// The chain's name.
  public let chain: String
  /// The kernel's handle of the rule; nil for the end of a chain.
  public let handle: UInt64?
  /// The rule as nft writes it, or a listing of its bytecode.
  public let rule: String
  /// What it yields, as in `accept` or `jump c`.
  public let verdict: String

  /// One line for people.
  public var text: String {
    let handle = self.handle.map { " handle \($0)" } ?? ""
    return "\(table) \(chain)\(handle): \(rule)"
  }
}

/// What replaying a packet against a real kernel with the snapshot's rules showed.
public struct Confirmation: Encodable, Sendable {
  /// Whether model and kernel say the same; nil when it could not be tried.
  public let agrees: Bool?
  /// What was seen, or why it could not be tried.
  public let seen: String
}

/// One thing that refutes a claim or leaves it open.
public struct AuditFinding: Encodable, Sendable {
  /// What is wrong, in one sentence.
  public var message: String
  /// The packet as `weir explain` reads it, where one refutes the claim.
  public var packet: String?
  /// The packet's bytes from the IP header on, hexadecimal.
  public var bytes: String?
  /// What the packet is beyond its addresses: conntrack state, mark, interface and the like.
  public var facts: [String]
  /// The rules it meets, in order; the last one decides.
  public var path: [PathStep]
  /// The clause that it breaks.
  public var clause: String?
  /// Where the clause is written.
  public var at: String?
  /// The process that it is about.
  public var process: String?
  /// What a replay showed, when one was asked for.
  public var confirmation: Confirmation?

  /// A finding without a packet.
  public init(
    _ message: String, packet: String? = nil, bytes: String? = nil, facts: [String] = [],
    path: [PathStep] = [], clause: String? = nil, at: String? = nil, process: String? = nil
  ) {
    self.message = message
    self.packet = packet
    self.bytes = bytes
    self.facts = facts
    self.path = path
    self.clause = clause
    self.at = at
    self.process = process
  }
}

/// One claim with its answer and what the answer rests on.
public struct AuditClaim: Encodable, Sendable {
  /// Which claim.
  public let claim: ClaimKind
  /// The sentence that is claimed.
  public let statement: String
  /// How it comes out.
  public var answer: ClaimAnswer
  /// What refutes it.
  public var findings: [AuditFinding]
  /// Why it is not decided: the expression, attribute or file that is not known.
  public var causes: [String]
  /// What it takes for granted, or what it leaves out.
  public var assumptions: [String]

  /// Makes a claim.
  public init(
    _ claim: ClaimKind, _ answer: ClaimAnswer, findings: [AuditFinding] = [],
    causes: [String] = [], assumptions: [String] = []
  ) {
    self.claim = claim
    statement = claim.statement
    self.answer = answer
    self.findings = findings
    self.causes = causes
    self.assumptions = assumptions
  }
}

/// What the audit says about one clause of the policy.
public struct ClauseAnswer: Encodable, Sendable {
  /// The clause.
  public let clause: String
  /// `proved`, `fails`, `unknown` or `not a packet rule`.
  public let answer: String
  /// Why.
  public let detail: String
}

/// One known way around packet rules, and whether it is there.
public struct WayAround: Encodable, Sendable {
  /// Its short name.
  public let way: String
  /// `absent`, `present` or `unknown`.
  public let status: String
  /// What was found, or why it is not known.
  public let details: [String]
  /// What it would allow.
  public let allows: String
  /// What to do about it.
  public let advice: String
}

/// What an audit found.
public struct AuditReport: Encodable, Sendable {
  /// The release of the analysis: it changes whenever an answer can.
  public static let modelVersion = 1

  /// Version of this form.
  public let version = 1
  /// Version of the model that decided; see ``modelVersion``.
  public let model = AuditReport.modelVersion
  /// The policy's name.
  public let policy: String
  /// SHA-256 of the policy as compiled, hexadecimal.
  public let policyDigest: String
  /// SHA-256 of the rules that were judged, hexadecimal.
  public let rulesetDigest: String
  /// The kernel's generation id of the rules.
  public let generation: UInt32
  /// The kernel's release.
  public let kernel: String
  /// `live`, or the snapshot file.
  public let source: String
  /// How many tables, chains and rules were looked at.
  public let scope: String
  /// The scope whose packets were judged; nil for all packets.
  public let packetsOf: String?
  /// One entry a claim.
  public var claims: [AuditClaim]
  /// One entry a clause.
  public var clauses: [ClauseAnswer]
  /// One entry a known way around.
  public var waysAround: [WayAround]

  enum CodingKeys: String, CodingKey {
    case version, model, policy, policyDigest, rulesetDigest, generation, kernel, source, scope
    case packetsOf, claims, clauses, waysAround
  }

  /// 0 when every claim holds, 1 when one fails, 2 when one is unknown and none fails.
  public var status: ExitStatus {
    switch claims.reduce(ClaimAnswer.holds, { $0.and($1.answer) }) {
    case .holds: .good
    case .fails: .finding
    case .unknown: .unknown
    }
  }
}
