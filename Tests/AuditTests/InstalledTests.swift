import LinuxSystem
import Operations
import TestSupport
import Testing

/// The audit of a namespace where weir installed the policy, and of one where somebody meddled.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, Comment(rawValue: ThrowAwayNamespace.reason)))
struct InstalledTests {
  private static let pins = [
    "smtp.gmail.com=142.250.1.108", "pop.gmail.com=142.250.1.109", "imap.gmail.com=142.250.1.110",
  ]

  /// Installs the built-in policy, meddles by nft commands, and audits.
  private func audited(after changes: String...) throws -> AuditReport {
    try ThrowAwayNamespace.run {
      try HostPlant.run("ip link add eth0 type veth peer name eth1")
      try HostPlant.run("ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up")
      var request = ApplyRequest(policy: try loadPolicy("app-engine-sockets"))
      request.pins = try NamePins(arguments: Self.pins)
      _ = try apply(request)
      for change in changes { try HostPlant.run("nft \(change)") }
      var question = AuditRequest(policy: try loadPolicy("app-engine-sockets"))
      question.confirms = true
      return try audit(question)
    }
  }

  private func answer(_ report: AuditReport, _ claim: ClaimKind) -> ClaimAnswer? {
    report.claims.first { $0.claim == claim }?.answer
  }

