import Foundation
import Glibc
import LinuxSystem
import NetworkTypes
import TestSupport
import Testing

/// `weir audit` of the packets of one scope, both families.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct ScopeAuditTests {
  private struct Report: Decodable {
    struct Finding: Decodable { var message: String }
    struct Claim: Decodable {
      var claim: String
      var answer: String
      var findings: [Finding]
      var causes: [String]
    }
    struct Clause: Decodable {
      var clause: String
      var answer: String
    }
    var packetsOf: String?
    var claims: [Claim]
    var clauses: [Clause]

    subscript(name: String) -> Claim? { claims.first { $0.claim == name } }
  }

  private func audit(_ policy: String, _ words: String...) throws -> Report {
    let outcome = try Weir.run(["audit", policy, "--format", "json"] + words)
    return try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
  }

  @Test func `kernel: the packets of a scope are held against its policy, and those of no other`()
    throws
  {
    let folder = try TemporaryFolder()
    let seven = try folder.file(
      "seven.yaml", "policy: seven\ndefault: allow\ndeny:\n  - {clause: shut, port: 7}\n")
    let nine = try folder.file(
      "nine.yaml", "policy: nine\ndefault: allow\ndeny:\n  - {clause: shut, port: 9}\n")
    try ThrowAwayNamespace.run {
      try HostPlant.run("ip link add eth0 type veth peer name tap0")
      #expect(try Weir.run("scope", "add", "--user", "65534", seven).ending == .exit(0))
      #expect(try Weir.run("scope", "add", "--user", "65533", nine).ending == .exit(0))
      #expect(try Weir.run("scope", "add", "--interface", "tap0", nine).ending == .exit(0))
      for (policy, other, scope) in [
        (seven, nine, ["--user", "65534"]), (nine, seven, ["--user", "65533"]),
        (nine, seven, ["--interface", "tap0"]),
      ] {
        let report = try audit(policy, scope[0], scope[1])
        #expect(report.packetsOf == "\(scope[0].dropFirst(2)) \(scope[1])")
        for claim in ["no-leak", "no-over-blocking", "as-installed"] {
          let answer = report[claim]
          #expect(answer?.answer == "holds", "\(scope) \(claim) \(answer.map { "\($0)" } ?? "")")
        }
        let wrong = try audit(other, scope[0], scope[1])
        for claim in ["no-leak", "no-over-blocking", "as-installed"] {
          #expect(wrong[claim]?.answer == "fails", "\(scope) \(claim)")
        }
      }
      // A machine behind a link is not reached; a user's socket may hear, and does not answer.
      #expect(try audit(nine, "--interface", "tap0")["nothing-enters"]?.answer == "holds")
      #expect(try audit(seven, "--user", "65534")["nothing-enters"]?.answer == "fails")
      // A user without a scope may do anything.
      let free = try audit(seven, "--user", "65532")
      #expect(free["no-leak"]?.answer == "fails")
      #expect(free["as-installed"]?.findings.map(\.message).first?.contains("not bound") ?? false)
      // Somebody opens a way for the one user.
      try Nft.run(
        "insert", "rule", "inet", "weir-scopes", "out/user", "meta", "skuid", "65534", "accept")
      #expect(try audit(seven, "--user", "65534")["no-leak"]?.answer == "fails")
      #expect(try audit(nine, "--user", "65533")["no-leak"]?.answer == "holds")
      #expect(try audit(nine, "--user", "65533")["as-installed"]?.answer == "fails")
    }
  }

  @Test(.enabled(if: !UserNamespace.isNeeded, "needs root"))
  func `kernel: an audit of a scope sees its open flows and listeners, and those of no other`()
    throws
  {
    let folder = try TemporaryFolder()
    let text = { (name: String, port: Int) in
      "policy: \(name)\ndefault: allow\ndeny:\n  - {clause: shut, port: \(port)}\n"
    }
    let ten = try folder.file("ten.yaml", text("ten", 10))
    let nine = try folder.file("nine.yaml", text("nine", 9))
    try ThrowAwayNamespace.run {
      try HostPlant.run("ip link add eth0 type veth peer name eth1")
      try HostPlant.run(
        "ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up && ip link set eth1 up")
      #expect(try Weir.run("scope", "add", "--user", "4711", nine).ending == .exit(0))
      let flows = try SocketUser.run(as: 4711) {
        try [IPAddress.v4(0x7f00_0001), .v6(1)].map {
          try OpenFlow($0, 10, SOCK_STREAM.rawValue)
        }
      }
      #expect(flows.allSatisfy { $0.isAlive() })
      let quiet = try audit(nine, "--user", "4711")
      #expect(quiet["live-flows"]?.answer == "holds")
      #expect(quiet["listeners"]?.answer == "holds")
      #expect(try audit(ten, "--user", "4711")["live-flows"]?.findings.count == 2)
      #expect(try audit(ten, "--user", "4712")["live-flows"]?.answer == "holds")
      let listener = try SocketUser.run(as: 4711) {
        try HostPlant.listener(.v4(0xc000_0202), port: 9000)
      }
      defer { close(listener) }
      #expect(try audit(nine, "--user", "4711")["listeners"]?.findings.count == 1)
      #expect(try audit(nine, "--user", "4712")["listeners"]?.answer == "holds")
    }
  }

  @Test(.enabled(if: ScopeTests.Group.isThere, "needs a cgroup2 that may be written"))
  func `kernel: the packets of a cgroup are told by its number, and a snapshot keeps it`() throws {
    let folder = try TemporaryFolder()
    let seven = try folder.file(
      "seven.yaml", "policy: seven\ndefault: allow\ndeny:\n  - {clause: shut, port: 7}\n")
    let nine = try folder.file(
      "nine.yaml", "policy: nine\ndefault: allow\ndeny:\n  - {clause: shut, port: 9}\n")
    let (a, b) = (try ScopeTests.Group(), try ScopeTests.Group())
    try ThrowAwayNamespace.run {
      try HostPlant.run("ip link add eth0 type veth peer name eth1")
      #expect(try Weir.run("scope", "add", "--cgroup", a.name, seven).ending == .exit(0))
      #expect(try Weir.run("scope", "add", "--cgroup", b.name, nine).ending == .exit(0))
      for claim in ["no-leak", "no-over-blocking", "nothing-enters", "as-installed"] {
        let answer = try audit(seven, "--cgroup", a.name)[claim]
        #expect(answer?.answer == "holds", "\(claim) \(answer.map { "\($0)" } ?? "")")
      }
      for (group, answer) in [(a, "proved"), (b, "fails")] {
        let report = try audit(seven, "--cgroup", group.name)
        #expect(report.clauses.first { $0.clause == "transfer" }?.answer == answer)
      }
      #expect(try audit(seven, "--cgroup", b.name)["no-leak"]?.answer == "fails")
      // What is in one below is judged by it too, and the analysis knows but one depth.
      let below = "\(ScopeTests.Group.root)/\(a.name)/below"
      #expect(unsafe mkdir(below, 0o755) == 0)
      defer { unsafe rmdir(below) }
      #expect(try audit(seven, "--cgroup", "\(a.name)/below")["no-leak"]?.answer == "unknown")
      let file = folder.url.appending(path: "host.weir").path
      #expect(try Weir.run("snapshot", "--output", file).ending == .exit(0))
      #expect(
        try audit(seven, "--cgroup", a.name, "--snapshot", file)["no-leak"]?.answer == "holds")
      #expect(
        try audit(nine, "--cgroup", a.name, "--snapshot", file)["no-leak"]?.answer == "fails")
    }
  }
}
