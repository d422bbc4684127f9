import ConnectionReplay
import NetworkTypes
import Testing

@Suite struct PacketBuilderTests {
  private static let host4 = IPAddress.v4(0xc612_4d02)
  private static let host6 = IPAddress.v6(0x2001_0db8_0077 << 80 | 2)

  private func bytes(_ text: String, _ shape: ProbeShape = .plain) throws -> [UInt8] {
    let probe = Probe(try FlowText.parse(text).flow, shape: shape)
    var builder = PacketBuilder()
    let host = probe.family == .ipv4 ? PacketBuilderTests.host4 : PacketBuilderTests.host6
    builder.build(probe, host: host, tag: 0x1234)
    return builder.bytes
  }

  private func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  // The expected bytes below are computed by hand from the RFCs, checksums included.
  @Test func `an IPv4 SYN is 40 bytes with both checksums right`() throws {
    let packet = try bytes("tcp from :40000 to 8.8.8.8:443")
    #expect(hex(packet[0..<10]) == "45000028123400004006")
    #expect(hex(packet[12..<20]) == "c6124d0208080808")
    #expect(hex(packet[20..<36]) == "9c4001bb01001234000000005002faf0")
    #expect(packet.count == 40)
    #expect(sum(packet[0..<20]) == 0xffff)
    #expect(pseudoSum(packet, transportStart: 20) == 0xffff)
  }

  @Test(arguments: [
    "tcp 8.8.8.8:443", "udp 8.8.8.8:53", "udplite 8.8.8.8:53", "dccp 8.8.8.8:53",
    "tcp [2001:db8::1]:443", "udp [2001:db8::1]:53", "udplite [2001:db8::1]:53",
    "icmpv6 2001:db8::1",
  ])
  func `the checksum covers header, payload and pseudo header`(text: String) throws {
    let packet = try bytes(text)
    let start = packet[0] >> 4 == 4 ? 20 : 40
    #expect(pseudoSum(packet, transportStart: start) == 0xffff)
  }

  @Test func `an ICMP echo carries a checksum without a pseudo header`() throws {
    let packet = try bytes("icmp 8.8.8.8")
    #expect(packet[20] == 8)
    #expect(sum(packet[20...]) == 0xffff)
  }

  @Test func `an SCTP INIT carries the CRC that RFC 9260 asks for, low byte first`() throws {
    var packet = Array(try bytes("sctp 8.8.8.8:53")[20...])
    let sent = packet[8..<12].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    packet.replaceSubrange(8..<12, with: [0, 0, 0, 0])
    #expect(sent == crc32c(packet))
    #expect(crc32c(Array("123456789".utf8)) == 0xe306_9283)
    #expect(packet[12] == 1)
    #expect(packet.count == 32)
  }

  @Test(arguments: [TCPFlags.ack, [.syn, .ack], [], [.ack, .psh], [.fin, .syn]])
  func `TCP flags are the ones asked for`(flags: TCPFlags) throws {
    let numbers: [(TCPFlags, UInt8)] = [(.fin, 1), (.syn, 2), (.rst, 4), (.psh, 8), (.ack, 16)]
    let byte = numbers.reduce(UInt8(0)) { flags.contains($1.0) ? $0 + $1.1 : $0 }
    #expect(try bytes("tcp 8.8.8.8:443", .flags(flags))[33] == byte)
    #expect(try bytes("tcp [2001:db8::1]:443", .flags(flags))[53] == byte)
  }

  @Test(arguments: [UInt8(0), 2, 4])
  func `a truncated packet says its true length`(count: UInt8) throws {
    let packet4 = try bytes("udp 8.8.8.8:53", .truncated(count))
    #expect(packet4.count == 20 + Int(count))
    #expect(Int(packet4[3]) == packet4.count)
    let packet6 = try bytes("udp [2001:db8::1]:53", .truncated(count))
    #expect(packet6.count == 40 + Int(count))
    #expect(Int(packet6[5]) == Int(count))
  }

  @Test func `fragments of both families say offset, more, and the same identification`() throws {
    #expect(hex(try bytes("udp 8.8.8.8:53", .firstFragment)[4..<8]) == "12342000")
    #expect(hex(try bytes("udp 8.8.8.8:53", .laterFragment)[4..<8]) == "123400b9")
    #expect(hex(try bytes("udp 8.8.8.8:53", .laterFragmentUnassembled)[4..<8]) == "123400b9")
    let first = try bytes("udp [2001:db8::1]:53", .firstFragment)
    #expect(first[6] == 44)
    #expect(hex(first[40..<48]) == "1100000100001234")
    let later = try bytes("udp [2001:db8::1]:53", .laterFragment)
    #expect(hex(later[40..<48]) == "110005c800001234")
    let atomic = try bytes("udp [2001:db8::1]:53", .atomicFragment)
    #expect(hex(atomic[40..<48]) == "1100000000001234")
    #expect((first.count - 48).isMultiple(of: 8))
  }

