import Glibc
import LinuxSystem
import NetworkTypes
import TestSupport
import Testing

/// The clause `idle`, with real sockets in both families and four seconds instead of ten minutes.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct IdleTests {
  /// UDP from port 9 back to 40009 passes as an answer alone, never as a flow of its own.
  private static func text(idle: String) -> String {
    """
    policy: silent
    inbound: allow
    source-ports: any
    idle: \(idle)
    default: allow
    deny:
      - {clause: answers-only, port: udp/40009}
    """
  }

  private func flows(_ type: __socket_type) throws -> [OpenFlow] {
    try [IPAddress.v4(0x7f00_0001), .v6(1)].map { try OpenFlow($0, 9, type.rawValue) }
  }

  private func install(idle: String) throws {
    let folder = try TemporaryFolder()
    let policy = try folder.file("silent.yaml", Self.text(idle: idle))
    #expect(try Weir.run("apply", "--no-diff", policy).ending == .exit(0))
  }

  @Test func `kernel: traffic renews a flow, silence ends it, a socket used again is reset`() throws
  {
    try ThrowAwayNamespace.run {
      try install(idle: "4s")
      let streams = try flows(SOCK_STREAM)
      let datagrams = try flows(SOCK_DGRAM)
      for _ in 0..<12 {
        usleep(500_000)
        #expect(streams.allSatisfy { $0.isAlive() })
        #expect(datagrams.allSatisfy { $0.hears() })
      }
      sleep(6)
      #expect(datagrams.allSatisfy { !$0.hears() })
      #expect(streams.allSatisfy { !$0.isAlive() })
      #expect(streams.allSatisfy { $0.isReset })
    }
  }

  @Test func `kernel: without the clause the same silence ends nothing`() throws {
    try ThrowAwayNamespace.run {
      try install(idle: "off")
      let streams = try flows(SOCK_STREAM)
      let datagrams = try flows(SOCK_DGRAM)
      sleep(6)
      #expect(datagrams.allSatisfy { $0.hears() })
      #expect(streams.allSatisfy { $0.isAlive() })
    }
  }

  @Test func `kernel: flows keep their timeouts when another policy is applied`() throws {
    try ThrowAwayNamespace.run {
      // Long enough for an apply on a busy machine.
      try install(idle: "15s")
      let streams = try flows(SOCK_STREAM)
      let folder = try TemporaryFolder()
      let other = try folder.file(
        "other.yaml", Self.text(idle: "1h").replacing("silent", with: "other"))
      #expect(try Weir.run("apply", "--no-diff", other).ending == .exit(0))
      #expect(streams.allSatisfy { $0.isAlive() })
      sleep(17)
      #expect(streams.allSatisfy { !$0.isAlive() })
    }
  }
}
