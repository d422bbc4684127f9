import NetworkTypes
import PacketSets
import PolicyLanguage
import RandomPolicies
import SeededRandom
import Testing

@testable import PolicyMeaning

/// The packet set of a policy against its list walk, which shares no code with it.
@Suite struct PolicyPacketsTests {
  static let names = NameAnswers([
    "n0.example": [.v4(0x0102_0304), .v4(0x0808_0808), .v6(0x64_ff9b << 96 | 0x0808_0808)],
    "n1.example": [.v4(0x0a00_0001), .v6(0x2001_0db8 << 96 | 1), .v6(0xff02 << 112 | 1)],
    "smtp.gmail.com": [.v4(0x8efa_0001), .v6(0x2a00_1450 << 96 | 1)],
  ])

  @Test(arguments: 0..<80 as Range<UInt64>, [Direction.outbound, .inbound])
  func `property: the packet set of a policy is its list walk, packet by packet`(
    seed: UInt64, direction: Direction
  ) throws {
    try compare(RandomPolicy.make(seed: seed), direction, seed: seed, packets: 300)
  }

  @Test(arguments: BuiltIn.policies.keys.sorted(), [Direction.outbound, .inbound])
  func `the packet set of a built-in policy is its list walk, and every ruling has a witness`(
    name: String, direction: Direction
  ) throws {
    let parsed = PolicyParser.parse(path: "builtin:\(name)", source: BuiltIn.source)
    let policy = try #require(parsed.policy)
    try compare(policy, direction, seed: 1, packets: 2000)
  }

  private func compare(
    _ policy: Policy, _ direction: Direction, seed: UInt64, packets: Int
  ) throws {
    var diagrams = PacketDiagrams()
    let meaning = try policy.packetSet(direction, names: Self.names, in: &diagrams)
    var random = SeededGenerator(seed: seed)
    for _ in 0..<packets {
      let point = Self.point(&random)
      let expected = Self.expected(policy, point, direction)
      let seen = meaning.ruling(of: point, in: diagrams)
      #expect(seen == expected, "\(point.lonePacket(direction))")
    }
    for ruling in meaning.rulings {
      let set = try meaning.packets(in: &diagrams) { $0 == ruling }
      for plain in [true, false] {
        let witness = diagrams.witness(set) { field, point in
          plain ? Self.plain(field, point) : [BoxEdge.value(field, &random)]
        }
        guard let witness else { continue }
        #expect(Self.expected(policy, witness, direction) == ruling)
      }
    }
  }

  /// The list walk, for packets of every conntrack state.
  private static func expected(
    _ policy: Policy, _ point: PacketPoint, _ direction: Direction
  ) -> Ruling? {
    let ruling = policy.decision(for: point.lonePacket(direction), names: names)
    switch point[.conntrackState] {
    case 1, 2: return nil
    case 3: return ruling
    case 0: return ruling.clause == "fragment" ? ruling : Ruling(.deny, clause: "no-flow")
    default:
      return ["link-control", "fragment"].contains(ruling.clause)
        ? ruling : Ruling(.deny, clause: "no-flow")
    }
  }

  private static func plain(_ field: PacketField, _ point: PacketPoint) -> [UInt32] {
    switch field {
    case .conntrackState: [3]
    case .transportProtocol: [6, 17]
    case .transportLength: [64]
    case .destination3: [0xc000_0201]
    case .tcpFlags: [2]
    case .sourcePort: [40000]
    case .destinationPort: [443]
    default: []
    }
  }

  private static func point(_ random: inout SeededGenerator) -> PacketPoint {
    var point = PacketPoint()
    for field in PacketField.allCases { point[field] = BoxEdge.value(field, &random) }
    return point
  }
}

/// Values at which policies change their mind.
enum BoxEdge {
  static func value(_ field: PacketField, _ random: inout SeededGenerator) -> UInt32 {
    let values: [UInt32] =
      switch field {
      case .family, .socket, .conntrackDirection: [0, 1]
      case .conntrackState: [0, 1, 2, 3, 3, 3, 3, 4]
      case .fragment: [0, 0, 0, 0, 0, 0x4000, 0x8000, 0x2000, 1]
      case .routingHeader: [0, 0, 0, 0, 1]
      case .transportProtocol: [6, 6, 6, 17, 17, 1, 58, 132, 136, 33, 47, 256]
      case .transportLength: [64, 64, 64, 64, 64, 20, 12, 8, 7, 19, 0]
      case .destinationType: [1, 1, 1, 1, 3, 5, 2]
      case .destination0, .source0:
        [0, 0x64_ff9b, 0x64_ff9b, 0x2001_0db8, 0x2600_0000, 0x2a04_4e42, 0xff02_0000]
      case .destination1, .source1: [0, 0, 0, 1]
      case .destination2, .source2: [0, 0, 0, 0x5efe, 0x0200_5efe]
      case .destination3, .source3:
        [
          1, 0x0102_0304, 0x0102_0305, 0x0808_0808, 0x0a00_0001, 0x09ff_ffff, 0xac10_0000,
          0xc0a8_0101, 0xe000_0001, .max, 0xffff_ff00, 0x0100_0000, 0,
        ]
      case .destinationPort: [0, 20, 25, 53, 80, 443, 1000, 1001, 32768, 60999, 61000, 65535]
      case .sourcePort:
        [40000, 40000, 40000, 32767, 60999, 61000, 25, 128 << 8, 133 << 8, 143 << 8, 135 << 8 | 1]
      case .tcpFlags: [2, 2, 2, 0x42, 0x12, 0x10]
      case .hopLimit: [64, 255, 1, 254]
      default: [0]
      }
    return values[random.next(upperBound: values.count)]
  }
}
