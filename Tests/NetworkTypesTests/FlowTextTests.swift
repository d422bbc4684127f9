import NetworkTypes
import SeededRandom
import Testing

@Suite struct FlowTextTests {
  @Test func `the short form is an outbound flow`() throws {
    let flow = try FlowText.parse("udp 8.8.8.8:53")
    #expect(
      flow
        == FlowText(Flow(ipProtocol: .udp, remoteAddress: .v4(0x0808_0808), remotePort: 53)))
  }

  @Test func `brackets hold an IPv6 address`() throws {
    let flow = try FlowText.parse("tcp [2001:db8::1]:443").flow
    #expect(flow.remoteAddress == .v6(0x2001_0db8 << 96 | 1))
    #expect(flow.remotePort == 443)
    #expect(flow.direction == .outbound)
  }

  @Test func `from is remote for an inbound flow and local for an outbound one`() throws {
    let inbound = try FlowText.parse("in tcp from 192.0.2.1 to :22").flow
    #expect(inbound.direction == .inbound)
    #expect(inbound.remoteAddress == .v4(0xc000_0201))
    #expect(inbound.remotePort == nil)
    #expect(inbound.localAddress == nil)
    #expect(inbound.localPort == 22)
    let outbound = try FlowText.parse("out tcp from 10.0.0.1:40000 to 192.0.2.1:443").flow
    #expect(outbound.direction == .outbound)
    #expect(outbound.localAddress == .v4(0x0a00_0001))
    #expect(outbound.localPort == 40000)
    #expect(outbound.remoteAddress == .v4(0xc000_0201))
    #expect(outbound.remotePort == 443)
  }

  @Test func `a protocol without ports has none`() throws {
    #expect(try FlowText.parse("icmp 1.1.1.1").flow.remotePort == nil)
    #expect(try FlowText.parse("icmpv6 [2001:db8::1]").flow.ipProtocol == .icmpv6)
    #expect(try FlowText.parse("253 2001:db8::1").flow.ipProtocol.rawValue == 253)
  }

  @Test func `a name stands for the remote address`() throws {
    let flow = try FlowText.parse("tcp SMTP.gmail.com.:587")
    #expect(flow.remoteName == "smtp.gmail.com")
    #expect(flow.flow.remoteAddress == .v4(0))
    #expect(flow.flow.remotePort == 587)
  }

  @Test func `link-broadcast marks what a route calls a broadcast`() throws {
    #expect(try FlowText.parse("udp 192.0.2.255:9 link-broadcast").flow.isLinkBroadcast)
    #expect(try !FlowText.parse("udp 192.0.2.255:9").flow.isLinkBroadcast)
  }

  @Test(arguments: [
    ("", "a flow starts with a protocol"),
    ("in", "a flow starts with a protocol"),
    ("TCP 1.1.1.1:1", "`TCP` is no protocol; expected tcp, udp, icmp … or a number 0 to 255"),
    ("tcp", "the flow names no end; expected an address behind the protocol"),
    ("tcp 1.1.1.1", "a tcp flow needs the remote port, like 1.1.1.1:443"),
    ("tcp 2001:db8::1", "a tcp flow needs the remote port, like [2001:db8::1]:443"),
    ("udp www.example.org", "a udp flow needs the remote port, like www.example.org:443"),
    ("icmp 1.1.1.1:80", "protocol icmp has no ports"),
    ("tcp :80", "the remote end has no address"),
    ("in tcp to :22", "the remote end has no address"),
    ("in tcp 1.1.1.1:22", "expected `in PROTOCOL from REMOTE to LOCAL`"),
    ("in tcp from 1.1.1.1", "an inbound tcp flow needs the local port, like `to :22`"),
    ("in tcp from a.example to :22", "the remote end of an inbound flow is an address, not a name"),
    ("tcp from a.example:1 to 1.1.1.1:1", "the local end is an address, not a name"),
    ("tcp from ::1 to 1.1.1.1:1", "both ends must be of one address family"),
    ("tcp [::1:80", "`[::1:80` lacks the closing bracket"),
    ("tcp [1.1.1.1]:80", "brackets are for IPv6; write 1.1.1.1"),
    ("tcp [::1]80", "expected `:port` behind the bracket, found `80`"),
    ("tcp 1.1.1.1:80 extra", "expected `PROTOCOL REMOTE` or `PROTOCOL from LOCAL to REMOTE`"),
    ("tcp 1.1.1.1:65536", "`65536` is not a port from 0 to 65535 in plain decimal"),
    ("tcp 1.1.1.1:080", "`080` is not a port from 0 to 65535 in plain decimal"),
    (
      "tcp 127.1:80",
      "`127.1` is not a dotted quad; short, decimal and hexadecimal forms are ambiguous"
    ),
    ("tcp a.0x10:80", "`a.0x10` is not an IP address"),
  ])
  func `a sentence that is no flow says what is expected`(text: String, message: String) {
    let error = #expect(throws: LiteralError.self) { try FlowText.parse(text) }
    #expect(error?.description == message)
  }

  @Test(arguments: 0..<400 as Range<UInt64>)
  func `property: a flow reads back as printed`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let protocols: [IPProtocol] = [.tcp, .udp, .icmp, .icmpv6, .sctp, IPProtocol(rawValue: 253)]
    let remote = generator.address()
    var local = generator.address()
    while local.family != remote.family { local = generator.address() }
    let ipProtocol = protocols.randomElement(using: &generator) ?? .tcp
    let direction: Direction = Bool.random(using: &generator) ? .inbound : .outbound
    func port(needed: Bool) -> UInt16? {
      guard ipProtocol.hasPorts, needed || Bool.random(using: &generator) else { return nil }
      return UInt16.random(in: 0 ... .max, using: &generator)
    }
    let flow = Flow(
      direction: direction, ipProtocol: ipProtocol,
      localAddress: Bool.random(using: &generator) ? local : nil,
      localPort: port(needed: direction == .inbound), remoteAddress: remote,
      remotePort: port(needed: direction == .outbound),
      isLinkBroadcast: Bool.random(using: &generator))
    #expect(try FlowText.parse(flow.description) == FlowText(flow))
  }

  @Test func `a named flow reads back as printed`() throws {
    for text in [
      "tcp smtp.gmail.com:587", "tcp from :40000 to smtp.gmail.com:587", "icmp a.example",
    ] {
      #expect(try FlowText.parse(text).description == text)
    }
  }
}
