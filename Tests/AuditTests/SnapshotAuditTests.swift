import Foundation
import LinuxSystem
import Operations
import TestSupport
import Testing

/// Audits of snapshot files, replays of what was found, and the forms of the report.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, Comment(rawValue: ThrowAwayNamespace.reason)))
struct SnapshotAuditTests {
  private static let rules = """
    table inet egress {
      chain output {
        type filter hook output priority filter; policy drop;
        oifname "lo" accept
        udp dport 9999 accept
        meta mark 0x7 accept
        ip daddr 192.0.2.0/24 tcp dport 443 accept
      }
    }
    """

  /// A snapshot of a namespace with these rules, in a file of its own.
  private func withSnapshot<Value>(
    includesHost: Bool = true, _ body: (String) throws -> Value
  ) throws -> Value {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "weir-audit-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "host.weir").path
    try ThrowAwayNamespace.run {
      try HostPlant.run("ip link add eth0 type veth peer name eth1")
      try HostPlant.run("ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up")
      try Audited.load(Self.rules)
      try writeSnapshot(
        try takeSnapshot(of: nil, includesHost: includesHost), to: path)
    }
    return try body(path)
  }

  private func audited(_ path: String, confirms: Bool = false) throws -> AuditReport {
    var request = AuditRequest(policy: try Audited.policy.get())
    request.snapshotFile = path
    request.confirms = confirms
    return try audit(request)
  }

  @Test func `kernel: a replay of what was found does what the audit says`() throws {
    let report = try withSnapshot { try audited($0, confirms: true) }
    let leak = try #require(report.claims.first { $0.claim == .noLeak })
    #expect(leak.answer == .fails)
    let replays = leak.findings.compactMap(\.confirmation)
    #expect(replays.contains { $0.agrees == true }, "\(replays.map(\.seen))")
    #expect(!replays.contains { $0.agrees == false }, "\(replays.map(\.seen))")
    let blocked = try #require(report.claims.first { $0.claim == .noOverBlocking })
    #expect(blocked.answer == .fails)
    #expect(!blocked.findings.compactMap(\.confirmation).contains { $0.agrees == false })
  }

  @Test func `a snapshot without host facts leaves the claims about the host unknown`() throws {
    let report = try withSnapshot(includesHost: false) { try audited($0) }
    for kind in [ClaimKind.listeners, .liveFlows, .waysAround] {
      let claim = try #require(report.claims.first { $0.claim == kind })
      #expect(claim.answer == .unknown)
      #expect(claim.causes.contains { $0.contains("not in the snapshot") }, "\(claim.causes)")
    }
    #expect(report.claims.first { $0.claim == .noLeak }?.answer == .fails)
  }

  @Test func `a cut or changed snapshot is refused as bad data`() throws {
    try withSnapshot { path in
      var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
      bytes[bytes.count / 2] ^= 0x40
      try Data(bytes).write(to: URL(filePath: path))
      let changed = #expect(throws: OperationFailure.self) { try audited(path) }
      #expect(changed?.status == .badData)
      try Data(bytes.prefix(bytes.count / 3)).write(to: URL(filePath: path))
      let cut = #expect(throws: OperationFailure.self) { try audited(path) }
      #expect(cut?.status == .badData)
    }
    let missing = #expect(throws: OperationFailure.self) { try audited("/nowhere/host.weir") }
    #expect(missing?.status == .notFound)
  }

  @Test func `a spent budget makes claims about packets unknown, and says so`() throws {
    let report = try withSnapshot { path in
      var request = AuditRequest(policy: try Audited.policy.get())
      request.snapshotFile = path
      request.intervalBudget = 1000
      return try audit(request)
    }
    let leak = try #require(report.claims.first { $0.claim == .noLeak })
    #expect(leak.answer == .unknown)
    #expect(leak.causes.contains { $0.contains("too complex") })
  }

  @Test func `the report's JSON is as its schema says`() throws {
    let schema = try JSONSchema(
      String(
        contentsOf: HoleCase.folder.deletingLastPathComponent().deletingLastPathComponent()
          .deletingLastPathComponent().appending(path: "schema/audit.schema.json"),
        encoding: .utf8))
    let report = try withSnapshot { try audited($0, confirms: true) }
    let value = try JSONSerialization.jsonObject(with: JSONEncoder().encode(report))
    #expect(schema.accepts(value))
    var wrong = try #require(value as? [String: Any])
    wrong["surprise"] = 1
    #expect(!schema.accepts(wrong))
  }

  @Test func `a finding is a SARIF result, and a claim that is open a warning`() throws {
    let report = try withSnapshot(includesHost: false) { try audited($0) }
    let data = try JSONEncoder().encode(AuditSARIF(report, toolVersion: "0"))
    let value = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    let run = try #require((value["runs"] as? [[String: Any]])?.first)
    let results = try #require(run["results"] as? [[String: Any]])
    #expect(
      results.contains { $0["ruleId"] as? String == "no-leak" && $0["level"] as? String == "error" }
    )
    #expect(
      results.contains {
        $0["ruleId"] as? String == "listeners" && $0["level"] as? String == "warning"
      })
  }
}
