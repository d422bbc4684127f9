import NetworkTypes

/// How the witness knows a conversation's packets: protocol, ports, destination.
struct WireMark: Hashable {
  var ipProtocol: UInt8
  var sourcePort: UInt16
  var destinationPort: UInt16
  var destination: IPAddress

  init(_ ipProtocol: IPProtocol, from sourcePort: UInt16, to destination: SocketAddress) {
    self.ipProtocol = ipProtocol.rawValue
    self.sourcePort = sourcePort
    destinationPort = destination.port
    // Sockets send what goes to ::ffff:0:0/96 as IPv4.
    if case .v6(let bits) = destination.address, bits >> 32 == 0xffff {
      self.destination = .v4(UInt32(truncatingIfNeeded: bits))
    } else {
      self.destination = destination.address
    }
  }

  /// Reads the mark of a TCP or UDP packet; nil for anything else.
  init?(packet: Span<UInt8>) {
    guard packet.count >= 20 else { return nil }
    let start: Int
    switch packet[0] >> 4 {
    case 4:
      start = Int(packet[0] & 15) * 4
      ipProtocol = packet[9]
      destination = .v4((16..<20).reduce(0) { $0 << 8 | UInt32(packet[$1]) })
    case 6 where packet.count >= 40:
      start = 40
      ipProtocol = packet[6]
      destination = .v6((24..<40).reduce(0) { $0 << 8 | UInt128(packet[$1]) })
    default: return nil
    }
    guard packet.count >= start + 4 else { return nil }
    sourcePort = UInt16(packet[start]) << 8 | UInt16(packet[start + 1])
    destinationPort = UInt16(packet[start + 2]) << 8 | UInt16(packet[start + 3])
  }
}
