import Glibc
import LinuxSystem
import NetworkTypes
import TestSupport
import Testing

/// `weir reap`, with real sockets in both families; this process is the parent of `weir`, so that its
/// connections are the operator's own.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct ReapTests {
  private func flows(to port: UInt16) throws -> [OpenFlow] {
    try [IPAddress.v4(0x7f00_0001), .v6(1)].map { try OpenFlow($0, port, SOCK_STREAM.rawValue) }
  }

  @Test func `kernel: idle sockets are destroyed, those in use are not`() throws {
    let folder = try TemporaryFolder()
    let policy = try folder.file(
      "idle.yaml", "policy: idle\ninbound: allow\nidle: 8s\ndefault: allow\n")
    try ThrowAwayNamespace.run {
      #expect(try Weir.run("apply", "--no-diff", policy).ending == .exit(0))
      let silent = try flows(to: 9)
      let busy = try flows(to: 10)
      for _ in 0..<18 {
        usleep(500_000)
        #expect(busy.allSatisfy { $0.isAlive() })
      }
      let dry = try Weir.run("reap", "--force", "--dry-run")
      #expect(dry.ending == .exit(0))
      #expect(dry.output.contains("idle for 8 s or more: 4; in use: 4\n"))
      #expect(dry.output.contains(": would be destroyed\n"))
      #expect(busy.allSatisfy { $0.isAlive() })
      let outcome = try Weir.run("reap", "--force")
      #expect(outcome.ending == .exit(0))
      #expect(outcome.output.contains(": destroyed\n"))
      #expect(silent.allSatisfy { $0.isReset })
      #expect(busy.allSatisfy { $0.isAlive() })
      #expect(try Weir.run("reap", "--force").output.contains("or more: 0; in use: 4\n"))
    }
  }

  @Test func `kernel: the operator's own connection is left, however idle`() throws {
    try ThrowAwayNamespace.run {
      let silent = try flows(to: 9)
      sleep(2)
      let outcome = try Weir.run("reap", "--idle", "1s")
      #expect(outcome.ending == .exit(0))
      #expect(outcome.output.contains(": left: your own\n"))
      #expect(silent.allSatisfy { $0.isAlive() })
    }
  }

  @Test func `kernel: without a policy or a time nothing is reaped`() throws {
    try ThrowAwayNamespace.run {
      let outcome = try Weir.run("reap")
      #expect(outcome.ending == .exit(64))
      #expect(outcome.error.contains("say after how long with --idle 10m"))
      #expect(try Weir.run("reap", "--idle", "soon").ending == .exit(64))
    }
  }
}
