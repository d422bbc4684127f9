import Bytecode
import BytecodeInterpreter
import NetworkTypes
import RulesetExamples
import Testing

/// One rule that ends in `drop`, on one packet: a rule that breaks leaves the packet accepted.
@Suite struct ExpressionTests {
  struct Case: Sendable {
    let name: String
    let expressions: [Expression]
    let packet: PacketContext
    let outcome: Outcome
    var sets: [NamedSet] = []

    init(
      _ name: String, _ expressions: [Expression], _ packet: PacketContext, _ outcome: Outcome,
      sets: [NamedSet] = []
    ) {
      self.name = name
      self.expressions = expressions
      self.packet = packet
      self.outcome = outcome
      self.sets = sets
    }
  }

  static let first = Register(word: 0)
  static let tcp4 = Packets.ipv4(6, Packets.tcp(40000, 443))
  static let udp6 = Packets.ipv6(17, Packets.udp(40000, 53))

  static func with(_ change: (inout PacketContext) -> Void) -> PacketContext {
    var packet = tcp4
    change(&packet)
    return packet
  }

  static func undecided(_ text: String) -> Outcome {
    .cannotDecide(reasons: ["inet t output rule 1\(text)"])
  }

  static func loads(_ key: MetaKey, _ value: [UInt8]) -> [Expression] {
    [Expression].meta(key, value) + .drop
  }

  static let meta: [Case] = [
    Case("nfproto", loads(.nfproto, [2]), tcp4, .drop),
    Case("nfproto of the other family", loads(.nfproto, [10]), tcp4, .accept),
    Case("l4proto", loads(.l4proto, [17]), udp6, .drop),
    Case("protocol", loads(.protocol, [0x86, 0xdd]), udp6, .drop),
    Case("length", loads(.length, [40, 0, 0, 0]), tcp4, .drop),
    Case(
      "mark", loads(.mark, [1, 2, 0, 0]), with { $0.mark = .known(0x201) }, .drop),
    Case("no mark is zero", loads(.mark, [0, 0, 0, 0]), with { $0.mark = .absent }, .drop),
    Case(
      "an unknown mark", loads(.mark, [0, 0, 0, 0]), tcp4,
      undecided(" [ meta load mark => reg 1 ]: meta mark is not stated")),
    Case(
      "iif of an own packet is 0", loads(.iif, [0, 0, 0, 0]),
      with { $0.inputInterface = .absent }, .drop),
    Case(
      "oif", loads(.oif, [3, 0, 0, 0]),
      with { $0.outputInterface = .known(NetworkInterface(index: 3, name: "eth0")) }, .drop),
    Case(
      "oifname", loads(.oifname, Array("eth0".utf8) + [UInt8](repeating: 0, count: 12)),
      with { $0.outputInterface = .known(NetworkInterface(index: 3, name: "eth0")) }, .drop),
    Case(
      "the beginning of oifname", loads(.oifname, Array("eth".utf8)),
      with { $0.outputInterface = .known(NetworkInterface(index: 3, name: "eth0")) }, .drop),
    Case(
      "no iifname is all zero", loads(.iifname, [UInt8](repeating: 0, count: 16)),
      with { $0.inputInterface = .absent }, .drop),
    Case("skuid", loads(.skuid, [232, 3, 0, 0]), with { $0.socketUser = .known(1000) }, .drop),
    Case(
      "no socket breaks, even negated",
      [.meta(MetaLoad(.skuid, into: first)), .compare(Compare(first, .notEqual, [0, 0, 0, 0]))]
        + .drop,
      with { $0.socketUser = .absent }, .accept),
    Case("skgid", loads(.skgid, [5, 0, 0, 0]), with { $0.socketGroup = .known(5) }, .drop),
    Case("pkttype", loads(.pkttype, [1]), with { $0.packetType = .known(1) }, .drop),
    Case(
      "priority", loads(.priority, [0, 0, 0, 0]), tcp4,
      undecided(" [ meta load priority => reg 1 ]: meta priority is not stated")),
  ]

  static let conntrack: [Case] = [
    Case("state", .ctState(8) + .drop, tcp4, .drop),
    Case("another state", .ctState(2) + .drop, tcp4, .accept),
    Case(
      "an unknown state", .ctState(2) + .drop, with { $0.ctState = nil },
      undecided(" [ ct load state => reg 1 ]: ct state is not stated")),
    Case(
      "direction",
      [.ct(ConntrackLoad(.direction, into: first)), .compare(Compare(first, .equal, [1]))] + .drop,
      with { $0.ctDirection = .known(1) }, .drop),
    Case(
      "status",
      [.ct(ConntrackLoad(.status, into: first)), .compare(Compare(first, .equal, [32, 0, 0, 0]))]
        + .drop,
      with { $0.ctStatus = .known(32) }, .drop),
    Case(
      "no entry has no mark",
      [.ct(ConntrackLoad(.mark, into: first)), .compare(Compare(first, .notEqual, [9, 0, 0, 0]))]
        + .drop,
      with { $0.ctMark = .absent }, .accept),
  ]

