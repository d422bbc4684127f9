import Foundation
import Glibc
import LinuxSystem
import TestSupport
import Testing

/// `weir guard`, and what it says of others who change rules.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct GuardTests {
  private let folder: TemporaryFolder
  private let policy: String

  init() throws {
    folder = try TemporaryFolder()
    policy = try folder.file("guarded.yaml", Self.text(denying: "192.0.2.0/24"))
  }

  private static func text(denying prefix: String) -> String {
    """
    policy: guarded
    default: allow
    deny:
      - {clause: shut, to: ["\(prefix)"]}
    """
  }

  /// Applies the policy, starts a guard and waits until it watches.
  private func guarded(
    _ words: String..., body: (LoggedChild) throws -> Void
  ) throws {
    try ThrowAwayNamespace.run {
      // Without a way out nothing can leak.
      try HostPlant.run("ip link add eth0 type veth peer name eth1")
      try HostPlant.run("ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up")
      #expect(try Weir.run("apply", "--no-diff", policy).ending == .exit(0))
      let guardian = try LoggedChild([Weir.path, "guard", policy] + words, in: folder)
      #expect(guardian.says("started", within: 120), "\(guardian.text)")
      try body(guardian)
      #expect(guardian.end() == 0)
      #expect(guardian.text.contains("the rules stay in force"))
    }
  }

  private func isInForce() throws -> Bool { try Weir.run("status").ending == .exit(0) }

  @Test func `kernel: a flushed ruleset is told at once, with who did it`() throws {
    try guarded { guardian in
      try Nft.run("flush", "ruleset")
      #expect(guardian.says("drift, by nft (pid ", within: 60), "\(guardian.text)")
      #expect(guardian.text.contains("table inet weir is not there"))
      #expect(guardian.says("claim: ", within: 60), "\(guardian.text)")
      #expect(guardian.text.contains("no-leak: holds before, fails now"), "\(guardian.text)")
      #expect(guardian.text.contains("as-installed: holds before, not there to be asked now"))
      #expect(try !isInForce())
    }
  }

  @Test func `kernel: told to restore, it puts the policy in force again`() throws {
    try guarded("--restore") { guardian in
      try Nft.run("flush", "ruleset")
      #expect(guardian.says("restored, by nft (pid ", within: 60), "\(guardian.text)")
      #expect(try isInForce())
      try Nft.run("insert", "rule", "inet", "weir", "output", "accept")
      #expect(guardian.says("drift, by nft", within: 60))
      let deadline = Date(timeIntervalSinceNow: 60)
      while guardian.text.components(separatedBy: "restored, by").count < 3, Date() < deadline {
        usleep(50_000)
      }
      #expect(try Weir.run("apply", "--no-diff", policy).output.contains("was in force already"))
    }
  }

  @Test func `kernel: changes of others that leave weir's table alone are told as such`() throws {
    try guarded("--format", "json") { guardian in
      try Nft.run("add", "table", "inet", "other")
      #expect(guardian.says("\"event\":\"changed\"", within: 60), "\(guardian.text)")
      #expect(guardian.text.contains("\"by\":\"nft (pid "))
      #expect(!guardian.text.contains("drift"))
    }
  }

  @Test func `kernel: SIGHUP installs another edition, and a bad one changes nothing`() throws {
    try guarded { guardian in
      _ = try folder.file("guarded.yaml", Self.text(denying: "198.51.100.0/24"))
      guardian.signal(SIGHUP)
      #expect(guardian.says("reloaded: policy guarded", within: 60), "\(guardian.text)")
      #expect(try Nft.ruleset().contains("198.51.100.0/24"))
      let before = try Nft.ruleset()
      _ = try folder.file("guarded.yaml", "policy: guarded\ndefault: perhaps\n")
      guardian.signal(SIGHUP)
      #expect(guardian.says("failed: reload: ", within: 60), "\(guardian.text)")
      #expect(try Nft.ruleset() == before)
    }
  }

  @Test func `kernel: killed, it leaves the rules in force`() throws {
    try ThrowAwayNamespace.run {
      #expect(try Weir.run("apply", "--no-diff", policy).ending == .exit(0))
      let guardian = try LoggedChild([Weir.path, "guard", policy], in: folder)
      #expect(guardian.says("started", within: 120))
      guardian.signal(SIGKILL)
      _ = guardian.end()
      #expect(try isInForce())
      let refused = try Weir.run("guard", try folder.file("o.yaml", "policy: o\ndefault: deny\n"))
      #expect(refused.ending == .exit(1))
      #expect(refused.error.contains("the policy is not in force"))
    }
  }
}
