import Glibc
import LinuxSystem
import NetworkTypes
import TestSupport
import Testing

/// What `weir apply` does to flows that are open, with real sockets in both families.
///
/// This process is the parent of `weir`, so that its connections are the operator's own.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct ExistingFlowTests {
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
  private static let loopbacks: [IPAddress] = [.v4(0x7f00_0001), .v6(1)]

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

  /// One conversation in each family for each of TCP and UDP.
  private func conversations(to port: UInt16) throws -> [OpenFlow] {
    try Self.loopbacks.flatMap { address in
      try [SOCK_STREAM, SOCK_DGRAM].map { try OpenFlow(address, port, $0.rawValue) }
    }
  }

  @Test func `kernel: a tightened policy ends what it no longer allows within a second`() throws {
    try ThrowAwayNamespace.run {
      #expect(try Weir.run("apply", first).ending == .exit(0))
      let denied = try conversations(to: Self.ten)
      let allowed = try conversations(to: 11)
      #expect((denied + allowed).allSatisfy { $0.isAlive() })
      let outcome = try Weir.run("apply", second, "--force")
      #expect(outcome.ending == .exit(0))
      #expect(outcome.output.contains("open flows that the policy denies, ended: 4\n"))
      for flow in denied {
        #expect(outcome.output.contains("    \(flow.text)"))
      }
      #expect(!outcome.output.contains("still open"))
      #expect(denied.allSatisfy { !$0.isAlive() })
      #expect(allowed.allSatisfy { $0.isAlive() })
      #expect(try Weir.run("apply", second).output.contains("was in force already"))
    }
  }

  @Test func `kernel: what is told to be kept goes on, and the next apply ends it`() throws {
    try ThrowAwayNamespace.run {
      #expect(try Weir.run("apply", first).ending == .exit(0))
      let denied = try conversations(to: Self.ten)
      let outcome = try Weir.run("apply", second, "--keep-existing")
      #expect(outcome.ending == .exit(0))
      #expect(outcome.output.contains("open flows that the policy denies, left to go on: 4\n"))
      #expect(denied.allSatisfy { $0.isAlive() })
      let again = try Weir.run("apply", second, "--force")
      #expect(again.output.contains("was in force already"))
      #expect(again.output.contains("ended: 4\n"))
      #expect(denied.allSatisfy { !$0.isAlive() })
    }
  }

  @Test func `kernel: a trial leaves flows alone, so that it can be undone`() throws {
    try ThrowAwayNamespace.run {
      #expect(try Weir.run("apply", first).ending == .exit(0))
      let denied = try conversations(to: Self.ten)
      let outcome = try Weir.run("apply", second, "--confirm", "1m")
      #expect(outcome.ending == .exit(0))
      #expect(outcome.output.contains("left to go on: 4\n"))
      #expect(denied.allSatisfy { $0.isAlive() })
    }
  }

  @Test func `kernel: an open connection that is allowed outlives the first apply`() throws {
    try ThrowAwayNamespace.run {
      let allowed = try conversations(to: 11)
      let outcome = try Weir.run("apply", first)
      #expect(outcome.ending == .exit(0))
      #expect(outcome.output.contains("2 open connections are known to conntrack now"))
      #expect(allowed.allSatisfy { $0.isAlive() })
    }
  }

  @Test func `kernel: nothing is done that would cut the operator's own connection`() throws {
    try ThrowAwayNamespace.run {
      let flow = try OpenFlow(Self.loopbacks[0], Self.nine, SOCK_STREAM.rawValue)
      let outcome = try Weir.run("apply", first)
      #expect(outcome.ending == .exit(1))
      #expect(outcome.error.contains("your own connection, tcp from 127.0.0.1:"))
      #expect(outcome.error.contains(" to 127.0.0.1:9, would be cut: clause closed denies it"))
      #expect(outcome.error.contains("nothing was changed"))
      #expect(try Nft.ruleset().isEmpty)
      let dry = try Weir.run("apply", first, "--dry-run")
      #expect(dry.ending == .exit(0))
      #expect(dry.error.contains("would be cut"))
      #expect(dry.output.contains("which would be ended: 1\n"))
      #expect(try Nft.ruleset().isEmpty)
      #expect(flow.isAlive())
      #expect(try Weir.run("apply", first, "--keep-existing").ending == .exit(0))
      #expect(flow.isAlive())
      let forced = try Weir.run("apply", first, "--force")
      #expect(forced.ending == .exit(0))
      #expect(!flow.isAlive())
    }
  }
}
