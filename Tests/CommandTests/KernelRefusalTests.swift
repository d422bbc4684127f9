import Foundation
import Glibc
import TestSupport
import Testing

@testable import NetfilterLink
@testable import Operations

/// What the verbs say when the place is wrong, taken or forbidden; the kernel is as before.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct KernelRefusalTests {
  private static let policy = "public-internet-only"
  private static let verbs = [["apply", policy], ["refresh", policy], ["status"], ["remove"]]

  /// Every kernel verb with the arguments must fail alike and change nothing.
  private func expectRefusal(
    _ verbs: [[String]] = Self.verbs, with arguments: [String] = [], status: Int32,
    _ complaint: String
  ) throws {
    let before = try Nft.ruleset()
    let generation = try Nft.generation()
    for verb in verbs {
      let outcome = try Weir.run(verb + arguments)
      #expect(outcome.ending == .exit(status), "\(verb)")
      #expect(outcome.output == "", "\(verb)")
      #expect(outcome.error == "weir: \(complaint)\n", "\(verb)")
    }
    #expect(try Nft.ruleset() == before)
    #expect(try Nft.generation() == generation)
  }

  @Test(arguments: [
    ("nowhere", "no network namespace '/run/netns/nowhere'"),
    ("/nowhere/net", "no network namespace '/nowhere/net'"),
    ("2147483647", "no network namespace '/proc/2147483647/ns/net'"),
  ])
  func `kernel: a namespace that does not exist is told before anything else`(
    name: String, complaint: String
  ) throws {
    try ThrowAwayNamespace.run {
      try expectRefusal(
        with: ["--netns", name], status: 66,
        complaint + "; give a name from /run/netns, a process id or a path")
    }
  }

  @Test(arguments: ["/etc/passwd", "/proc/self/ns/uts", "/"])
  func `kernel: a path that is no network namespace is refused`(path: String) throws {
    try ThrowAwayNamespace.run {
      try expectRefusal(
        with: ["--netns", path], status: 66, "'\(path)' is not a network namespace")
    }
  }

  @Test(arguments: [
    ("table inet mine { chain x { }; }", "it has no comment"),
    ("table inet mine { comment \"mine\"; set s { type mark; }; }", "its comment is \"mine\""),
  ])
  func `kernel: a table of somebody else's is neither read as ours nor changed`(
    text: String, reason: String
  ) throws {
    try ThrowAwayNamespace.run {
      try Nft.run("-f", "-", input: text)
      let before = try Nft.ruleset()
      let generation = try Nft.generation()
      for verb in Self.verbs + [["apply", "--dry-run", Self.policy]] {
        let outcome = try Weir.run(verb + ["--table", "mine"])
        #expect(outcome.ending == .exit(1), "\(verb)")
        #expect(outcome.output == "", "\(verb)")
        #expect(
          outcome.error.hasPrefix("weir: table inet mine is not weir's: \(reason)"), "\(verb)")
        #expect(outcome.error.hasSuffix("; choose another name\n"), "\(verb)")
      }
      #expect(try Nft.ruleset() == before)
      #expect(try Nft.generation() == generation)
    }
  }

  @Test(arguments: ["1st", "a/b", "a b", "-x", "ä", "drop", String(repeating: "x", count: 65)])
  func `kernel: a table name that nft could not read back is refused`(name: String) throws {
    try ThrowAwayNamespace.run {
      let generation = try Nft.generation()
      for verb in Self.verbs + [["print", Self.policy]] {
        let outcome = try Weir.run(verb + ["--table=\(name)"])
        #expect(outcome.ending == .exit(64), "\(verb)")
        #expect(outcome.output == "", "\(verb)")
        #expect(outcome.error.hasPrefix("weir: '\(name)' is "), "\(verb)")
      }
      #expect(try Nft.ruleset() == "")
      #expect(try Nft.generation() == generation)
    }
  }

  @Test func `kernel: without the right, every verb names the capability`() throws {
    try ThrowAwayNamespace.run {
      #expect(try Weir.run("apply", Self.policy).ending == .exit(0))
      let before = try Nft.ruleset()
      for verb in Self.verbs + [["apply", "--dry-run", Self.policy], ["apply", "allowlist"]] {
        let outcome = try Weir.run(verb, withoutRights: true)
        #expect(outcome.ending == .exit(77), "\(verb)")
        #expect(outcome.output == "", "\(verb)")
        #expect(outcome.error.contains("Operation not permitted; it needs CAP_NET_ADMIN"))
      }
      let elsewhere = try Weir.run("status", "--netns", "/proc/self/ns/net", withoutRights: true)
      #expect(elsewhere.ending == .exit(77))
      #expect(elsewhere.error.contains("EPERM; run as root"))
      #expect(try Nft.ruleset() == before)
    }
  }

  @Test func `kernel: refresh wants the policy that is installed`() throws {
    try ThrowAwayNamespace.run {
      try expectRefusal(
        [["refresh", Self.policy]], status: 66,
        "inet weir is not installed; apply the policy")
      #expect(try Weir.run("apply", "allowlist", "--allow-unresolved").ending == .exit(0))
      let before = try Nft.ruleset()
      let outcome = try Weir.run("refresh", Self.policy)
      #expect(outcome.ending == .exit(1))
      #expect(outcome.error.contains("inet weir holds another policy (policy allowlist "))
      #expect(outcome.error.hasSuffix("; apply this one first\n"))
      #expect(try Nft.ruleset() == before)
    }
  }

  @Test func `kernel: status and remove of nothing say so`() throws {
    try ThrowAwayNamespace.run {
      let generation = try Nft.generation()
      let status = try Weir.run("status")
      #expect(status.ending == .exit(1))
      #expect(status.output == "table inet weir is not installed\n")
      let removed = try Weir.run("remove")
      #expect(removed.ending == .exit(0))
      #expect(removed.output == "there was no table inet weir\n")
      #expect(try Nft.generation() == generation)
    }
  }

  @Test(arguments: [
    ["--resolve", "smtp.example.org"], ["--resolve", "smtp.example.org=1.2.3"],
    ["--resolve", "=192.0.2.1"], ["--resolver", "somewhere"], ["--resolver", "192.0.2.1:99999"],
    ["--format", "xml"], ["--nonsense"],
  ])
  func `kernel: a command line that makes no sense ends with 64`(arguments: [String]) throws {
    try ThrowAwayNamespace.run {
      let outcome = try Weir.run(["apply", "allowlist"] + arguments)
      #expect(outcome.ending == .exit(64))
      #expect(outcome.output == "")
      #expect(outcome.error.contains(arguments[0]))
      #expect(try Nft.ruleset() == "")
    }
  }

  @Test(arguments: [[], ["explain", "allowlist", "udp nowhere"], ["explain", "allowlist"]])
  func `a verb without what it needs ends with 64, help with 0`(arguments: [String]) throws {
    let outcome = try Weir.run(arguments.isEmpty ? ["nonsense"] : arguments)
    #expect(outcome.ending == .exit(64))
    #expect(outcome.output == "")
    #expect(outcome.error != "")
    let help = try Weir.run(["--help"])
    #expect(help.ending == .exit(0))
    #expect(help.output.contains("EXIT CODES"))
  }

  @Test(arguments: [
    (KernelError.Cause.refused(EPERM), Operations.ExitStatus.notPermitted),
    (.refused(EACCES), .notPermitted), (.refused(ENOENT), .unsupported),
    (.refused(EOPNOTSUPP), .unsupported), (.refused(EPROTONOSUPPORT), .unsupported),
    (.refused(EAFNOSUPPORT), .unsupported), (.refused(EMSGSIZE), .unknown),
    (.refused(ENOMEM), .unknown), (.repliesLost, .unknown), (.generationMoved, .unknown),
    (.malformedReply("x"), .unknown), (.keepsChanging(attempts: 8), .unknown),
  ])
  func `each refusal of a kernel has its exit code`(
    cause: KernelError.Cause, status: Operations.ExitStatus
  ) {
    let error = KernelError(operation: "test", cause: cause)
    #expect(error.exitStatus == status)
    #expect(InstallError.kernel(error, standing: .nothing).exitStatus == status)
  }
}