  @Test func `a loose source route makes the header seven words long`() throws {
    let packet = try bytes("udp 8.8.8.8:53", .looseSourceRoute)
    #expect(packet[0] == 0x47)
    #expect(hex(packet[20..<28]) == "8307040a00000100")
    #expect(sum(packet[0..<28]) == 0xffff)
    #expect(hex(packet[30..<32]) == "0035")
  }

  @Test(arguments: [
    (IPv6ExtensionHeader.hopByHop, 0, 8), (.destinationOptions, 60, 8), (.sourceRoute, 43, 24),
    (.mobility, 43, 24), (.segmentRouting, 43, 40), (.authentication, 51, 24),
  ])
  func `an extension header is announced, sized and followed by UDP`(
    header: IPv6ExtensionHeader, number: UInt8, length: Int
  ) throws {
    let packet = try bytes("udp [2001:db8::1]:53", .extensionHeader(header))
    #expect(packet[6] == number)
    #expect(packet[40] == 17)
    let said = header == .authentication ? (Int(packet[41]) + 2) * 4 : (Int(packet[41]) + 1) * 8
    #expect(said == length)
    #expect(hex(packet[(40 + length + 2)..<(40 + length + 4)]) == "0035")
    #expect(Int(packet[5]) == packet.count - 40)
  }

  @Test func `routing headers say their type and that a segment is left`() throws {
    let types = try [IPv6ExtensionHeader.sourceRoute, .mobility, .segmentRouting].map {
      try bytes("udp [2001:db8::1]:53", .extensionHeader($0))[42..<44].map { $0 }
    }
    #expect(types == [[0, 1], [2, 1], [4, 1]])
  }

  @Test func `IP in IP hides a whole packet with a destination of its own`() throws {
    let packet = try bytes("4 8.8.8.8")
    #expect(packet[9] == 4)
    #expect(packet[20] == 0x45)
    #expect(hex(packet[36..<40]) == "0a000001")
    #expect(sum(packet[20..<40]) == 0xffff)
  }

  @Test func `an inbound probe comes from the remote end`() throws {
    let packet = try bytes("in tcp from 192.0.2.1 to :22")
    #expect(hex(packet[12..<20]) == "c0000201c6124d02")
    #expect(hex(packet[22..<24]) == "0016")
  }

  @Test func `the tag comes back from the wire, in both families`() throws {
    let tag4 = tag(of: try bytes("udp 8.8.8.8:53"))
    #expect(tag4 == PacketTag(number: 0x1234, destination: .v4(0x0808_0808)))
    let tag6 = tag(of: try bytes("udp [2001:db8::1]:53"))
    #expect(tag6 == PacketTag(number: 0x1234, destination: .v6(0x2001_0db8 << 96 | 1)))
    #expect(tag(of: [0x45, 0, 0]) == nil)
    #expect(tag(of: []) == nil)
  }

  private func tag(of packet: [UInt8]) -> PacketTag? {
    let span = packet.span
    return PacketTag(packet: span)
  }

  // Written apart from the builder's own sums on purpose.
  private func sum(_ bytes: ArraySlice<UInt8>) -> Int {
    var total = 0
    for (offset, byte) in bytes.enumerated() {
      total += offset.isMultiple(of: 2) ? Int(byte) * 256 : Int(byte)
    }
    while total > 0xffff { total = total % 0x10000 + total / 0x10000 }
    return total
  }

  private func pseudoSum(_ packet: [UInt8], transportStart: Int) -> Int {
    let isFour = packet[0] >> 4 == 4
    let addresses = isFour ? Array(packet[12..<20]) : Array(packet[8..<40])
    let length = packet.count - transportStart
    let trailer = [0, isFour ? packet[9] : packet[6], UInt8(length / 256), UInt8(length % 256)]
    return sum((addresses + trailer + packet[transportStart...])[...])
  }

  private func crc32c(_ bytes: [UInt8]) -> UInt32 {
    var table: [UInt32] = []
    for index in UInt32(0)..<256 {
      var value = index
      for _ in 0..<8 { value = value % 2 == 1 ? value / 2 ^ 0x82f6_3b78 : value / 2 }
      table.append(value)
    }
    var register = ~UInt32(0)
    for byte in bytes { register = register / 256 ^ table[Int(UInt8(register % 256) ^ byte)] }
    return ~register
  }
}
