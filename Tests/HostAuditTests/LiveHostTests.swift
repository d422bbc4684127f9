import Bytecode
import Glibc
import HostAudit
import HostFacts
import LinuxSystem
import Testing

/// The judges over what a kernel says.
@Suite(.enabled(if: (try? NetworkNamespace.make()) != nil, "needs network namespaces: run as root"))
struct LiveHostTests {
  @Test func `kernel: a fresh namespace has no way out but who holds capabilities over it`() throws
  {
    let state = try NetworkNamespace.make().run {
      try NetworkNamespace.assertThrowAway()
      return HostReader.readHere()
    }
    let findings = state.bypasses(rules: Ruleset(), acceptsMidStream: false)
    for bypass: Bypass in [
      .packetSockets, .xdpSockets, .xdpPrograms, .legacyTables, .flowtables, .bridges, .tunDevices,
      .tunnels, .ipsec, .routeEncapsulation, .marks, .loosePickup,
    ] {
      let finding = try #require(findings.first { $0.bypass == bypass })
      #expect(finding.status == .absent, "\(finding)")
    }
    #expect(state.listeners(judgedBy: HostStates.policy()).status == .holds)
    #expect(state.liveFlows(judgedBy: HostStates.policy()).status == .holds)
  }

  @Test func `kernel: a packet socket is a finding with this process`() throws {
    let state = try NetworkNamespace.make().run {
      try NetworkNamespace.assertThrowAway()
      let socket = Glibc.socket(AF_PACKET, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), 0)
      #expect(socket >= 0)
      defer { close(socket) }
      return HostReader.readHere()
    }
    let finding = try #require(
      state.bypasses(rules: Ruleset(), acceptsMidStream: nil).first { $0.bypass == .packetSockets })
    #expect(finding.status == .present)
    #expect(finding.evidence.map { $0.processes?.value?.map(\.pid) } == [[getpid()]])
  }
}
