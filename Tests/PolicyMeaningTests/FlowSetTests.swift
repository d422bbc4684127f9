import NetworkTypes
import PacketSets
import PolicyLanguage
import RandomPolicies
import SeededRandom
import Testing

@testable import PolicyMeaning

/// The lenient meaning of a policy, against the list walk over flows.
@Suite struct FlowSetTests {
  private static let names = PolicyPacketsTests.names

  @Test(arguments: 0..<40 as Range<UInt64>, [Direction.outbound, .inbound])
  func `property: a packet has the ruling of its flow, whatever its state and flags`(
    seed: UInt64, direction: Direction
  ) throws {
    let policy = RandomPolicy.make(seed: seed)
    var diagrams = PacketDiagrams()
    let meaning = try policy.flowSet(direction, names: Self.names, in: &diagrams)
    var random = SeededGenerator(seed: seed)
    for _ in 0..<300 {
      var point = PacketPoint()
      for field in PacketField.allCases { point[field] = BoxEdge.value(field, &random) }
      let found = meaning.ruling(of: point, in: diagrams)
      let ruling = try #require(found)
      let isPiece = point[.fragment] & 0x1fff != 0 || point[.transportLength] < 4
      if isPiece {
        guard ruling.decision == .allow, ruling.clause != "link-control" else { continue }
        for port in [0, 25, 53, 443, 1000, 60999, 65535] as [UInt32] {
          point[.destinationPort] = port
          #expect(expected(policy, point, direction).decision == .allow)
        }
      } else {
        #expect(ruling == expected(policy, point, direction), "\(point.lonePacket(direction))")
      }
    }
  }

  @Test func `a later fragment is allowed only where every port is`() throws {
    var diagrams = PacketDiagrams()
    let parsed = PolicyParser.parse(path: "builtin:app-engine-sockets", source: BuiltIn.source)
    let policy = try #require(parsed.policy)
    let meaning = try policy.flowSet(.outbound, in: &diagrams)
    var point = PacketPoint()
    point[.transportProtocol] = 17
    point[.transportLength] = 64
    point[.destination3] = 0x0102_0304
    point[.destinationPort] = 443
    point[.sourcePort] = 40000
    let whole = meaning.ruling(of: point, in: diagrams)
    #expect(whole?.decision == .allow)
    point[.fragment] = 1
    let piece = meaning.ruling(of: point, in: diagrams)
    #expect(piece?.clause == "fragment")
  }

  /// The list walk over the whole packet that the piece could be.
  private func expected(
    _ policy: Policy, _ point: PacketPoint, _ direction: Direction
  ) -> Ruling {
    var packet = point.lonePacket(direction)
    // Only what shows its ICMPv6 type is link control.
    let isBroken = point[.fragment] & 0x1fff != 0 || point[.transportLength] == 0
    packet.piece = .whole
    packet.tcpFlags = nil
    if isBroken { packet.hopLimit = 0 }
    return policy.decision(for: packet, names: Self.names)
  }
}
