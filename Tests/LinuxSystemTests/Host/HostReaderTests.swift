import Glibc
import HostFacts
import LinuxSystem
import NetworkTypes
import TestSupport
import Testing

/// Reads namespaces made for the test, with something planted in each.
@Suite(.enabled(if: KernelAccess.isThere, KernelAccess.reason))
struct HostReaderTests {
  /// Runs a body in a fresh namespace whose `lo` is up, and reads what is there then.
  private func read(_ prepare: () throws -> [Int32] = { [] }) throws -> HostState {
    try NetworkNamespace.make().run {
      try NetworkNamespace.assertThrowAway()
      try HostPlant.run("ip link set lo up")
      let descriptors = try prepare()
      defer { descriptors.forEach { _ = close($0) } }
      return HostReader.readHere()
    }
  }

  private var ownProcess: Int32 { getpid() }

  @Test func `kernel: a fresh namespace is known, and has nothing in it`() throws {
    let state = try read()
    #expect(state.links.value?.map(\.name) == ["lo"])
    #expect(state.links.value?.first?.isLoopback == true)
    #expect(state.addresses.value?.map(\.address) == [.v4(0x7f00_0001), .v6(1)])
    #expect(state.routingRules.value?.map(\.table) == [255, 254, 253, 255, 254])
    #expect(state.routes.value?.isEmpty == false)
    #expect(state.routes.value?.allSatisfy { $0.hops.first?.link == 1 } == true)
    #expect(state.conntrack == .known([]))
    #expect(state.packetSockets == .known([]))
    #expect(state.xdpSockets == .known([]))
    for table in state.sockets { #expect(table.sockets == .known([]), "\(table.kind)") }
    #expect(state.legacyTables.ip == .known([]))
    #expect(state.legacyTables.ip6 == .known([]))
    #expect(state.trafficFilters == .known([]))
    #expect(state.transformPolicies == .known([]))
    #expect(state.namespace.value != nil)
    #expect(state.userNamespaces.value?.isEmpty == false)
    #expect(state.kernelRelease.value?.isEmpty == false)
  }

  @Test func `kernel: two readings of an unchanged namespace are equal`() throws {
    let (first, second) = try NetworkNamespace.make().run {
      (HostReader.readHere(), HostReader.readHere())
    }
    #expect(first.links == second.links)
    #expect(first.settings == second.settings)
    #expect(first.routes == second.routes)
    #expect(first.routingRules == second.routingRules)
    #expect(first.sockets == second.sockets)
    #expect(first.socketCounts == second.socketCounts)
  }

  @Test func `kernel: a packet socket is found with the process that has it open`() throws {
    let state = try read { [try HostPlant.socket(AF_PACKET, SOCK_RAW.rawValue, 0)] }
    let sockets = try #require(state.packetSockets.value)
    #expect(sockets.count == 1)
    #expect(sockets.first?.type == 3)
    #expect(sockets.first?.etherType == 0)
    #expect(sockets.first?.owners.value?.map(\.pid) == [ownProcess])
    #expect(state.socketCounts.value?.first { $0.name == "PACKET" }?.count == 1)
  }

  @Test func `kernel: an XDP socket is found with the process that has it open`() throws {
    let state = try read { [try HostPlant.socket(44, SOCK_RAW.rawValue, 0)] }
    #expect(state.xdpSockets.value?.count == 1)
    #expect(state.xdpSockets.value?.first?.owners.value?.map(\.pid) == [ownProcess])
  }

  @Test func `kernel: a socket of another family is found although the kernel counts none`() throws
  {
    let vsock: Int32 = 40
    let probe = Glibc.socket(vsock, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard probe >= 0 else { return }  // a kernel without that family
    close(probe)
    let state = try read { [try HostPlant.socket(vsock, SOCK_STREAM.rawValue, 0)] }
    let found = try #require(state.unlistedSockets.value).filter { $0.isHere == true }
    #expect(found.map(\.protocolName) == ["AF_VSOCK"])
    #expect(found.first?.owners.map(\.pid) == [ownProcess])
    let elsewhere = try #require(try read().unlistedSockets.value)
    #expect(!elsewhere.contains { $0.isHere == true })
  }

  @Test func `kernel: raw sockets of both families are found, with their protocol`() throws {
    let state = try read {
      [
        try HostPlant.socket(AF_INET, SOCK_RAW.rawValue, 253),
        try HostPlant.socket(AF_INET6, SOCK_RAW.rawValue, 254),
      ]
    }
    let sockets = try #require(state.sockets(.raw).value)
    #expect(sockets.map(\.ipProtocol.rawValue) == [253, 254])
    #expect(sockets.map(\.localAddress) == [.v4(0), .v6(0)])
    #expect(sockets.allSatisfy { $0.owners.value?.map(\.pid) == [ownProcess] })
  }

  @Test func `kernel: listeners of both families are found, with address, port and owner`() throws {
    let state = try read {
      [
        try HostPlant.listener(.v4(0), port: 4101), try HostPlant.listener(.v6(1), port: 4102),
        try HostPlant.listener(.v6(0), port: 4104),
        try HostPlant.bound(.v4(0x7f00_0001), port: 4103, SOCK_DGRAM.rawValue),
      ]
    }
    let tcp = try #require(state.sockets(.tcp).value)
    #expect(tcp.map(\.localPort) == [4101, 4104, 4102])
    #expect(tcp.map(\.localAddress) == [.v4(0), .v6(0), .v6(1)])
    #expect(tcp.allSatisfy { $0.isListening && !$0.isConnected })
    // The kernel lets a socket that is bound to one IPv6 address take IPv6 only.
    #expect(tcp.map(\.isIPv6Only) == [nil, false, true])
    let udp = try #require(state.sockets(.udp).value)
    #expect(udp.map(\.localPort) == [4103])
    #expect(udp.allSatisfy { $0.isListening })
    for socket in tcp + udp {
      #expect(socket.owners.value?.map(\.pid) == [ownProcess])
      #expect(socket.inode != 0)
      #expect(socket.cgroup != nil)
    }
  }

  @Test func `kernel: an MPTCP listener is found as one, and a TCP listener is none`() throws {
    let state = try read {
      let descriptor = try HostPlant.socket(AF_INET6, SOCK_STREAM.rawValue, 262)
      try HostPlant.bind(descriptor, .v6(1), port: 4111)
      #expect(listen(descriptor, 1) == 0)
      return [descriptor, try HostPlant.listener(.v6(1), port: 4112)]
    }
    let found = try #require(state.sockets(.mptcp).value)
    #expect(found.map(\.localPort) == [4111])
    #expect(found.first?.owners.value?.map(\.pid) == [ownProcess])
    #expect(state.sockets(.tcp).value?.map(\.localPort).contains(4112) == true)
  }

  @Test(.enabled(if: NftProgram.isThere, "needs the nft program"))
  func `kernel: a tracked connection is read with both tuples`() throws {
    let state = try read {
      try NftProgram.load(
        "table inet t { chain o { type filter hook output priority 0; ct state new; }; }")
      let server = try HostPlant.bound(.v4(0x7f00_0001), port: 4201, SOCK_DGRAM.rawValue)
      let client = try HostPlant.bound(.v4(0x7f00_0001), port: 4202, SOCK_DGRAM.rawValue)
      try HostPlant.send(client, to: .v4(0x7f00_0001), port: 4201)
      return [server, client]
    }
    let entry = try #require(state.conntrack.value?.first)
    #expect(state.conntrack.value?.count == 1)
    #expect(entry.ipProtocol == .udp)
    #expect(entry.original.source == .v4(0x7f00_0001))
    #expect(entry.original.sourcePort == 4202)
    #expect(entry.original.destinationPort == 4201)
    #expect(entry.reply.sourcePort == 4201)
    #expect(entry.reply.destinationPort == 4202)
    #expect(entry.timeoutSeconds.map { 1...120 ~= $0 } == true)
    #expect(entry.helper == nil)
    #expect(!entry.isExpected)
    #expect(entry.status & 8 != 0)
  }

  @Test(.enabled(if: HostPlant.isMachineRoot, "tun devices need root"))
  func `kernel: a tun device is found with its owner, and a bridge with its port`() throws {
    let state = try read {
      try HostPlant.run("ip tuntap add dev t0 mode tap user 1234")
      try HostPlant.run("ip link add b0 type bridge")
      try HostPlant.run("ip link set t0 master b0")
      return []
    }
    let links = try #require(state.links.value)
    let bridge = try #require(links.first { $0.kind == "bridge" })
    let tap = try #require(links.first { $0.kind == "tun" })
    #expect(bridge.name == "b0")
    #expect(tap.master == bridge.index)
    #expect(tap.tun?.user == 1234)
    #expect(tap.tun?.isTap == true)
    // Nobody holds it; a reader that may not look at every process cannot know.
    let survey = try #require(state.processes.value)
    #expect(tap.tun?.processes.value == (survey.unreadableCount == 0 ? [] : nil))
  }

  @Test func `kernel: a pair of links leads to the namespace where its other end is`() throws {
    let other = try NetworkNamespace.make()
    let state = try read {
      try HostPlant.pair("here0", "there0", in: other)
      return []
    }
    let link = try #require(state.links.value?.first { $0.name == "here0" })
    #expect(link.kind == "veth")
    let number = try #require(link.peerNamespace)
    let namespace = try #require(
      state.namespaces.value?.first { $0.id.inode == other.identity.inode })
    #expect(namespace.number == number)
    let there = try #require(namespace.links.value?.first { $0.name == "there0" })
    #expect(there.kind == "veth")
    #expect(there.peer == link.index)
    #expect(there.peerNamespace == namespace.ownNumber)
    #expect(state.namespaces.value?.contains { $0.id == state.namespace.value } == false)
  }

  @Test func `kernel: a child link in another namespace is found there, with its parent here`()
    throws
  {
    let other = try NetworkNamespace.make()
    let state = try read {
      try HostPlant.pair("here0", "there0", in: other)
      try HostPlant.run(
        "ip link add child0 link here0 netns /proc/\(getpid())/fd/\(try HostPlant.number(of: other)) type macvlan"
      )
      return []
    }
    let parent = try #require(state.links.value?.first { $0.name == "here0" })
    let namespace = try #require(
      state.namespaces.value?.first { $0.id.inode == other.identity.inode })
    let child = try #require(namespace.links.value?.first { $0.name == "child0" })
    #expect(child.kind == "macvlan")
    #expect(child.peer == parent.index)
    #expect(child.peerNamespace != nil)
    #expect(child.peerNamespace == namespace.ownNumber)
  }

