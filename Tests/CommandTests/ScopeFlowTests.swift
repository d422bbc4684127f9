import Foundation
import Glibc
import LinuxSystem
import NetworkTypes
import TestSupport
import Testing

/// What `weir scope` does to flows that are open, with real sockets in both families.
///
/// This process is the parent of `weir`, so that its connections are the operator's own.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct ScopeFlowTests {
  private let folder: TemporaryFolder
  /// Denies port 9.
  private let loose: String
  /// Denies ports 10 and 12.
  private let tight: String

  init() throws {
    folder = try TemporaryFolder()
    func text(_ name: String, _ ports: String) -> String {
      """
      policy: \(name)
      inbound: allow
      on-deny: drop
      default: allow
      deny:
        - {clause: closed, port: [\(ports)]}
      """
    }
    loose = try folder.file("loose.yaml", text("loose", "9"))
    tight = try folder.file("tight.yaml", text("tight", "10, 12"))
  }

  /// One conversation in each family for each of TCP and UDP.
  private func conversations(to port: UInt16) throws -> [OpenFlow] {
    try [IPAddress.v4(0x7f00_0001), .v6(1)].flatMap { address in
      try [SOCK_STREAM, SOCK_DGRAM].map { try OpenFlow(address, port, $0.rawValue) }
    }
  }

  @Test(.enabled(if: !UserNamespace.isNeeded, "needs root"))
  func `kernel: a tightened scope ends its own flows, and those of no other`() throws {
    try ThrowAwayNamespace.run {
      #expect(try Weir.run("scope", "add", "--user", "4711", loose).ending == .exit(0))
      let denied = try SocketUser.run(as: 4711) { try conversations(to: 10) }
      let allowed = try SocketUser.run(as: 4711) { try conversations(to: 11) }
      let others = try SocketUser.run(as: 4712) { try conversations(to: 12) }
      #expect((denied + allowed + others).allSatisfy { $0.isAlive() })
      let refused = try Weir.run("scope", "add", "--user", "4711", tight)
      #expect(refused.ending == .exit(1))
      #expect(refused.error.contains("your own connection"), "\(refused.error)")
      #expect(denied.allSatisfy { $0.isAlive() })
      let kept = try Weir.run("scope", "add", "--user", "4711", tight, "--keep-existing")
      #expect(kept.ending == .exit(0))
      #expect(kept.output.contains("left to go on: 4\n"), "\(kept.output)")
      #expect((denied + allowed + others).allSatisfy { $0.isAlive() })
      let outcome = try Weir.run("scope", "add", "--user", "4711", tight, "--force")
      #expect(outcome.ending == .exit(0), "\(outcome.error)")
      #expect(outcome.output.contains("ended: 4\n"), "\(outcome.output)")
      for flow in denied { #expect(outcome.output.contains("    \(flow.text)")) }
      #expect(denied.allSatisfy { !$0.isAlive() })
      #expect((allowed + others).allSatisfy { $0.isAlive() })
    }
  }

  @Test(.enabled(if: ScopeTests.Group.isThere, "needs a cgroup2 that may be written"))
  func `kernel: a cgroup's scope ends the flows of what is below it too`() throws {
    let group = try ScopeTests.Group()
    try ThrowAwayNamespace.run {
      // Conntrack knows no datagrams before some rule asks it.
      #expect(try Weir.run("scope", "add", "--cgroup", group.name, loose).ending == .exit(0))
      let below = "\(ScopeTests.Group.root)/\(group.name)/below"
      #expect(unsafe mkdir(below, 0o755) == 0)
      defer { unsafe rmdir(below) }
      let denied = try group.run {
        try Data("\(getpid())".utf8).write(to: URL(filePath: "\(below)/cgroup.procs"))
        return try conversations(to: 10)
      }
      let others = try conversations(to: 12)
      #expect((denied + others).allSatisfy { $0.isAlive() })
      let outcome = try Weir.run("scope", "add", "--cgroup", group.name, tight, "--force")
      #expect(outcome.ending == .exit(0), "\(outcome.error)")
      #expect(outcome.output.contains("ended: 4\n"), "\(outcome.output)")
      #expect(denied.allSatisfy { !$0.isAlive() })
      #expect(others.allSatisfy { $0.isAlive() })
    }
  }

  @Test func `kernel: a tightened link's scope ends what is forwarded for it`() throws {
    let topology = try SandboxTopology(.answering, isRouted: true)
    func conversations(to port: UInt16) throws -> [OpenFlow] {
      try Family.allCases.flatMap { family in
        try [SOCK_STREAM, SOCK_DGRAM].map {
          try OpenFlow(
            topology.addresses.outside(family), port, $0.rawValue,
            from: topology.addresses.inside(family), in: topology.inside, to: topology.outside)
        }
      }
    }
    try topology.filter.run {
      let link = ["--interface", SandboxTopology.tenantLinkName]
      #expect(try Weir.run(["scope", "add"] + link + [loose]).ending == .exit(0))
      let denied = try conversations(to: 10)
      let allowed = try conversations(to: 11)
      #expect((denied + allowed).allSatisfy { $0.isAlive() })
      let outcome = try Weir.run(["scope", "add"] + link + [tight])
      #expect(outcome.ending == .exit(0), "\(outcome.error)")
      #expect(outcome.output.contains("ended: 4\n"), "\(outcome.output)")
      #expect(outcome.output.contains(", forwarded"))
      #expect(denied.allSatisfy { !$0.isAlive() })
      #expect(allowed.allSatisfy { $0.isAlive() })
    }
  }
}
