import NetworkTypes

/// A field of a protocol header that nft(8) has a name for.
struct HeaderField: Hashable {
  let header: String
  let name: String
  let base: PayloadBase
  let offset: UInt32
  let length: UInt32
  let type: ValueType
  /// The bits of a field that is smaller than a byte.
  var mask: UInt8?
}

/// The named header fields, by what is known of the packet.
///
/// Source: nft(8), PAYLOAD EXPRESSIONS.
enum HeaderFieldTable {
  static let ip: [HeaderField] = [
    network("ip", "version", 0, 1, .number, mask: 0xf0),
    network("ip", "hdrlength", 0, 1, .number, mask: 0x0f),
    network("ip", "length", 2, 2, .number), network("ip", "id", 4, 2, .number),
    network("ip", "frag-off", 6, 2, .number), network("ip", "ttl", 8, 1, .number),
    network("ip", "protocol", 9, 1, .inetProtocol), network("ip", "checksum", 10, 2, .number),
    network("ip", "saddr", 12, 4, .ipv4Address), network("ip", "daddr", 16, 4, .ipv4Address),
  ]
  static let ip6: [HeaderField] = [
    network("ip6", "length", 4, 2, .number), network("ip6", "nexthdr", 6, 1, .inetProtocol),
    network("ip6", "hoplimit", 7, 1, .number), network("ip6", "saddr", 8, 16, .ipv6Address),
    network("ip6", "daddr", 24, 16, .ipv6Address),
  ]

  /// Fields of the transport header when `meta l4proto` is known, else the ports of `th`.
  static func transport(_ known: UInt8?) -> [HeaderField] {
    switch known.map(IPProtocol.init(rawValue:)) {
    case .tcp: ports("tcp") + tcp
    case .udp: ports("udp") + [th("udp", "length", 4, 2), th("udp", "checksum", 6, 2)]
    case .udplite: ports("udplite")
    case .sctp: ports("sctp") + [th("sctp", "vtag", 4, 4)]
    case .dccp: ports("dccp")
    case .icmp: [th("icmp", "type", 0, 1, .icmpType), th("icmp", "code", 1, 1, .icmpCode)]
    case .icmpv6:
      [th("icmpv6", "type", 0, 1, .icmpv6Type), th("icmpv6", "code", 1, 1, .icmpv6Code)]
    default: ports("th")
    }
  }

  private static let tcp: [HeaderField] = [
    th("tcp", "sequence", 4, 4), th("tcp", "ackseq", 8, 4),
    th("tcp", "flags", 13, 1, .tcpFlags), th("tcp", "window", 14, 2),
    th("tcp", "checksum", 16, 2), th("tcp", "urgptr", 18, 2),
  ]

  private static func ports(_ header: String) -> [HeaderField] {
    [th(header, "sport", 0, 2, .inetService), th(header, "dport", 2, 2, .inetService)]
  }

  private static func network(
    _ header: String, _ name: String, _ offset: UInt32, _ length: UInt32, _ type: ValueType,
    mask: UInt8? = nil
  ) -> HeaderField {
    HeaderField(
      header: header, name: name, base: .network, offset: offset, length: length, type: type,
      mask: mask)
  }

  private static func th(
    _ header: String, _ name: String, _ offset: UInt32, _ length: UInt32,
    _ type: ValueType = .number
  ) -> HeaderField {
    HeaderField(
      header: header, name: name, base: .transport, offset: offset, length: length, type: type)
  }
}
