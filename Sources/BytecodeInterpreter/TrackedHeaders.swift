import NetworkTypes

/// The layer-4 header as conntrack and address translation find it: past an AH, unlike nf_tables.
///
/// Source: `ipv4_get_l4proto`, `ipv6_get_l4proto`, `net/netfilter/nf_conntrack_core.c`;
/// `ipv6_skip_exthdr`, `net/ipv6/exthdrs_core.c`.
struct TrackedHeaders {
  var ipProtocol: UInt8
  var offset: Int

  /// Reads the headers; nil for later fragments and what cannot be followed.
  init?(_ bytes: [UInt8], _ family: Family) {
    switch family {
    case .ipv4:
      guard bytes.count >= 20, bytes[6] & 0x1f == 0, bytes[7] == 0 else { return nil }
      ipProtocol = bytes[9]
      offset = Int(bytes[0] & 15) * 4
      guard offset <= bytes.count else { return nil }
    case .ipv6:
      guard bytes.count >= 40 else { return nil }
      ipProtocol = bytes[6]
      offset = 40
      while [0, 43, 44, 51, 59, 60].contains(ipProtocol) {
        guard ipProtocol != 59, offset + 2 <= bytes.count else { return nil }
        var length = (Int(bytes[offset + 1]) + 1) * 8
        if ipProtocol == 44 {
          guard offset + 4 <= bytes.count, bytes[offset + 2] == 0, bytes[offset + 3] & 0xf8 == 0
          else { return nil }
          length = 8
        } else if ipProtocol == 51 {
          length = (Int(bytes[offset + 1]) + 2) * 4
        }
        ipProtocol = bytes[offset]
        offset += length
      }
    }
  }
}

extension FlowDirection {
  /// The direction that a packet belongs to; nil when its headers cannot be read.
  ///
  /// Source: `nf_ct_get_tuple`, `net/netfilter/nf_conntrack_core.c`.
  init?(_ bytes: [UInt8], _ family: Family) {
    guard let ends = PacketEnds(bytes, family), let headers = TrackedHeaders(bytes, family) else {
      return nil
    }
    let start = headers.offset
    func number(_ offset: Int) -> UInt16? {
      guard start + offset + 2 <= bytes.count else { return nil }
      return UInt16(bytes[start + offset]) << 8 | UInt16(bytes[start + offset + 1])
    }
    self.init(
      source: ends.source, destination: ends.destination, ipProtocol: headers.ipProtocol)
    switch headers.ipProtocol {
    case 6, 17, 132, 136, 33:
      guard let from = number(0), let to = number(2) else { return nil }
      sourcePort = from
      destinationPort = to
    case 1, 58:
      guard let kind = number(0), let id = number(4), number(6) != nil else { return nil }
      sourcePort = id
      destinationPort = kind
    default: break
    }
  }
}