  @Test func `kernel: routes, rules and forwarding are read as they were set`() throws {
    let state = try read {
      try HostPlant.run("ip route add 192.0.2.0/24 dev lo table 77 metric 5")
      try HostPlant.run("ip -6 route add 2001:db8::/32 dev lo")
      try HostPlant.run("ip rule add fwmark 0x5/0xff table 77 priority 100")
      try HostPlant.run("ip -6 rule add to 2001:db8::/32 sport 7 table 78 priority 101")
      try HostPlant.run("echo 1 > /proc/sys/net/ipv4/ip_forward")
      return []
    }
    let route = try #require(state.routes.value?.first { $0.table == 77 })
    #expect(route.destination == .v4(0xc000_0200))
    #expect(route.prefixLength == 24)
    #expect(route.metric == 5)
    #expect(route.isUnicast)
    #expect(state.routes.value?.contains { $0.prefixLength == 32 && $0.table == 254 } == true)
    let rule = try #require(state.routingRules.value?.first { $0.priority == 100 })
    #expect(rule.mark == 5)
    #expect(rule.markMask == 0xff)
    #expect(rule.unknownAttributes == [])
    let odd = try #require(state.routingRules.value?.first { $0.priority == 101 })
    #expect(odd.destinationPrefixLength == 32)
    #expect(odd.unknownAttributes.contains(23))
    #expect(state.setting("net/ipv4/ip_forward").value?.text == "1")
    #expect(state.setting("net/ipv4/conf/lo/forwarding").value?.text == "1")
    #expect(state.setting("net/ipv6/conf/all/forwarding").value?.text == "0")
  }

