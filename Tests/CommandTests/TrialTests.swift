import Glibc
import LinuxSystem
import NetworkTypes
import TestSupport
import Testing

/// `weir apply --confirm` and `weir confirm` as an operator uses them, and what packets make of it.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct TrialTests {
  /// Two policies that differ in the one port that each denies.
  private static func text(_ name: String, denying port: UInt16) -> String {
    """
    policy: \(name)
    inbound: allow
    on-deny: drop
    default: allow
    deny:
      - {clause: closed, port: \(port)}
    """
  }

  private static let nine: UInt16 = 9
  private static let ten: UInt16 = 10

  private let folder: TemporaryFolder
  /// Denies port 9.
  private let first: String
  /// Denies port 10.
  private let second: String

  init() throws {
    folder = try TemporaryFolder()
    first = try folder.file("first.yaml", Self.text("first", denying: Self.nine))
    second = try folder.file("second.yaml", Self.text("second", denying: Self.ten))
  }

  /// Whether a new flow to a port leaves, over either family, which must agree.
  private func leaves(_ port: UInt16) throws -> Bool {
    let results = try [IPAddress.v4(0x7f00_0001), .v6(1)].map { address in
      let family = address.family == .ipv4 ? AF_INET : AF_INET6
      let descriptor = try HostPlant.socket(family, SOCK_DGRAM.rawValue, 0)
      defer { close(descriptor) }
      return (try? HostPlant.send(descriptor, to: address, port: port)) != nil
    }
    #expect(results[0] == results[1])
    return results[0]
  }

  private func waitForEnd() throws {
    for _ in 0..<600 {
      if try !Weir.run("status").output.contains("on trial") { return }
      usleep(50_000)
    }
    Issue.record("the trial does not end")
  }

  @Test func `kernel: on trial the new policy judges packets, and afterwards the old one again`()
    throws
  {
    try ThrowAwayNamespace.run {
      #expect(try Weir.run("apply", first).ending == .exit(0))
      #expect(try (leaves(Self.nine), leaves(Self.ten)) == (false, true))
      let outcome = try Weir.run("apply", second, "--no-diff", "--confirm", "10s")
      #expect(outcome.ending == .exit(0))
      #expect(outcome.output.contains(/on trial: unless confirmed within [0-9] s, generation 1 is/))
      // It tightens one port and loosens the other.
      #expect(try (leaves(Self.nine), leaves(Self.ten)) == (true, false))
      let during = try Weir.run("status")
      #expect(during.output.hasPrefix("table inet weir: generation 2 in force, policy second "))
      #expect(during.output.contains("generation 1 is in force again\n"))
      try waitForEnd()
      #expect(try (leaves(Self.nine), leaves(Self.ten)) == (false, true))
      let after = try Weir.run("status")
      #expect(after.output.hasPrefix("table inet weir: generation 1 in force, policy first "))
      #expect(after.output.contains("an ended trial, unreachable: generation 2\n"))
    }
  }

  @Test func `kernel: a first trial ends with every packet passing, and says so before`() throws {
    try ThrowAwayNamespace.run {
      let outcome = try Weir.run("apply", first, "--no-diff", "--confirm", "10s")
      #expect(outcome.ending == .exit(0))
      #expect(outcome.output.contains("every packet passes\n"))
      #expect(try !leaves(Self.nine))
      try waitForEnd()
      #expect(try leaves(Self.nine))
      let status = try Weir.run("status")
      #expect(status.ending == .exit(1))
      #expect(status.output.contains("every packet passes: a first trial has ended unconfirmed\n"))
    }
  }

  @Test func `kernel: a confirmed policy stays beyond its trial`() throws {
    try ThrowAwayNamespace.run {
      #expect(try Weir.run("apply", first).ending == .exit(0))
      #expect(try Weir.run("apply", second, "--no-diff", "--confirm", "1m").ending == .exit(0))
      let outcome = try Weir.run("confirm")
      #expect(outcome.ending == .exit(0))
      #expect(outcome.output.hasPrefix("table inet weir: generation 2, policy second "))
      #expect(outcome.output.hasSuffix(", is confirmed, in place of generation 1\n"))
      #expect(try !Nft.ruleset().contains("timeout 1m"))
      #expect(try (leaves(Self.nine), leaves(Self.ten)) == (true, false))
      #expect(try Weir.run("apply", second).output.contains("was in force already"))
    }
  }

  @Test func `kernel: to confirm without a trial ends with 1 and says what is in force`() throws {
    try ThrowAwayNamespace.run {
      let nothing = try Weir.run("confirm")
      #expect(nothing.ending == .exit(1))
      #expect(nothing.error.contains("no trial is running in table inet weir: nothing of weir's"))
      #expect(try Weir.run("apply", first).ending == .exit(0))
      let settled = try Weir.run("confirm")
      #expect(settled.ending == .exit(1))
      #expect(settled.error.contains("generation 1 is still in force"))
    }
  }

  @Test(arguments: ["60", "0s", "25h", "s", "-1s", "1.5m", "99999999999999999999s", "６s"])
  func `a time that is none for a trial ends with 64`(text: String) throws {
    let outcome = try ThrowAwayNamespace.run {
      try Weir.run("apply", "public-internet-only", "--confirm=\(text)")
    }
    #expect(outcome.ending == .exit(64))
    #expect(outcome.error.contains("is no time for a trial"))
  }

  @Test(.enabled(if: isStraceThere, "needs strace and the right to trace children"))
  func `kernel: a trial ends although weir was killed before it could say that it began`() throws {
    try ThrowAwayNamespace.run {
      #expect(try Weir.run("apply", first).ending == .exit(0))
      // The first thing that it writes is what it has done.
      let outcome = try Program.run([
        "strace", "-f", "-o", "/dev/null", "-e", "trace=write", "-e",
        "inject=write:signal=KILL:when=1", Weir.path, "apply", second, "--no-diff", "--confirm",
        "2s",
      ])
      #expect(outcome.ending == .signal(SIGKILL))
      #expect(outcome.output == "")
      #expect(try (leaves(Self.nine), leaves(Self.ten)) == (true, false))
      try waitForEnd()
      #expect(try (leaves(Self.nine), leaves(Self.ten)) == (false, true))
    }
  }

  private static let isStraceThere =
    (try? Program.run(["strace", "-o", "/dev/null", "true"]))?.ending == .exit(0)
}