  static let registers: [Case] = [
    Case("less", .load(.transport, 2, 2) + .compare(.less, [1, 188]) + .drop, tcp4, .drop),
    Case("not less", .load(.transport, 2, 2) + .compare(.less, [1, 187]) + .drop, tcp4, .accept),
    Case(
      "less or equal", .load(.transport, 2, 2) + .compare(.lessOrEqual, [1, 187]) + .drop, tcp4,
      .drop),
    Case(
      "greater", .load(.transport, 2, 2) + .compare(.greater, [1, 187]) + .drop, tcp4, .accept),
    Case(
      "16 bytes",
      .load(.network, 24, 16)
        + .compare(.equal, [0x20, 1, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [1]) + .drop,
      udp6, .drop),
    Case(
      "8 bytes, greater or equal",
      .load(.network, 24, 8)
        + .compare(.greaterOrEqual, [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 1]) + .drop, udp6, .accept),
    Case(
      "a range",
      .load(.transport, 2, 2)
        + [.range(RangeCompare(first, from: [1, 187], to: [1, 187]))] + .drop, tcp4, .drop),
    Case(
      "outside a range",
      .load(.transport, 2, 2)
        + [.range(RangeCompare(first, isInverted: true, from: [0, 1], to: [1, 186]))] + .drop,
      tcp4, .drop),
    Case(
      "a range of 16 bytes",
      .load(.network, 24, 16)
        + [
          .range(
            RangeCompare(
              first, from: [UInt8](repeating: 0, count: 16), to: [UInt8](repeating: 32, count: 16)))
        ] + .drop, udp6, .drop),
    Case(
      "a mask",
      .load(.network, 16, 4) + .mask([255, 255, 0, 0])
        + .compare(.equal, [192, 0, 0, 0]) + .drop, tcp4, .drop),
    Case(
      "a mask with xor",
      .load(.transport, 2, 2)
        + [.bitwise(Bitwise(source: first, destination: first, mask: [255, 255], xor: [1, 187]))]
        + .compare(.equal, [0, 0]) + .drop, tcp4, .drop),
    Case(
      "a mask of 16 bytes",
      .load(.network, 24, 16)
        + .mask([0xe0] + [UInt8](repeating: 0, count: 15))
        + .compare(.equal, [0x20] + [UInt8](repeating: 0, count: 15)) + .drop, udp6, .drop),
    Case(
      "a swapped number",
      [.meta(MetaLoad(.length, into: first))]
        + [
          .byteorder(
            Byteorder(
              source: first, destination: first, operation: 1, lengthBytes: 4, sizeBytes: 4))
        ] + .compare(.equal, [0, 0, 0, 40]) + .drop, tcp4, .drop),
    Case(
      "a swapped half",
      .load(.transport, 2, 2)
        + [
          .byteorder(
            Byteorder(
              source: first, destination: first, operation: 0, lengthBytes: 2, sizeBytes: 2))
        ] + .compare(.equal, [187, 1]) + .drop, tcp4, .drop),
    Case(
      "a register that nothing stored", .compare(.equal, [0]) + .drop, tcp4,
      undecided(
        " [ cmp eq reg 1 0x00000000 ]: reads a register that the rule has not stored")),
    Case(
      "the mark that a rule set",
      [
        .immediate(.data([7, 0, 0, 0], into: first)), .metaSet(MetaSet(.mark, from: first)),
        .meta(MetaLoad(.mark, into: Register(word: 4))),
        .compare(Compare(Register(word: 4), .equal, [7, 0, 0, 0])),
      ] + .drop, tcp4, .drop),
    Case(
      "a packet type that a rule sets",
      [.immediate(.data([1], into: first)), .metaSet(MetaSet(.pkttype, from: first))] + .drop,
      tcp4, undecided(" [ meta set pkttype with reg 1 ]: it changes what later hooks see")),
  ]

  static let rest: [Case] = [
    Case("a counter", [.counter(Counter())] + .drop, tcp4, .drop),
    Case("a named counter", [.objectReference(.counter("c"))] + .drop, tcp4, .drop),
    Case(
      "a quota", [.objectReference(ObjectReference(type: 2, name: "q"))] + .drop, tcp4,
      undecided(" [ objref type 2 name q ]: what the objref has left is not stated")),
    Case("a rejection", [.reject(.tcpReset)], tcp4, .reject(.tcpReset)),
    Case("accept", .accept, tcp4, .accept),
    Case("break ends the rule", .verdict(.break) + .drop, tcp4, .accept),
    Case("continue does not", .verdict(.continue) + .drop, tcp4, .drop),
    Case("return is the policy", .verdict(.return) + .drop, tcp4, .accept),
    Case(
      "the address type", .destinationType(3) + .drop, with { $0.destinationType = .known(3) },
      .drop),
    Case(
      "an unknown address type", .destinationType(3) + .drop, tcp4,
      undecided(" [ fib daddr type => reg 1 ]: fib daddr type is not stated")),
    Case(
      "a redirection", [.redirect(Redirect(port: nil))], tcp4,
      undecided(" [ redir ]: the packet's flow is not stated")),
    Case(
      "an unknown expression", [.unknown(name: "xfrm", bytes: [1])] + .drop, tcp4,
      undecided(" [ xfrm ?? 1:01 ]: not modelled")),
    Case(
      "an unknown expression after one that breaks",
      .ipv6 + [.unknown(name: "xfrm", bytes: [1])] + .drop, tcp4, .accept),
    Case(
      "a hop-by-hop header", .extensionHeader(0) + .drop,
      Packets.ipv6(0, [17, 0, 0, 0, 0, 0, 0, 0] + Packets.udp(1, 2)), .drop),
    Case("no hop-by-hop header", .extensionHeader(0) + .drop, udp6, .accept),
    Case(
      "bytes of a fragment header",
      .ipv6
        + [
          .extensionHeader(
            ExtensionHeaderLoad(
              operation: 0, type: 44, offsetBytes: 4, lengthBytes: 4, isPresence: false,
              into: first))
        ] + .compare(.equal, [0, 0, 0, 9]) + .drop,
      Packets.ipv6(44, [17, 0, 0, 1, 0, 0, 0, 9] + Packets.udp(1, 2)), .drop),
    Case(
      "an absent IPv4 option",
      .ipv4
        + [
          .extensionHeader(
            ExtensionHeaderLoad(
              operation: 2, type: 131, offsetBytes: 0, lengthBytes: 1, isPresence: true,
              into: first))
        ] + .compare(.equal, [0]) + .drop,
      Packets.ipv4(6, Packets.tcp(1, 2), options: [1, 148, 4, 0, 0, 0, 0, 0]), .drop),
    Case(
      "an IPv4 option that is there",
      [
        .extensionHeader(
          ExtensionHeaderLoad(
            operation: 2, type: 148, offsetBytes: 0, lengthBytes: 1, isPresence: true,
            into: first))
      ] + .compare(.equal, [1]) + .drop,
      Packets.ipv4(6, Packets.tcp(1, 2), options: [1, 148, 4, 0, 0, 0, 0, 0]), .drop),
    Case(
      "an IPv4 option beside one that the kernel may refuse",
      [
        .extensionHeader(
          ExtensionHeaderLoad(
            operation: 2, type: 148, offsetBytes: 0, lengthBytes: 1, isPresence: true,
            into: first))
      ] + .compare(.equal, [1]) + .drop,
      Packets.ipv4(6, Packets.tcp(1, 2), options: [148, 4, 0, 0, 130, 4, 0, 0]),
      undecided(
        " [ exthdr load ipv4 1b @ 148 + 0 present => reg 1 ]: "
          + "whether the kernel takes the IP options as well formed is not known")),
    Case(
      "a TCP option that is missing",
      [
        .extensionHeader(
          ExtensionHeaderLoad(
            operation: 1, type: 2, offsetBytes: 0, lengthBytes: 1, isPresence: true,
            into: first))
      ] + .compare(.equal, [0]) + .drop, tcp4, .drop),
    Case(
      "the payload of TCP", .load(.inner, 0, 1) + .compare(.equal, [0xaa]) + .drop,
      Packets.ipv4(6, Packets.tcp(1, 2) + [0xaa]), .drop),
    Case(
      "the link layer", .load(.link, 0, 1) + .drop, tcp4,
      undecided(
        " [ payload load 1b @ link header + 0 => reg 1 ]: the link-layer header is not stated")),
    Case(
      "membership", .load(.transport, 2, 2) + .isIn("s") + .drop, tcp4, .drop,
      sets: [
        NamedSet(
          name: "s", key: [.inetService], content: .elements([SetElement(key: [1, 187])]))
      ]),
  ]

  static var cases: [Case] { meta + conntrack + registers + rest }

  @Test(arguments: cases.indices)
  func `a rule does with a packet what nf_tables does`(index: Int) throws {
    let item = Self.cases[index]
    let outcome = try Packets.outcome(item.expressions, item.packet, sets: item.sets)
    #expect(outcome == item.outcome, "\(item.name)")
  }

  @Test func `every meta and ct key has a case`() {
    var metaKeys: Set<MetaKey> = []
    var ctKeys: Set<ConntrackKey> = []
    for expression in Self.cases.flatMap(\.expressions) {
      if case .meta(let load) = expression { metaKeys.insert(load.key) }
      if case .ct(let load) = expression { ctKeys.insert(load.key) }
    }
    #expect(metaKeys.count == 13)
    #expect(ctKeys == [.state, .direction, .status, .mark])
  }
}
