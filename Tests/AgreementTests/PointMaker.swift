import NetworkTypes
import PacketSets
import SeededRandom

/// Packets from a seed, mostly at values where rules change their mind.
struct PointMaker {
  var random: SeededGenerator
  /// Values that the rules at hand compare with.
  var interesting: [PacketField: [UInt32]] = [:]

  mutating func point() -> PacketPoint {
    var point = PacketPoint()
    for field in PacketField.allCases { point[field] = value(field) }
    repair(&point)
    return point
  }

  mutating func value(_ field: PacketField) -> UInt32 {
    if let values = interesting[field], !values.isEmpty, random.next(upperBound: 3) > 0 {
      return min(values[random.next(upperBound: values.count)], field.maximum)
    }
    let values = Self.usual(field)
    return values[random.next(upperBound: values.count)]
  }

  static func usual(_ field: PacketField) -> [UInt32] {
    switch field {
    case .family, .conntrackDirection, .socket: [0, 1]
    case .conntrackState: [0, 1, 2, 3, 3, 3, 3, 4]
    case .inputInterface, .outputInterface: [1, 2, 3]
    case .socketUser, .socketGroup: [0, 1000, 65534]
    case .fragment: [0, 0, 0, 0, 0x4000, 0x8000, 0xa000, 0x8001, 0x2000, 1, 0x1fff]
    case .routingHeader: [0, 0, 0, 1]
    case .firstNextHeader: [6, 17, 58, 0, 43, 44, 60, 51, 59]
    case .transportProtocol: [6, 6, 6, 17, 17, 1, 58, 132, 136, 33, 47, 51, 59, 256]
    case .transportLength: [64, 64, 64, 64, 20, 12, 8, 7, 3, 14, 0]
    case .destinationType, .sourceType: [1, 1, 1, 3, 5, 2]
    case .destination0, .source0: [0x64_ff9b, 0x2001_0db8, 0x2600_0000, 0xff02_0000, 0]
    case .destination1, .source1: [0, 0, 1]
    case .destination2, .source2: [0, 0, 0x5efe, 0x0200_5efe]
    case .destination3, .source3:
      [1, 0x0102_0304, 0x0808_0808, 0x0a00_0001, 0xac10_0000, 0xc0a8_0101, 0xe000_0001, .max, 0]
    case .destinationPort: [0, 25, 53, 80, 443, 1000, 32768, 60999, 61000, 65535]
    case .sourcePort: [40000, 40000, 32767, 60999, 61000, 128 << 8, 133 << 8, 135 << 8 | 1]
    case .tcpFlags: [2, 2, 0x12, 0x10, 0x42, 4]
    case .hopLimit: [64, 255, 1]
    default: [0, 0, 1, 3, 8]
    }
  }

  /// Makes most packets possible: IPv4 without IPv6 fields, no ports without bytes.
  private mutating func repair(_ point: inout PacketPoint) {
    if point.family == .ipv4 {
      for field in [
        PacketField.destination0, .destination1, .destination2, .source0, .source1, .source2,
        .routingHeader, .firstNextHeader, .flowLabel,
      ] { point[field] = 0 }
      if point[.transportProtocol] == 256 { point[.transportProtocol] = 6 }
    } else {
      let followed: Set<UInt32> = [0, 43, 44, 60]
      if point[.fragment] & 0x3fff != 0 || point[.fragment] & 0x8000 != 0 {
        point[.fragment] = point[.fragment] & 0x3fff | 0x8000
      } else {
        point[.fragment] = 0
      }
      if !followed.contains(point[.firstNextHeader]) {
        if point[.fragment] != 0 {
          point[.firstNextHeader] = 44
        } else if point[.routingHeader] == 1 {
          point[.firstNextHeader] = 43
        } else if point[.transportProtocol] < 256 {
          point[.firstNextHeader] = point[.transportProtocol]
        }
      }
      if point[.firstNextHeader] == 44 { point[.fragment] |= 0x8000 }
      if point[.firstNextHeader] == 43 { point[.routingHeader] = 1 }
      if point[.transportProtocol] == 256 { point[.transportLength] = 0 }
    }
    if point[.conntrackState] == 0 || point[.conntrackState] == 4 {
      for field in PacketField.conntrackMark + PacketField.conntrackStatus { point[field] = 0 }
      point[.conntrackDirection] = 0
    }
    if point[.conntrackState] == 3 { point[.conntrackDirection] = 0 }
    let isMulticast =
      point.family == .ipv4
      ? point[.destination3] >> 28 == 14 : point[.destination0] >> 24 == 0xff
    if isMulticast {
      point[.destinationType] = 5
    } else if point[.destinationType] == 5 {
      point[.destinationType] = 1
    }
    if point.family == .ipv6 && point[.destinationType] == 3 { point[.destinationType] = 1 }
    if point.family == .ipv4 && [0, .max].contains(point[.destination3]) {
      point[.destinationType] = 3
    }
    let isFrom =
      point.family == .ipv4 ? point[.source3] >> 28 == 14 : point[.source0] >> 24 == 0xff
    point[.sourceType] = isFrom ? 5 : 1
    if point.family == .ipv4 && [0, .max].contains(point[.source3]) { point[.sourceType] = 3 }
  }
}
