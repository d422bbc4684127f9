public import NetworkTypes

/// The mark by which a probe's packet is known again on the wire.
///
/// It rides where a filter does not look: in the identification of IPv4, in the low 16 bits of the
/// flow label of IPv6 below a fixed 5.
public struct PacketTag: Hashable, Sendable {
  /// The family of the packet.
  public let family: Family
  /// The number, 1…65535 for a probe.
  public let number: UInt16
  /// The destination field of the packet.
  public let destination: IPAddress

  /// The tag that ``PacketBuilder`` gives a packet.
  public init(number: UInt16, destination: IPAddress) {
    family = destination.family
    self.number = number
    self.destination = destination
  }

  /// Reads the tag of a packet that starts with its IP header; nil for anything else.
  public init?(packet: Span<UInt8>) {
    guard !packet.isEmpty else { return nil }
    switch packet[0] >> 4 {
    case 4 where packet.count >= 20:
      family = .ipv4
      number = UInt16(PacketTag.number(packet, 4..<6))
      destination = .v4(UInt32(PacketTag.number(packet, 16..<20)))
    case 6 where packet.count >= 40 && packet[1] == 5:
      family = .ipv6
      number = UInt16(PacketTag.number(packet, 2..<4))
      let high = UInt128(PacketTag.number(packet, 24..<32))
      destination = .v6(high << 64 | UInt128(PacketTag.number(packet, 32..<40)))
    default: return nil
    }
  }

  private static func number(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64 {
    var value: UInt64 = 0
    for index in range { value = value << 8 | UInt64(bytes[index]) }
    return value
  }
}
