import Foundation
import LinuxSystem
import Operations
import TestSupport
import Testing

/// The rules of another firewall, and what the audit must say of them; see
/// `Tests/Corpus/firewalls/README.md`.
struct FirewallCase: CustomTestStringConvertible, Sendable {
  /// A claim, its answer, and what a finding or a cause of it must say.
  struct Expectation: Sendable {
    let claim: String
    let answer: String
    let isConfirmed: Bool
    let told: String

    init(_ line: Substring) {
      var words = line.split(separator: " ").map(String.init)
      claim = words.removeFirst()
      answer = words.removeFirst()
      isConfirmed = words.first == "confirmed"
      told = words.dropFirst(isConfirmed ? 1 : 0).joined(separator: " ")
    }
  }

  let folder: URL
  var testDescription: String { folder.pathComponents.suffix(2).joined(separator: "/") }

  static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Corpus/firewalls")

  static let all: [FirewallCase] = {
    func folders(in folder: URL) -> [URL] {
      let items = try? FileManager.default.contentsOfDirectory(
        at: folder, includingPropertiesForKeys: [.isDirectoryKey])
      return (items ?? []).filter(\.hasDirectoryPath).sorted { $0.path < $1.path }
    }
    return folders(in: root).flatMap { folders(in: $0) }.map { FirewallCase(folder: $0) }
  }()

  func text(_ name: String) -> String? {
    try? String(contentsOf: folder.appending(path: name), encoding: .utf8)
  }

  var expectations: [Expectation] {
    (text("expected.txt") ?? "").split(separator: "\n").map(Expectation.init)
  }

  /// Makes the host of the case in the calling thread's namespace.
  func load() throws {
    try NetworkNamespace.assertThrowAway()
    try HostPlant.run("ip link add eth0 type veth peer name eth1")
    try HostPlant.run("ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up")
    for line in (text("links") ?? "").split(separator: "\n") { try HostPlant.run("\(line)") }
    for (name, words) in [
      ("rules.v4", ["iptables-nft-restore"]), ("rules.v6", ["ip6tables-nft-restore"]),
      ("rules.nft", ["nft", "-f", "-"]),
    ] {
      guard let rules = text(name) else { continue }
      let outcome = try Program.run(words, input: rules)
      guard outcome.ending == .exit(0) else { throw HostPlant.Failed(what: outcome.error) }
    }
  }
}

@Suite(.enabled(if: ThrowAwayNamespace.isThere, Comment(rawValue: ThrowAwayNamespace.reason)))
struct FirewallTests {
  @Test func `every firewall is there right and wrong`() {
    let byProgram = Dictionary(grouping: FirewallCase.all) {
      $0.folder.deletingLastPathComponent().lastPathComponent
    }
    #expect(byProgram.count >= 7)
    for (program, cases) in byProgram {
      let answers = cases.map { $0.expectations.first { $0.claim == "no-leak" }?.answer }
      #expect(answers.contains("holds") && answers.contains("fails"), "\(program)")
    }
  }

  @Test(arguments: FirewallCase.all)
  func `kernel: what a firewall made of the policy is proved, or refuted with a packet`(
    firewall: FirewallCase
  ) throws {
    let report = try ThrowAwayNamespace.run {
      try firewall.load()
      var request = AuditRequest(
        policy: try loadPolicy(FirewallCase.root.appending(path: "policy.yaml").path))
      request.confirms = true
      return try audit(request)
    }
    #expect(!firewall.expectations.isEmpty)
    for expected in firewall.expectations {
      let claim = try #require(report.claims.first { $0.claim.rawValue == expected.claim })
      #expect(claim.answer.rawValue == expected.answer, "\(claim.findings.map(\.told))")
      let found = claim.findings.filter { $0.told.contains(expected.told) }
      #expect(
        expected.told.isEmpty || !found.isEmpty
          || claim.causes.contains { $0.contains(expected.told) },
        "\(claim.findings.map(\.told)) \(claim.causes)")
      if expected.isConfirmed { #expect(found.contains { $0.confirmation?.agrees == true }) }
      // The kernel never contradicts the model.
      #expect(!claim.findings.contains { $0.confirmation?.agrees == false })
    }
  }
}
