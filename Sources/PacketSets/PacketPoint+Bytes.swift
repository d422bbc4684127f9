import NetworkTypes

extension PacketPoint {
  /// The packet from its IP header on, in network order; nil for one that no bytes can say.
  ///
  /// Lengths and the IPv4 header checksum are right, transport checksums are left zero, what no
  /// field tells is filled in. A transport length of 64, which stands for more too, gives 64 bytes.
  public var bytes: [UInt8]? { family == .ipv4 ? ipv4 : ipv6 }

  /// The transport header and what follows.
  private var transport: [UInt8] {
    let length = Int(self[.transportLength])
    var bytes = [UInt8](repeating: 0, count: 64)
    bytes[0] = UInt8(self[.sourcePort] >> 8)
    bytes[1] = UInt8(self[.sourcePort] & 255)
    bytes[2] = UInt8(self[.destinationPort] >> 8)
    bytes[3] = UInt8(self[.destinationPort] & 255)
    switch self[.transportProtocol] {
    case 6: bytes[12] = 0x50
    case 17: bytes[5] = UInt8(length)
    default: break
    }
    bytes[13] = UInt8(self[.tcpFlags])
    return Array(bytes.prefix(length))
  }

  private var ipv4: [UInt8]? {
    guard self[.transportProtocol] < 256 else { return nil }
    let length = 20 + Int(self[.transportLength])
    let fragment = self[.fragment]
    var header: [UInt8] = [
      0x45, UInt8(self[.trafficClass]), UInt8(length >> 8), UInt8(length & 255), 0, 1,
      UInt8(fragment >> 8), UInt8(fragment & 255), UInt8(self[.hopLimit]),
      UInt8(self[.transportProtocol]), 0, 0,
    ]
    header += source.networkOrderBytes + destination.networkOrderBytes
    var sum: UInt32 = 0
    for index in stride(from: 0, to: 20, by: 2) {
      sum += UInt32(header[index]) << 8 | UInt32(header[index + 1])
    }
    sum = (sum & 0xffff) + (sum >> 16)
    let checksum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff
    header[10] = UInt8(checksum >> 8)
    header[11] = UInt8(checksum & 255)
    return header + transport
  }

  private var ipv6: [UInt8]? {
    let first = UInt8(self[.firstNextHeader])
    guard let rest = extensions(first) else { return nil }
    let traffic = self[.trafficClass]
    let label = self[.flowLabel]
    let header: [UInt8] = [
      0x60 | UInt8(traffic >> 4), UInt8((traffic & 15) << 4 | label >> 16),
      UInt8(label >> 8 & 255), UInt8(label & 255), UInt8(rest.count >> 8), UInt8(rest.count & 255),
      first, UInt8(self[.hopLimit]),
    ]
    return header + source.networkOrderBytes + destination.networkOrderBytes + rest
  }

  /// The extension headers and the transport header; nil when there can be none such.
  private func extensions(_ first: UInt8) -> [UInt8]? {
    let last = self[.transportProtocol]
    let followed: Set<UInt8> = [0, 43, 44, 60]
    let hasFragment = self[.fragment] & 0x8000 != 0
    let hasRouting = self[.routingHeader] == 1
    guard followed.contains(first) else {
      return last == UInt32(first) && !hasFragment && !hasRouting ? transport : nil
    }
    var headers = [first]
    if hasRouting && first != 43 { headers.append(43) }
    if hasFragment && first != 44 { headers.append(44) }
    guard headers.contains(44) == hasFragment, headers.contains(43) == hasRouting else {
      return nil
    }
    let isLater = self[.fragment] & 0x1fff != 0
    if isLater && (headers.last != 44 || last == 51) { return nil }
    if last == 256 { return broken(headers, isLater: isLater) }
    return chain(headers, UInt8(last)) + transport
  }

  private func chain(_ headers: [UInt8], _ last: UInt8) -> [UInt8] {
    headers.indices.flatMap { index -> [UInt8] in
      let next = index + 1 < headers.count ? headers[index + 1] : last
      if headers[index] == 44 {
        let offset = self[.fragment] << 3 & 0xfff8 | self[.fragment] >> 13 & 1
        return [next, 0, UInt8(offset >> 8), UInt8(offset & 255), 0, 0, 0, 1]
      }
      // One option that pads the header to 8 bytes; in a routing header, type 4 with nothing left.
      return headers[index] == 43 ? [next, 0, 4, 0, 0, 0, 0, 0] : [next, 0, 1, 4, 0, 0, 0, 0]
    }
  }

  /// Headers that cannot be followed to a protocol; nil when the packet has bytes behind them.
  private func broken(_ headers: [UInt8], isLater: Bool) -> [UInt8]? {
    guard self[.transportLength] == 0 else { return nil }
    if isLater { return chain(headers, 60) }
    // One more header, which the packet's end cuts off.
    return chain(headers, 60) + [6]
  }
}
