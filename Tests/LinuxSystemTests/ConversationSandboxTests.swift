import ConnectionReplay
import LinuxSystem
import NetworkTypes
import Testing

@Suite(
  .enabled(if: KernelAccess.isThere, KernelAccess.reason),
  .enabled(if: NftProgram.isThere, "needs the nft program to load rules"))
struct ConversationSandboxTests {
  private static func makeSandbox(timeoutMilliseconds: Int = 3000) throws -> ConversationSandbox {
    try ConversationSandbox(timeoutMilliseconds: timeoutMilliseconds) { port in
      try NftProgram.load(
        """
        table inet catch_all {
          chain incoming {
            type nat hook prerouting priority -100
            meta l4proto { tcp, udp } redirect to :\(port)
          }
        }
        """)
    }
  }

  private func observe(
    _ sandbox: ConversationSandbox, _ texts: [String]
  ) throws -> [ConversationOutcome?] {
    let probes = try texts.map { Probe(try FlowText.parse($0).flow) }
    return try sandbox.observe(probes).map {
      if case .conversation(let outcome) = $0 { outcome } else { nil }
    }
  }

  @Test func `every address answers on every port, and says whom the client asked for`() throws {
    let sandbox = try Self.makeSandbox()
    #expect(
      try observe(
        sandbox,
        [
          "tcp 8.8.8.8:53", "tcp 10.1.2.3:80", "tcp 169.254.169.254:80", "tcp 198.18.77.1:65535",
          "tcp [2001:4860:4860::8888]:443", "tcp [fd00::1]:1", "tcp from :1023 to 240.0.0.1:9",
        ]) == [
          .answered("8.8.8.8:53"), .answered("10.1.2.3:80"), .answered("169.254.169.254:80"),
          .answered("198.18.77.1:65535"), .answered("[2001:4860:4860::8888]:443"),
          .answered("[fd00::1]:1"), .answered("240.0.0.1:9"),
        ])
    #expect(
      try observe(
        sandbox,
        [
          "udp 8.8.8.8:53", "udp 192.168.1.1:123", "udp [2001:4860:4860::8888]:53",
          "udp from :53 to 9.9.9.9:53",
        ]) == [
          .answered(""), .answered(""), .answered(""), .answered(""),
        ])
  }

  @Test func `multicast and both kinds of broadcast are seen to leave`() throws {
    let sandbox = try Self.makeSandbox()
    #expect(
      try observe(
        sandbox,
        [
          "udp 224.0.0.251:5353", "udp 255.255.255.255:67", "udp 198.18.77.255:67",
          "udp 192.175.48.255:67", "udp [ff02::fb]:5353", "udp [ff0e::1]:9",
        ]) == [.left, .left, .left, .left, .left, .left])
  }

  @Test func `outside reaches what listens inside, in any name`() throws {
    let sandbox = try Self.makeSandbox()
    #expect(
      try observe(
        sandbox,
        [
          "in tcp from 8.8.8.8 to :22", "in tcp from 2001:4860:4860::8888 to :22",
          "in udp from 192.0.2.1:53 to :5353", "in udp from [2001:db8:1::1]:53 to :5353",
        ]
      ) == [.answered(""), .answered(""), .answered(""), .answered("")])
  }

  @Test func `drop and each kind of reject are told from an answer, in both families`() throws {
    let sandbox = try Self.makeSandbox(timeoutMilliseconds: 1000)
    try sandbox.inside.run {
      try NftProgram.load(
        """
        table inet t {
          chain outgoing {
            type filter hook output priority 0
            th dport 1000 drop
            tcp dport 1001 reject with tcp reset
            udp dport 1001 reject with icmpx admin-prohibited
            ip daddr 224.0.0.251 drop
            ip6 daddr ff02::fb drop
          }
          chain incoming {
            type filter hook input priority 0
            ct state new th dport 22 drop
          }
        }
        """)
    }
    #expect(
      try observe(
        sandbox,
        [
          "tcp 8.8.8.8:1000", "tcp [2001:db8::1]:1000", "tcp 8.8.8.8:1001",
          "tcp [2001:db8::1]:1001", "tcp 8.8.8.8:1002", "tcp [2001:db8::1]:1002",
        ]) == [
          .timedOut, .timedOut, .refused, .refused, .answered("8.8.8.8:1002"),
          .answered("[2001:db8::1]:1002"),
        ])
    #expect(
      try observe(
        sandbox,
        [
          "udp 8.8.8.8:1000", "udp [2001:db8::1]:1000", "udp 8.8.8.8:1001",
          "udp [2001:db8::1]:1001", "udp 8.8.8.8:1002", "udp [2001:db8::1]:1002",
          "udp 224.0.0.251:5353", "udp [ff02::fb]:5353",
        ]) == [
          .failed(.notPermitted), .failed(.notPermitted), .failed(.notPermitted),
          .failed(.notPermitted), .answered(""), .answered(""), .failed(.notPermitted),
          .failed(.notPermitted),
        ])
    #expect(
      try observe(
        sandbox,
        [
          "in tcp from 8.8.8.8 to :22", "in udp from 2001:db8::1 to :22",
          "in tcp from 8.8.8.8 to :23", "in udp from 2001:db8::1 to :23",
        ]) == [.timedOut, .timedOut, .answered(""), .answered("")])
  }

  @Test func `a mapped destination meets the rules of IPv4, as it does for any program`() throws {
    let sandbox = try Self.makeSandbox(timeoutMilliseconds: 1000)
    try sandbox.inside.run {
      try NftProgram.load(
        "table inet t { chain c { type filter hook output priority 0; ip daddr 10.0.0.0/8 drop; }; }"
      )
    }
    let mapped = [0x0808_0808, 0x0a00_0001].map { (inner: UInt32) in
      let address = IPAddress.v6(EmbeddedAddress.mapped.carrying(inner))
      return Probe(Flow(ipProtocol: .udp, remoteAddress: address, remotePort: 53))
    }
    #expect(
      try sandbox.observe(mapped) == [
        .conversation(.answered("")), .conversation(.failed(.notPermitted)),
      ])
  }

  @Test
  func `a local address that the host has not makes the socket layer refuse, which proves nothing`()
    throws
  {
    let sandbox = try Self.makeSandbox(timeoutMilliseconds: 300)
    let wrong = Flow(
      ipProtocol: .udp, localAddress: .v4(0x0101_0101), remoteAddress: .v4(0x0808_0808),
      remotePort: 53)
    let seen = try sandbox.observe([Probe(wrong)])
    #expect(seen == [.conversation(.impossible(ErrorNumber(rawValue: 99)))])
    #expect(seen.first?.judged(against: .deny) == .undecided("\(seen[0])"))
  }

  @Test func `what left and finds nobody counts as left, and not as silence`() throws {
    let sandbox = try Self.makeSandbox(timeoutMilliseconds: 100)
    try sandbox.outside.run {
      try NftProgram.load(
        "table inet t { chain c { type filter hook prerouting priority -400; udp dport 9 drop; "
          + "tcp dport 9 drop; }; }")
    }
    #expect(
      try observe(
        sandbox,
        ["tcp 8.8.8.8:9", "tcp [2001:db8::1]:9", "udp 8.8.8.8:9", "udp [2001:db8::1]:9"])
        == [.left, .left, .left, .left])
  }

  @Test func `what a socket cannot make is not tried, and says why`() throws {
    let sandbox = try Self.makeSandbox()
    let tcp = try FlowText.parse("tcp 8.8.8.8:53").flow
    let probes = [
      Probe(try FlowText.parse("icmp 8.8.8.8").flow), Probe(tcp, shape: .laterFragment),
      Probe(try FlowText.parse("tcp 127.0.0.1:53").flow),
      Probe(try FlowText.parse("tcp 192.175.48.255:53").flow),
      Probe(try FlowText.parse("tcp [ff0e::1]:53").flow),
    ]
    #expect(
      try sandbox.observe(probes) == [
        .notTried("conversations are TCP and UDP"), .notTried("a socket cannot make this shape"),
        .notTried("the destination is the host itself"),
        .notTried("TCP speaks to one host only"), .notTried("TCP speaks to one host only"),
      ])
  }

  @Test func `more conversations than run at a time all come to their end`() throws {
    let sandbox = try Self.makeSandbox()
    let probes = (0..<700).map { (index: Int) -> Probe in
      let v6 = IPAddress.v6(0x2001_4860 << 96 | UInt128(index))
      let v4 = IPAddress.v4(0x0800_0000 + UInt32(index) * 7919)
      let flow = Flow(
        ipProtocol: index.isMultiple(of: 2) ? .tcp : .udp,
        remoteAddress: index.isMultiple(of: 3) ? v6 : v4, remotePort: UInt16(index + 1))
      return Probe(flow)
    }
    let answered = try sandbox.observe(probes).filter {
      if case .conversation(.answered) = $0 { true } else { false }
    }
    #expect(answered.count == 700)
  }
}
