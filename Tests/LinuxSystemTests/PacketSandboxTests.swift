import ConnectionReplay
import LinuxSystem
import NetworkTypes
import Testing

@Suite(
  .enabled(if: KernelAccess.isThere, KernelAccess.reason),
  .enabled(if: NftProgram.isThere, "needs the nft program to load rules"))
struct PacketSandboxTests {
  private func probe(_ text: String, _ shape: ProbeShape = .plain) throws -> Probe {
    Probe(try FlowText.parse(text).flow, shape: shape)
  }

  @Test func `without rules every packet of every protocol leaves`() throws {
    let sandbox = try PacketSandbox()
    var probes: [Probe] = []
    for number in UInt8(0)...255 where IPProtocol(rawValue: number) != .icmpv6 {
      let ipProtocol = IPProtocol(rawValue: number)
      let port: UInt16? = ipProtocol.hasPorts ? 53 : nil
      probes.append(
        Probe(
          Flow(ipProtocol: ipProtocol, remoteAddress: .v4(0x0808_0808), remotePort: port)))
      // 0, 43, 44, 60 and the like are extension headers there, and no layer-4 protocol.
      probes.append(
        Probe(
          Flow(
            ipProtocol: ipProtocol, remoteAddress: .v6(0x2001_4860 << 96 | 8), remotePort: port)))
    }
    let seen = try sandbox.observe(probes)
    for (probe, observation) in zip(probes, seen) {
      #expect(observation == .packet(.left), "\(probe)")
    }
  }

  @Test func `without rules every shape of both families leaves`() throws {
    let sandbox = try PacketSandbox()
    let flows =
      try ["tcp 8.8.8.8:443", "udp 8.8.8.8:53", "icmp 8.8.8.8"].map { try probe($0).flow }
      + ["tcp [2001:db8::1]:443", "udp [2001:db8::1]:53"].map { try probe($0).flow }
    let probes = flows.flatMap { flow in
      ProbeShape.ugly(for: flow).map { Probe(flow, shape: $0) }
    }
    let seen = try sandbox.observe(probes)
    for (probe, observation) in zip(probes, seen) {
      #expect(observation == .packet(.left), "\(probe)")
    }
  }

  @Test func `a rule makes exactly its own destination fail, in both families`() throws {
    let sandbox = try PacketSandbox()
    try sandbox.inside.run {
      try NftProgram.load(
        """
        table inet t {
          chain outgoing {
            type filter hook output priority 0
            ip daddr 10.0.0.0/8 udp dport 53 drop
            ip6 daddr fd00::/8 udp dport 53 drop
          }
        }
        """)
    }
    let probes = try [
      "udp 10.0.0.0:53", "udp 10.255.255.255:53", "udp 9.255.255.255:53", "udp 11.0.0.0:53",
      "udp 10.0.0.0:54", "tcp 10.0.0.0:53",
      "udp [fd00::]:53", "udp [fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:53", "udp [fe00::]:53",
      "udp [fd00::]:54", "udp 10.0.0.0:53",
    ].map { try probe($0) }
    let refused = Observation.packet(.refused(.notPermitted))
    let left = Observation.packet(.left)
    #expect(
      try sandbox.observe(probes) == [
        refused, refused, left, left, left, left, refused, refused, left, left, refused,
      ])
  }

  @Test func `a lone fragment is swallowed by reassembly, and not when told to bypass it`() throws {
    let sandbox = try PacketSandbox()
    try sandbox.inside.run {
      try NftProgram.load(
        "table inet t { chain outgoing { type filter hook output priority 0; ct state established accept; }; }"
      )
    }
    let target = "udp 8.8.8.8:53"
    let probes = try [
      probe(target), probe(target, .laterFragment), probe(target, .firstFragment),
      probe(target, .laterFragmentUnassembled), probe("udp [2001:db8::1]:53", .laterFragment),
    ]
    #expect(
      try sandbox.observe(probes) == [
        .packet(.left), .packet(.vanished), .packet(.vanished), .packet(.left),
        .packet(.vanished),
      ])
  }

  @Test func `multicast, broadcast and link-local destinations leave, own addresses stay`() throws {
    let sandbox = try PacketSandbox()
    let leaving = try [
      "udp 224.0.0.251:5353", "udp 255.255.255.255:67", "udp 198.18.77.255:67",
      "udp 192.175.48.255:67", "udp [ff02::fb]:5353", "udp [ff0e::1]:9", "udp [fe80::1]:53",
      "udp 0.1.2.3:53", "udp 240.0.0.1:53", "udp 169.254.169.254:80",
    ].map { try probe($0) }
    let staying = try [
      "udp 127.0.0.1:53", "udp 198.18.77.2:53", "udp [::1]:53", "udp [2001:db8:77::2]:53",
    ].map { try probe($0) }
    let seen = try sandbox.observe(leaving + staying)
    for (probe, observation) in zip(leaving + staying, seen) {
      #expect(
        observation == .packet(staying.contains(probe) ? .keptLocal : .left), "\(probe)")
    }
  }

  @Test func `each packet is told of with a tag of its own, also beyond all the tags`() throws {
    let sandbox = try PacketSandbox()
    let probes = (0..<70_000).map { (index: Int) -> Probe in
      Probe(
        Flow(
          ipProtocol: .udp, remoteAddress: .v4(0x0800_0000 + UInt32(index % 4)),
          remotePort: UInt16(index & 0xffff)))
    }
    var told: [Int] = []
    var recent: [PacketTag] = []
    let seen = try sandbox.observe(probes) { index, tag in
      told.append(index)
      recent.append(tag)
    }
    #expect(seen.allSatisfy { $0 == .packet(.left) })
    #expect(told.sorted() == Array(0..<70_000))
    #expect(Set(recent[..<16_384]).count == 16_384)
    #expect(recent.allSatisfy { $0.number > 0 })
  }

  @Test func `an inbound probe is not tried, and says so`() throws {
    let seen = try PacketSandbox().observe([probe("in tcp from 192.0.2.1 to :22")])
    #expect(seen == [.notTried("inbound packets are tried as conversations")])
    #expect(seen.first?.judged(against: .deny) != .agrees)
  }
}
