/// What an auditor files: which policy, which rules, which kernel, and what was shown about them.
///
/// It holds no process names, no addresses but those of witnesses, and no time: the same policy and
/// the same snapshot give the same bytes.
public struct AuditCertificate: Encodable, Sendable {
  /// One claim in short.
  public struct Entry: Encodable, Sendable {
    /// Which claim.
    public let claim: ClaimKind
    /// The sentence.
    public let statement: String
    /// How it came out.
    public let answer: ClaimAnswer
    /// What it takes for granted.
    public let assumptions: [String]
    /// Why it is unknown.
    public let unknowns: [String]
    /// Packets that refute it, as `weir explain` reads them.
    public let witnesses: [String]
  }

  /// What kind of file it is.
  public let certificate = "weir audit"
  /// Version of this form.
  public let version = 1
  /// Version of the model that decided.
  public let model: Int
  /// The policy's name.
  public let policy: String
  /// SHA-256 of the policy as compiled.
  public let policySha256: String
  /// SHA-256 of the rules that were judged.
  public let rulesetSha256: String
  /// The kernel's generation id of the rules.
  public let generation: UInt32
  /// The kernel's release.
  public let kernel: String
  /// `holds`, `fails` or `unknown`, over all claims.
  public let answer: ClaimAnswer
  /// The claims.
  public let claims: [Entry]

  /// The certificate of a report.
  public init(_ report: AuditReport) {
    model = report.model
    policy = report.policy
    policySha256 = report.policyDigest
    rulesetSha256 = report.rulesetDigest
    generation = report.generation
    kernel = report.kernel
    answer = report.claims.reduce(.holds) { $0.and($1.answer) }
    claims = report.claims.map {
      Entry(
        claim: $0.claim, statement: $0.statement, answer: $0.answer, assumptions: $0.assumptions,
        unknowns: $0.causes, witnesses: $0.findings.compactMap(\.packet))
    }
  }
}
