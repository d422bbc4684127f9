import Bytecode
import Glibc
import HostAudit
import HostFacts
import LinuxSystem
import NetworkTypes
import PolicyMeaning
import TestSupport
import Testing

/// The judges over what a kernel says of a namespace with something planted in it.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "needs network namespaces: run as root"))
struct LiveHostTests {
  private func read(_ plant: () throws -> [Int32] = { [] }) throws -> HostState {
    try NetworkNamespace.make().run {
      try NetworkNamespace.assertThrowAway()
      try HostPlant.run("ip link set lo up")
      let descriptors = try plant()
      defer { descriptors.forEach { _ = close($0) } }
      return HostReader.readHere()
    }
  }

  private func finding(_ bypass: Bypass, _ state: HostState) throws -> BypassFinding {
    try #require(
      state.bypasses(rules: Ruleset(), acceptsMidStream: false).first { $0.bypass == bypass })
  }

  @Test func `kernel: a fresh namespace has none of the ways that someone must have opened`() throws
  {
    let state = try read()
    for bypass: Bypass in [
      .packetSockets, .xdpSockets, .xdpPrograms, .legacyTables, .flowtables, .forwarding, .bridges,
      .tunDevices, .tunnels, .ipsec, .routeEncapsulation, .marks, .loosePickup, .loopbackProxies,
      .kernelPackets,
    ] {
      let finding = try finding(bypass, state)
      #expect(finding.status == .absent, "\(finding)")
    }
    #expect(state.listeners(judgedBy: HostStates.policy()).status == .holds)
    #expect(state.liveFlows(judgedBy: HostStates.policy()).status == .holds)
  }

  @Test(arguments: [(AF_PACKET, Bypass.packetSockets), (44, .xdpSockets)])
  func `kernel: a packet or XDP socket is a finding with this process`(
    family: Int32, bypass: Bypass
  ) throws {
    let state = try read { [try HostPlant.socket(family, SOCK_RAW.rawValue, 0)] }
    let finding = try finding(bypass, state)
    #expect(finding.status == .present)
    #expect(finding.evidence.map { $0.processes?.value?.map(\.pid) } == [[getpid()]])
  }

  @Test(.enabled(if: HostPlant.isMachineRoot, "tun devices need root"))
  func `kernel: a tun device is a finding`() throws {
    let state = try read {
      try HostPlant.run("ip tuntap add dev t0 mode tun")
      return []
    }
    #expect(try finding(.tunDevices, state).evidence.map(\.text) == ["t0 (tun)"])
  }

  @Test func `kernel: legacy tables, bridges and forwarding are findings`() throws {
    let state = try read {
      try HostPlant.legacyTable("filter")
      try HostPlant.run("ip link add b0 type bridge && ip link add p0 type veth peer name p1")
      try HostPlant.run("ip link set p0 master b0; ip link set p1 up")
      try HostPlant.run("echo 0 > /proc/sys/net/bridge/bridge-nf-call-iptables || true")
      try HostPlant.run("echo 1 > /proc/sys/net/ipv6/conf/all/forwarding")
      return []
    }
    #expect(try finding(.legacyTables, state).evidence.map(\.text) == ["iptables table filter"])
    #expect(try finding(.bridges, state).evidence.first?.text.hasPrefix("b0 with p0:") == true)
    #expect(try finding(.forwarding, state).evidence.first?.text.hasPrefix("IPv6 is") == true)
    #expect(try finding(.kernelPackets, state).evidence.map(\.text).contains { $0.hasPrefix("p1") })
  }

  @Test func `kernel: a listener on every address fails, one on the loopback does not`() throws {
    let state = try read {
      [
        try HostPlant.listener(.v4(0), port: 4301), try HostPlant.listener(.v6(1), port: 4302),
        try HostPlant.bound(.v6(0), port: 4303, SOCK_DGRAM.rawValue),
      ]
    }
    let report = state.listeners(judgedBy: HostStates.policy())
    #expect(report.status == .fails)
    #expect(report.beyond.map(\.socket.localPort) == [4301, 4303])
    #expect(report.local.map(\.socket.localPort) == [4302])
    for listener in report.beyond {
      #expect(listener.socket.owners.value?.map(\.pid) == [getpid()])
    }
    #expect(report.beyond.last?.takesIPv4 == true)
  }

  @Test func `kernel: a conversation outside the policy is found by its process`() throws {
    let state = try read {
      let server = try HostPlant.listener(.v4(0x7f00_0001), port: 4401)
      let client = try HostPlant.bound(.v4(0x7f00_0001), port: 0, SOCK_STREAM.rawValue)
      try HostPlant.connect(client, to: .v4(0x7f00_0001), port: 4401)
      return [server, client]
    }
    // 127.0.0.0/8 is denied by the policy; conntrack is off, so the socket alone shows it.
    let report = state.liveFlows(judgedBy: HostStates.policy())
    #expect(report.status == .fails)
    #expect(report.outside.count == 1)
    #expect(report.outside.first?.flow.remotePort == 4401)
    #expect(report.outside.first?.ruling.clause == "private")
    #expect(report.outside.first?.owners.value?.map(\.pid) == [getpid()])
  }
}