  @Test func `kernel: where weir installed its policy, every claim about packets holds`() throws {
    let report = try audited()
    for claim in report.claims where claim.claim != .waysAround {
      #expect(
        claim.answer == .holds, "\(claim.claim): \(claim.findings.map(\.told)) \(claim.causes)")
    }
    for row in report.clauses {
      let outside = ["transfer", "billing", "sockopt"].contains(row.clause)
      #expect(row.answer == "proved" || outside, "\(row)")
    }
  }

  @Test func `kernel: an accept at the head of weir's chain is a leak, with packet and rule`()
    throws
  {
    let report = try audited(after: "insert rule inet weir output udp dport 9999 accept")
    let leak = try #require(report.claims.first { $0.claim == .noLeak })
    #expect(leak.answer == .fails)
    #expect(leak.findings.contains { $0.path.contains { $0.rule.contains("9999 accept") } })
    #expect(answer(report, .asInstalled) == .fails)
    #expect(report.status == .finding)
  }

  @Test func `kernel: a table of somebody else that drops is over-blocking, with its name`() throws
  {
    let report = try audited(
      after: "add table inet other",
      "'add chain inet other late { type filter hook output priority 50; }'",
      "add rule inet other late ip6 daddr 2606::/16 drop")
    let blocked = try #require(report.claims.first { $0.claim == .noOverBlocking })
    #expect(blocked.answer == .fails)
    #expect(blocked.findings.contains { $0.path.contains { $0.table == "inet other" } })
    #expect(answer(report, .noLeak) == .holds)
    #expect(answer(report, .asInstalled) == .holds)
  }

  @Test func `kernel: a flushed name set keeps an exception shut, and leaks nothing`() throws {
    let report = try audited(after: "flush set inet weir g1/name4/smtp.gmail.com")
    #expect(report.claims.allSatisfy { $0.claim == .waysAround || $0.answer == .holds })
    // The name means what its set holds, and the report says so.
    let leak = try #require(report.claims.first { $0.claim == .noLeak })
    #expect(
      leak.assumptions.contains { $0.contains("names mean the addresses in table inet weir") })
  }

  @Test func `kernel: a generation map that leads elsewhere is drift and over-blocking`() throws {
    let report = try audited(after: "flush map inet weir generation/out")
    #expect(answer(report, .noOverBlocking) == .fails)
    #expect(answer(report, .asInstalled) == .fails)
  }

  @Test func `kernel: an element deleted from a map is drift and a leak that a replay confirms`()
    throws
  {
    let report = try audited(after: "delete element inet weir g1/blocks4 '{ 10.0.0.0 }'")
    let drift = try #require(report.claims.first { $0.claim == .asInstalled })
    #expect(drift.answer == .fails)
    #expect(drift.findings.contains { $0.message.contains("element 10.0.0.0") })
    let leak = try #require(report.claims.first { $0.claim == .noLeak })
    let found = try #require(leak.findings.first { $0.clause == "private" })
    #expect(found.packet?.contains(" to 10.") == true)
    #expect(found.confirmation?.agrees == true, "\(found.confirmation?.seen ?? "not replayed")")
  }

  @Test func `kernel: a flushed IPv6 map is over-blocking that a replay confirms`() throws {
    let report = try audited(after: "flush map inet weir g1/destination6")
    #expect(answer(report, .noLeak) == .holds)
    let blocked = try #require(report.claims.first { $0.claim == .noOverBlocking })
    #expect(blocked.answer == .fails)
    #expect(blocked.findings.contains { $0.confirmation?.agrees == true })
  }

  @Test func `kernel: a removed IPv6 rule is drift and a leak that a replay confirms`() throws {
    let report = try audited(
      after: "delete rule inet weir g1/rare6 handle "
        + "$(nft -a list chain inet weir g1/rare6 | sed -n 's/.*routing-header.* handle //p')")
    let drift = try #require(report.claims.first { $0.claim == .asInstalled })
    #expect(drift.answer == .fails)
    #expect(drift.findings.contains { $0.message.contains("g1/rare6") })
    let leak = try #require(report.claims.first { $0.claim == .noLeak })
    let found = try #require(leak.findings.first { $0.clause == "routing-header" })
    #expect(found.packet?.contains(":") == true)
    #expect(found.confirmation?.agrees == true, "\(found.confirmation?.seen ?? "not replayed")")
  }

  /// Installs one policy, puts another on trial over it, and audits for a third.
  private func audited(
    standing: String, onTrial: String, for policy: String
  ) throws -> AuditReport {
    let folder = try TemporaryFolder()
    func load(_ denied: String) throws -> LoadedPolicy {
      let text = "policy: p\ndefault: allow\ndeny:\n  - {clause: c, to: \(denied)}\n"
      return try loadPolicy(try folder.file("\(denied.hashValue).yaml", text))
    }
    return try ThrowAwayNamespace.run {
      try HostPlant.run("ip link add eth0 type veth peer name eth1")
      try HostPlant.run("ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up")
      _ = try apply(ApplyRequest(policy: try load(standing)))
      var request = ApplyRequest(policy: try load(onTrial))
      request.trialSeconds = 600
      #expect(try apply(request).outcome == .onTrial)
      return try audit(AuditRequest(policy: try load(policy)))
    }
  }

  @Test func `kernel: what holds on trial and afterwards holds, and what ends with it is unknown`()
    throws
  {
    // The policy on trial denies more than the one that stands.
    let more = "[198.18.0.0/15, 2001:2::/48, 10.0.0.0/8, fc00::/7]"
    let less = "[198.18.0.0/15, 2001:2::/48]"
    let both = try audited(standing: less, onTrial: more, for: less)
    #expect(answer(both, .noLeak) == .holds)
    #expect(answer(both, .noOverBlocking) == .unknown)
    #expect(answer(both, .asInstalled) == .unknown)
    let tried = try audited(standing: less, onTrial: more, for: more)
    #expect(answer(tried, .noLeak) == .unknown)
    #expect(answer(tried, .noOverBlocking) == .holds)
    #expect(answer(tried, .asInstalled) == .unknown)
    let cause = tried.claims.first { $0.claim == .asInstalled }?.causes.first
    #expect(cause?.contains("would install is on trial") == true)
    let neither = try audited(standing: less, onTrial: more, for: "[8.8.8.8]")
    #expect(answer(neither, .noLeak) == .fails)
    #expect(answer(neither, .asInstalled) == .fails)
  }

  @Test
  func `kernel: a certificate says the same of the same snapshot, and names the policy's digest`()
    throws
  {
    let report = try audited()
    let certificate = AuditCertificate(report)
    #expect(certificate.policySha256 == report.policyDigest)
    #expect(certificate.claims.map(\.claim) == report.claims.map(\.claim))
  }
}
