import Bytecode
import BytecodeInterpreter
import NetworkTypes
import RulesetExamples
import Testing

/// What the kernel takes as protocol and transport header, seen through rules.
@Suite struct PacketHeadersTests {
  static let udp = Packets.udp(40000, 53)

  /// Whether `expressions` all hold for a packet.
  static func holds(
    _ expressions: [Expression], _ packet: PacketContext, _ kernel: KernelBehaviour = .linux6_18
  ) throws -> Bool {
    try Packets.outcome(expressions + .drop, packet, kernel: kernel) == .drop
  }

  static let dport53 = [Expression].load(.transport, 2, 2) + .compare(.equal, [0, 53])
  static let notDport53 = [Expression].load(.transport, 2, 2) + .compare(.notEqual, [0, 53])

  @Test func `a load past the end breaks the rule, even when negated`() throws {
    let truncated = Packets.ipv4(17, [0x9c, 0x40, 0])
    #expect(try !Self.holds(Self.dport53, truncated))
    #expect(try !Self.holds(Self.notDport53, truncated))
    #expect(try Self.holds(Self.dport53, Packets.ipv4(17, Self.udp)))
    #expect(try !Self.holds(.load(.network, 18, 4), Packets.ipv4(59, [])))
  }

  @Test func `IPv4 options move the transport header`() throws {
    let packet = Packets.ipv4(17, Self.udp, options: [1, 1, 1, 0])
    #expect(try Self.holds(Self.dport53, packet))
  }

  @Test func `short loads read later fragments up to Linux 6.18, long ones never`() throws {
    let later = Packets.ipv4(17, Self.udp, fragment: 185)
    #expect(try Self.holds(Self.dport53, later, .linux6_18))
    #expect(try Self.holds(Self.dport53, later, .linux6_12))
    #expect(try !Self.holds(Self.dport53, later, .linux7_3))
    #expect(try !Self.holds(.load(.transport, 0, 8), later, .linux6_18))
    #expect(try !Self.holds(.load(.transport, 1, 2), later, .linux6_18))
    #expect(try Self.holds(.transport(17), later, .linux7_3))
    let first = Packets.ipv4(17, Self.udp, fragment: 0x2000)
    #expect(try Self.holds(Self.dport53, first, .linux7_3))
  }

  @Test func `a later IPv6 fragment's short loads read its IPv6 header`() throws {
    let later = Packets.ipv6(44, [17, 0, 0x05, 0xa8, 0, 0, 0, 9] + Self.udp, flowLabel: 53)
    #expect(try Self.holds(.transport(17), later))
    #expect(try Self.holds(Self.dport53, later, .linux6_18))
    #expect(try !Self.holds(Self.dport53, later, .linux7_3))
    let nested = Packets.ipv6(44, [60, 0, 0x05, 0xa8, 0, 0, 0, 9] + Self.udp)
    #expect(try !Self.holds([.meta(MetaLoad(.l4proto, into: Register(word: 0)))], nested))
  }

  @Test func `extension headers are walked, AH and no-next-header are not`() throws {
    let options: [UInt8] = [0, 0, 0, 0, 0, 0]
    let chain = [60, 0] + options + [43, 0] + options + [17, 0] + options + Self.udp
    #expect(try Self.holds(Self.dport53, Packets.ipv6(0, chain)))
    #expect(try Self.holds(.transport(17), Packets.ipv6(0, chain)))
    #expect(try Self.holds(.load(.network, 6, 1) + .compare(.equal, [0]), Packets.ipv6(0, chain)))
    #expect(try Self.holds(.extensionHeader(43), Packets.ipv6(0, chain)))
    #expect(try !Self.holds(.extensionHeader(44), Packets.ipv6(0, chain)))
    let ah = Packets.ipv6(51, [17, 1] + options + [0, 0, 0, 0] + Self.udp)
    #expect(try Self.holds(.transport(51), ah))
    #expect(try Self.holds(.transport(59), Packets.ipv6(59, [])))
    let first = Packets.ipv6(44, [17, 0, 0, 1, 0, 0, 0, 9] + Self.udp)
    #expect(try Self.holds(.transport(17) + Self.dport53, first, .linux7_3))
    #expect(try Self.holds(.extensionHeader(44), first))
  }

  @Test func `a chain that ends early has no protocol`() throws {
    let any: [Expression] = [.meta(MetaLoad(.l4proto, into: Register(word: 0)))]
    #expect(try !Self.holds(any, Packets.ipv6(0, [17])))
    #expect(try !Self.holds(any, Packets.ipv6(44, [17, 0, 0])))
    #expect(try !Self.holds(any, Packets.ipv6(43, [17, 0, 0])))
  }

  @Test func `an overlong extension header still leads on, on Linux 6.18`() throws {
    let overlong = Packets.ipv6(60, [17, 200, 0, 0, 0, 0, 0, 0] + Self.udp)
    #expect(try Self.holds(.transport(17), overlong, .linux6_18))
    #expect(try !Self.holds(.transport(17), overlong, .linux6_12))
    #expect(try !Self.holds(Self.dport53, overlong, .linux6_18))
  }

  @Test func `bytes that are no packet are not decided`() throws {
    let short = PacketContext(family: .ipv4, bytes: [0x45])
    let wrong = PacketContext(family: .ipv6, bytes: Packets.ipv4(6, Packets.tcp(1, 2)).bytes)
    let text = "the bytes are no"
    #expect(
      try Packets.outcome(.drop, short) == .cannotDecide(reasons: ["\(text) ipv4 packet"]))
    #expect(
      try Packets.outcome(.drop, wrong) == .cannotDecide(reasons: ["\(text) ipv6 packet"]))
  }
}
