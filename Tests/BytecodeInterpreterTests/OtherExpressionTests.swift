import Bytecode
import BytecodeInterpreter
import NetworkTypes
import RulesetExamples
import Testing

/// Expressions that weir's own rulesets do not use, one rule each.
@Suite struct OtherExpressionTests {
  static let first = Register(word: 0)
  static let tcp4 = Packets.ipv4(6, Packets.tcp(40000, 443))

  static func isDropped(
    _ expressions: [Expression], _ packet: PacketContext = tcp4
  ) throws -> Bool {
    try Packets.outcome(expressions + .drop, packet) == .drop
  }

  static func data(_ bytes: [UInt8]) -> [Expression] { [.immediate(.data(bytes, into: first))] }

  @Test func `shifts carry from word to word, in host order`() throws {
    func shift(_ direction: ShiftDirection, _ bits: UInt32, _ value: [UInt8]) -> [Expression] {
      Self.data(value) + [
        .shift(
          Shift(
            direction, source: Self.first, destination: Register(word: 4),
            lengthBytes: UInt32(value.count), bits: bits))
      ]
    }
    let target = Register(word: 4)
    #expect(
      try Self.isDropped(
        shift(.left, 4, [0x10, 0, 0, 0]) + [.compare(Compare(target, .equal, [0, 1, 0, 0]))]))
    #expect(
      try Self.isDropped(
        shift(.right, 4, [0, 1, 0, 0]) + [.compare(Compare(target, .equal, [0x10, 0, 0, 0]))]))
    // The second word is the less significant one.
    #expect(
      try Self.isDropped(
        shift(.left, 8, [0, 0, 0, 0, 0, 0, 0, 0x12])
          + [.compare(Compare(target, .equal, [0x12, 0, 0, 0, 0, 0, 0, 0]))]))
    #expect(
      try Self.isDropped(
        shift(.right, 8, [0x12, 0, 0, 0, 0, 0, 0, 0])
          + [.compare(Compare(target, .equal, [0, 0, 0, 0, 0, 0, 0, 0x12]))]))
  }

  @Test func `bits are combined with a constant or a register`() throws {
    let target = Register(word: 4)
    for (operation, expected) in [
      (BitwiseOperator.and, [0x30, 1]), (.or, [0xfc, 3]), (.xor, [0xcc, 2]),
    ] as [(BitwiseOperator, [UInt8])] {
      for operand in [BitwiseOperand.data([0x3c, 3]), .register(Register(word: 8))] {
        let rule =
          Self.data([0xf0, 1])
          + [
            .immediate(.data([0x3c, 3], into: Register(word: 8))),
            .bitwiseOperation(
              BitwiseOperation(
                operation, source: Self.first, operand: operand, destination: target,
                lengthBytes: 2)),
            .compare(Compare(target, .equal, expected)),
          ]
        #expect(try Self.isDropped(rule))
      }
    }
  }

  /// The numbers are those that Linux 6.18 yields.
  @Test func `jhash is the kernel's`() throws {
    func hash(_ value: [UInt8], _ modulus: UInt32, seed: UInt32?) -> [Expression] {
      Self.data(value) + [
        .hash(
          Hash(
            .jenkins, source: Self.first, lengthBytes: UInt32(value.count), modulus: modulus,
            seed: seed, into: Register(word: 8)))
      ]
    }
    func equals(_ number: UInt8) -> [Expression] {
      [.compare(Compare(Register(word: 8), .equal, [number, 0, 0, 0]))]
    }
    #expect(try Self.isDropped(hash([8, 8, 4, 4], 3, seed: 1) + equals(1)))
    #expect(
      try Self.isDropped(
        hash([10, 1, 2, 255, 31, 144, 0, 0], 4, seed: 7) + equals(2)))
    guard
      case .cannotDecide = try Packets.outcome(
        hash([8, 8, 4, 4], 3, seed: nil) + equals(1) + .drop, Self.tcp4)
    else {
      Issue.record("a hash with a seed of the kernel's own was decided")
      return
    }
  }

  @Test func `options are found in their header, or break, or are told to be missing`() throws {
    func option(_ type: UInt8, offset: UInt32, length: UInt32, isPresence: Bool = false)
      -> [Expression]
    {
      [
        .extensionHeader(
          ExtensionHeaderLoad(
            operation: 1, type: type, offsetBytes: offset, lengthBytes: length,
            isPresence: isPresence, into: Self.first))
      ]
    }
    var segment = Packets.tcp(1, 2)
    segment[12] = 0x60
    let packet = Packets.ipv4(6, segment + [2, 4, 5, 180])
    #expect(
      try Self.isDropped(option(2, offset: 2, length: 2) + .compare(.equal, [5, 180]), packet))
    #expect(try !Self.isDropped(option(2, offset: 2, length: 4), packet), "past the option's end")
    #expect(try !Self.isDropped(option(3, offset: 2, length: 1), packet))
    let missing = option(3, offset: 0, length: 1, isPresence: true) + .compare(.equal, [0])
    #expect(try Self.isDropped(missing, packet))
    // Without a guard, `missing` holds for what is no TCP at all.
    #expect(try Self.isDropped(missing, Packets.ipv4(17, Packets.udp(1, 2))))
    segment[12] = 0xf0
    #expect(try Self.isDropped(missing, Packets.ipv4(6, segment + [3, 3, 7, 1])))
  }

  @Test func `what is stated about a load is what it finds`() throws {
    let load = Expression.meta(MetaLoad(.cpu, into: Register(word: 2)))
    let rule = [load, .compare(Compare(Register(word: 2), .equal, [3, 0, 0, 0]))]
    var packet = Self.tcp4
    guard case .cannotDecide(let reasons) = try Packets.outcome(rule + .drop, packet) else {
      Issue.record("decided")
      return
    }
    #expect(
      reasons == ["inet t output rule 1 [ meta load cpu => reg 10 ]: meta cpu is not stated"])
    packet.state(.meta(MetaLoad(.cpu, into: Self.first)), as: .known([3, 0, 0, 0]))
    #expect(try Self.isDropped(rule, packet))
    packet.state(.meta(MetaLoad(.cpu, into: Self.first)), as: .absent)
    #expect(try !Self.isDropped(rule, packet))
  }

  @Test func `iiftype looks at the device that the packet is on, iif at where it came in`() throws {
    var packet = PassageTests.packet
    packet.state(.meta(MetaLoad(.oiftype, into: Self.first)), as: .known([1, 0]))
    let rules = [
      [.meta(MetaLoad(.iiftype, into: Self.first))] + .compare(.equal, [1, 0])
        + ChangeTests.count,
      .meta(.iif, [0, 0, 0, 0]) + ChangeTests.count,
    ]
    for (hook, results) in [
      (
        Hook.output,
        [VisitedRule.Result.broke(expression: 0), .verdict(.continue), .policy(.accept)]
      ),
      (.postrouting, [.verdict(.continue), .verdict(.continue), .policy(.accept)]),
    ] {
      let passage = try ChangeTests.walk([PassageTests.base("c", rules, hook: hook)], packet)
      #expect(passage.trace.map(\.result) == results, "\(hook)")
    }
  }

  @Test func `conntrack takes a packet of no flow for what its headers say`() {
    let cases: [(packet: PacketContext, state: ConntrackState?)] = [
      (Packets.ipv4(6, Packets.tcp(1, 2)), .new),
      (Packets.ipv4(6, Packets.tcp(1, 2, flags: 0x12)), .invalid),
      (Packets.ipv4(6, Packets.tcp(1, 2, flags: 0x10)), .new),
      (Packets.ipv4(6, Packets.tcp(1, 2, flags: 0x04)), .invalid),
      (Packets.ipv4(6, Array(Packets.tcp(1, 2).prefix(19))), .invalid),
      (Packets.ipv4(17, Packets.udp(1, 2)), .new),
      (Packets.ipv4(17, [0, 1, 0, 2, 0, 99, 0, 0]), .invalid),
      (Packets.ipv4(17, Packets.udp(1, 2), fragment: 0x2000), .invalid),
      (Packets.ipv4(1, [8, 0, 0, 0, 0, 1, 0, 1]), .new),
      (Packets.ipv4(1, [0, 0, 0, 0, 0, 1, 0, 1]), .invalid),
      (Packets.ipv6(58, [128, 0, 0, 0, 0, 1, 0, 1]), .new),
      (Packets.ipv6(58, [135, 0, 0, 0, 0, 1, 0, 1]), .untracked),
      (Packets.ipv6(59, []), .invalid),
      (Packets.ipv4(253, [1]), .new),
      (Packets.ipv4(132, [UInt8](repeating: 0, count: 16)), nil),
      // Conntrack looks past an AH, unlike nf_tables.
      (Packets.ipv6(51, [17, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1] + Packets.udp(1, 2)), .new),
    ]
    for (number, item) in cases.enumerated() {
      var packet = item.packet
      packet.trackAsFirst()
      #expect(packet.ctState == item.state, "case \(number)")
    }
    var stray = Packets.ipv4(6, Packets.tcp(1, 2, flags: 0x10))
    stray.trackAsFirst(isLoose: false)
    #expect(stray.ctState == .invalid)
  }
}
