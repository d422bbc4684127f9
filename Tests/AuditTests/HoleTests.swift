import Foundation
import LinuxSystem
import Operations
import TestSupport
import Testing

/// A ruleset with one hole, and its repaired twin; `Tests/Corpus/audit/README.md` says how they look.
struct HoleCase: CustomTestStringConvertible, Sendable {
  let name: String
  let hole: String
  let claim: String
  let answer: String
  let names: String
  let broken: String
  let repaired: String

  var testDescription: String { name }

  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Corpus/audit")

  static let all: [HoleCase] = {
    let files =
      (try? FileManager.default.contentsOfDirectory(
        at: folder.appending(path: "holes"), includingPropertiesForKeys: nil)) ?? []
    return files.sorted { $0.path < $1.path }.compactMap { try? HoleCase($0) }
  }()

  init(_ file: URL) throws {
    let text = try String(contentsOf: file, encoding: .utf8)
    let parts = text.components(separatedBy: "== broken\n")
    let rules = parts[1].components(separatedBy: "== repaired\n")
    var head: [String: String] = [:]
    for line in parts[0].split(separator: "\n") {
      let pair = line.components(separatedBy: ": ")
      head[pair[0]] = pair.dropFirst().joined(separator: ": ")
    }
    let claim = try #require(head["claim"]).split(separator: " ").map(String.init)
    name = file.deletingPathExtension().lastPathComponent
    hole = try #require(head["hole"])
    (self.claim, answer) = (claim[0], claim[1])
    names = try #require(head["names"])
    broken = try Self.expanded(rules[0])
    repaired = try Self.expanded(rules[1])
  }

  /// The rules with `@name` lines replaced by the texts of `common/`.
  private static func expanded(_ rules: String) throws -> String {
    try rules.components(separatedBy: "\n").map { line in
      guard line.hasPrefix("@") else { return line }
      return try String(
        contentsOf: folder.appending(path: "common/\(line.dropFirst()).nft"), encoding: .utf8)
    }.joined(separator: "\n")
  }
}

@Suite(.enabled(if: ThrowAwayNamespace.isThere, Comment(rawValue: ThrowAwayNamespace.reason)))
struct HoleTests {
  @Test func `there are at least thirty holes, each with a claim that exists`() {
    #expect(HoleCase.all.count >= 30)
    for hole in HoleCase.all { #expect(ClaimKind(rawValue: hole.claim) != nil, "\(hole.name)") }
  }

  @Test(arguments: HoleCase.all)
  func `kernel: the hole is found and named, and its repaired twin holds`(hole: HoleCase) throws {
    let broken = try Audited.rules(hole.broken)
    let claim = try #require(broken.claims.first { $0.claim.rawValue == hole.claim })
    #expect(claim.answer.rawValue == hole.answer, "\(hole.hole): \(claim.causes)")
    let told = claim.findings.map(\.told) + claim.causes
    #expect(told.contains { $0.contains(hole.names) }, "\(told)")
    let repaired = try Audited.rules(hole.repaired)
    let twin = try #require(repaired.claims.first { $0.claim.rawValue == hole.claim })
    #expect(twin.answer == .holds, "\(twin.findings.map(\.told)) \(twin.causes)")
  }
}

/// Audits of namespaces made for it.
enum Audited {
  static let policy = Result {
    try loadPolicy(HoleCase.folder.appending(path: "policy.yaml").path)
  }

  /// The audit of a fresh namespace with one link beside `lo` and these rules.
  static func rules(_ rules: String) throws -> AuditReport {
    try ThrowAwayNamespace.run {
      try HostPlant.run("ip link add eth0 type veth peer name eth1")
      try HostPlant.run("ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up")
      try load(rules)
      return try audit(AuditRequest(policy: try policy.get()))
    }
  }

  /// Loads nft text into the calling thread's namespace.
  static func load(_ rules: String) throws {
    try NetworkNamespace.assertThrowAway()
    let outcome = try Program.run(["nft", "-f", "-"], input: rules)
    guard outcome.ending == .exit(0) else { throw HostPlant.Failed(what: outcome.error) }
  }
}

extension AuditFinding {
  /// Everything that the finding says, in one text.
  var told: String {
    ([message, packet ?? "", clause ?? ""] + facts + path.map(\.text)).joined(separator: "\n")
  }
}
