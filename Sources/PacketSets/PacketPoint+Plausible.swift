import NetworkTypes

extension PacketPoint {
  /// Values that a witness should have if it can, best first: an ordinary first packet.
  ///
  /// IPv4 before IPv6, new, a SYN from port 40000 to port 443 of 192.0.2.1 or 2001:db8::1, from a
  /// socket of user 1000, whole, and not over the loopback link.
  public static func plausible(_ field: PacketField, after soFar: PacketPoint) -> [UInt32] {
    switch field {
    case .conntrackState: [3, 4, 0, 1, 2]
    case .inputInterface, .outputInterface: [2, 3, 1]
    case .socket: [1]
    case .socketUser, .socketGroup: [1000]
    case .conntrackStatus1, .conntrackStatus2, .conntrackStatus3: [0]
    case .firstNextHeader, .transportProtocol:
      soFar.family == .ipv6 || field == .transportProtocol
        ? [6, 17, 58, 1] : [0]
    case .transportLength: [64, 40, 20, 8]
    case .destinationType, .sourceType: [1, 2]
    case .destination0, .source0: soFar.family == .ipv6 ? [0x2001_0db8] : [0]
    case .destination3: soFar.family == .ipv6 ? [1] : [0xc000_0201]
    case .source3: soFar.family == .ipv6 ? [2] : [0xc633_6402]
    case .destinationPort: [443, 80, 53, 22]
    case .sourcePort:
      switch soFar[.transportProtocol] {
      case 1: [8 << 8]
      case 58: [128 << 8]
      default: [40000]
      }
    case .tcpFlags: [2, 16]
    case .hopLimit: [64, 255, 1]
    default: [0]
    }
  }
}
