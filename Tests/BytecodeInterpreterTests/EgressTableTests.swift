import Bytecode
import BytecodeInterpreter
import NetworkTypes
import RulesetExamples
import Testing

/// The example table on packets of every kind: the outcome and the rules on the way.
@Suite struct EgressTableTests {
  static let nat64: UInt128 = 0x0064_ff9b << 96
  static let isatap: UInt128 = 0x2001_0db8 << 96 | 0x0000_5efe << 32

  static var packets: [(name: String, packet: PacketContext)] {
    let flags: [(String, UInt8)] = [("ack", 16), ("syn+ack", 18), ("rst", 4)]
    func tcp4(
      _ port: UInt16, _ to: [UInt8] = [192, 0, 2, 1], from: UInt16 = 40000, flags: UInt8 = 2
    ) -> PacketContext { Packets.ipv4(6, Packets.tcp(from, port, flags: flags), to: to) }
    func udp6(_ to: UInt128, _ port: UInt16 = 443) -> PacketContext {
      Packets.ipv6(17, Packets.udp(40000, port), to: to)
    }
    let allNodes = UInt128(0xff02) << 112 | 0x16
    return [
      ("new tcp to 443", tcp4(443)), ("new tcp to 25", tcp4(25)), ("new tcp to 21", tcp4(21)),
      ("new tcp to 150", tcp4(150)), ("new tcp to 300", tcp4(300)),
      ("new tcp to 10/8", tcp4(443, [10, 1, 2, 3])),
      ("new tcp to the end of a range", tcp4(443, [192, 168, 0, 77])),
      ("new tcp past a range", tcp4(443, [192, 168, 0, 78])),
      ("new tcp to a listed address", tcp4(443, [1, 2, 3, 4])),
      ("new tcp from a low port", tcp4(443, from: 1024)),
      ("new tcp to mail by name", tcp4(587, [142, 251, 2, 109])),
      ("new tcp to the name server", tcp4(53, [8, 8, 8, 8])),
      ("new udp to the name server", Packets.ipv4(17, Packets.udp(40000, 53), to: [8, 8, 8, 8])),
      ("new icmp", Packets.ipv4(1, [8, 0, 0, 0, 0, 0, 0, 0])),
      ("established tcp", Packets.ipv4(6, Packets.tcp(1, 2, flags: 16), state: .established)),
      ("established udp", Packets.ipv4(17, Packets.udp(1, 2), state: .established)),
      ("invalid tcp", Packets.ipv4(6, Packets.tcp(1, 2, flags: 16), state: .invalid)),
      ("a later fragment", Packets.ipv4(17, Packets.udp(1, 2), fragment: 100, state: .invalid)),
      ("truncated tcp", Packets.ipv4(6, [0x9c, 0x40])),
      ("established tcp over IPv6", Packets.ipv6(6, Packets.tcp(1, 2), state: .established)),
      (
        "established tcp behind a routing header",
        Packets.ipv6(43, [6, 0, 0, 0, 0, 0, 0, 0] + Packets.tcp(1, 2), state: .established)
      ),
      (
        "established tcp behind destination options",
        Packets.ipv6(60, [6, 0, 0, 0, 0, 0, 0, 0] + Packets.tcp(1, 2), state: .established)
      ),
      (
        "a later fragment over IPv6",
        Packets.ipv6(44, [17, 0, 0, 8, 0, 0, 0, 1] + Packets.udp(1, 2), state: .invalid)
      ),
      ("new udp over IPv6", udp6(0x2001_0db8 << 96 | 5)),
      ("new udp to fc00::/7", udp6(0xfd << 120 | 1)),
      ("new udp to an allowed address behind NAT64", udp6(nat64 | 0x0808_0808)),
      ("new udp to a private address behind NAT64", udp6(nat64 | 0x0a01_0203)),
      ("new udp to a private address by ISATAP", udp6(isatap | 0x0a01_0203)),
      (
        "a neighbour solicitation",
        Packets.ipv6(58, [135, 0, 0, 0], to: allNodes, hopLimit: 255, state: .untracked)
      ),
      (
        "a forwarded neighbour solicitation",
        Packets.ipv6(58, [135, 0, 0, 0], to: allNodes, hopLimit: 254, state: .untracked)
      ),
      (
        "a multicast report",
        Packets.ipv6(58, [143, 0, 0, 0], to: allNodes, hopLimit: 1, state: .untracked)
      ),
      (
        "an unknown conntrack state", Packets.ipv4(6, Packets.tcp(40000, 443), state: nil)
      ),
    ] + flags.map { ("new tcp with \($0.0)", tcp4(443, flags: $0.1)) }
  }

  static func line(_ step: TraceStep) -> String {
    let place = step.ruleIndex.map { " rule \($0 + 1)" } ?? " policy"
    let clause = step.provenance.map { " # \($0.location.map { "\($0) " } ?? "")\($0.clause)" }
    return "  \(step.chain)\(place): \(step.verdict)\(clause ?? "")\n"
  }

  @Test func `every packet gets the verdict it got`() throws {
    let interpreter = try Interpreter(ruleset: EgressTable.ruleset)
    var text = ""
    for (name, packet) in Self.packets {
      for type: UInt32 in name == "new tcp to 443" ? [1, 3] : [1] {
        var packet = packet
        packet.destinationType = .known(type)
        let evaluation = interpreter.verdict(hook: .output, packet: packet)
        #expect(interpreter.outcome(hook: .output, packet: packet) == evaluation.outcome)
        text += "\(name)\(type == 3 ? ", broadcast" : ""): \(evaluation.outcome)\n"
        text += evaluation.trace.map(Self.line).joined()
      }
    }
    #expect(Golden.difference(text, from: "egress/verdicts.txt") == nil)
  }

  @Test func `nothing unsolicited enters`() throws {
    let interpreter = try Interpreter(ruleset: EgressTable.ruleset)
    for (name, packet) in Self.packets where packet.ctState != nil {
      let outcome = interpreter.outcome(hook: .input, packet: packet)
      #expect(outcome == (packet.ctState == .established ? .accept : .drop), "\(name)")
    }
  }
}
