import Foundation
import LinuxSystem
import TestSupport
import Testing

/// `weir verify --scope`: a policy replayed as a scope has it, both families.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct ScopeVerifyTests {
  private struct Report: Decodable {
    struct Clause: Decodable {
      var clause: String
      var answer: String
      var probes: Int
    }
    struct Rung: Decodable {
      var rung: String
      var outcome: String
      var allowed: Int
      var denied: Int
    }
    var scope: String
    var rungs: [Rung]
    var clauses: [Clause]
  }

  private static let examples = #filePath.replacing(
    "Tests/CommandTests/ScopeVerifyTests.swift", with: "examples")

  private func verify(_ policy: String, _ scope: String) throws -> (Report, ProgramOutcome) {
    let outcome = try NetworkNamespace.make().run {
      try Weir.run(
        "verify", policy, "--scope", scope, "--probes", "2000", "--format", "json")
    }
    return (try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8)), outcome)
  }

  @Test(arguments: ["user", "interface"])
  func `kernel: all rungs agree about a policy that is in force for a scope`(
    scope: String
  ) throws {
    try check(scope)
  }

  @Test(.enabled(if: ScopeTests.Group.isThere, "needs a cgroup2 that may be written"))
  func `kernel: all rungs agree about a policy that is in force for a cgroup`() throws {
    try check("cgroup")
  }

  private func check(_ scope: String) throws {
    for policy in ["tenant", "server"].map({ "\(Self.examples)/\($0).yaml" }) {
      let (report, outcome) = try verify(policy, scope)
      #expect(report.scope == scope)
      #expect(report.rungs.map(\.outcome) == Array(repeating: "agrees", count: 5))
      #expect(report.rungs.allSatisfy { $0.allowed > 0 && $0.denied > 0 })
      #expect(outcome.ending == .exit(0), "\(outcome.output)")
      let transfer = try #require(report.clauses.first { $0.clause == "transfer" })
      #expect(
        transfer.answer == (scope == "interface" ? "not a packet rule" : "verified by replay"))
    }
  }
}