  @Test func `kernel: a legacy table is found, and reading makes none`() throws {
    let state = try read {
      _ = HostReader.readHere()
      try HostPlant.legacyTable("mangle")
      return []
    }
    #expect(state.legacyTables.ip == .known(["mangle"]))
    #expect(state.legacyTables.ip6 == .known([]))
  }

  @Test func `kernel: an IPsec policy is read`() throws {
    let state = try read {
      try HostPlant.run(
        "ip xfrm policy add src 192.0.2.0/24 dst 198.51.100.0/24 dir out action block")
      return []
    }
    #expect(
      state.transformPolicies.value == [
        TransformPolicy(
          direction: 1, action: 1, source: .v4(0xc000_0200), sourcePrefixLength: 24,
          destination: .v4(0xc633_6400), destinationPrefixLength: 24)
      ])
  }

  @Test func `kernel: a redirecting classifier is found at its hook`() throws {
    let state = try read {
      try HostPlant.run("tc qdisc add dev lo clsact")
      try HostPlant.run(
        "tc filter add dev lo egress protocol ip prio 3 u32 match u32 0 0 action mirred egress redirect dev lo"
      )
      return []
    }
    let filter = try #require(state.trafficFilters.value?.last)
    #expect(filter.link == 1)
    #expect(filter.parent == 0xffff_fff3)
    #expect(filter.kind == "u32")
    #expect(filter.etherType == 0x0800)
    #expect(filter.priority == 3)
    #expect(filter.actions == ["mirred"])
  }

  @Test(.enabled(if: HostPlant.isMachineRoot, "needs root"))
  func `kernel: this machine's privileged processes are found, and the reader is not among them`()
    throws
  {
    let survey = try #require(try read().processes.value)
    #expect(survey.processCount > 0)
    #expect(!survey.privileged.contains { $0.process.pid == ownProcess })
    for process in survey.privileged {
      #expect((process.effective | process.permitted) & PrivilegedProcess.mask != 0)
    }
  }

  @Test func `kernel: reading a whole machine as it is finds this process and harms nobody`() throws
  {
    let state = HostReader.readHere()
    #expect(state.namespace.value != nil)
    #expect(state.processes.value?.processCount ?? 0 > 0)
    #expect(state.firstImplausibility == nil)
    let names = state.settings.map(\.name)
    #expect(names == Set(names).sorted())
  }
}
