/// A field of a packet that diagrams tell apart; the raw value is its place in the diagrams' order.
///
/// Every field holds at most 32 bits. IPv6 addresses are four words, most significant first; an
/// IPv4 address is word 3. Marks and status bits are kept four bits a field, so that a test of any
/// bits stays small. Facts that decide much and differ little come first.
public enum PacketField: UInt8, Hashable, Sendable, CaseIterable, Comparable {
  /// 0 IPv4, 1 IPv6.
  case family
  /// 0 invalid, 1 established, 2 related, 3 new, 4 untracked.
  case conntrackState
  /// 0 original, 1 reply.
  case conntrackDirection
  /// 0 none, otherwise a number that the analysis gave to a link.
  case inputInterface
  /// 0 none, otherwise a number that the analysis gave to a link.
  case outputInterface
  /// 1 when a full socket sent the packet.
  case socket
  /// `meta skuid`, host order.
  case socketUser
  /// `meta skgid`, host order.
  case socketGroup
  /// `socket cgroupv2`: 0 none of those asked for, otherwise a number that the analysis gave.
  case socketCgroup
  /// `meta mark`, bits 31…28.
  case mark7
  /// `meta mark`, bits 27…24.
  case mark6
  /// `meta mark`, bits 23…20.
  case mark5
  /// `meta mark`, bits 19…16.
  case mark4
  /// `meta mark`, bits 15…12.
  case mark3
  /// `meta mark`, bits 11…8.
  case mark2
  /// `meta mark`, bits 7…4.
  case mark1
  /// `meta mark`, bits 3…0.
  case mark0
  /// `ct mark`, bits 31…28.
  case conntrackMark7
  /// `ct mark`, bits 27…24.
  case conntrackMark6
  /// `ct mark`, bits 23…20.
  case conntrackMark5
  /// `ct mark`, bits 19…16.
  case conntrackMark4
  /// `ct mark`, bits 15…12.
  case conntrackMark3
  /// `ct mark`, bits 11…8.
  case conntrackMark2
  /// `ct mark`, bits 7…4.
  case conntrackMark1
  /// `ct mark`, bits 3…0.
  case conntrackMark0
  /// `ct status`, bits 15…12.
  case conntrackStatus3
  /// `ct status`, bits 11…8.
  case conntrackStatus2
  /// `ct status`, bits 7…4; 16 is source NAT, 32 destination NAT.
  case conntrackStatus1
  /// `ct status`, bits 3…0.
  case conntrackStatus0
  /// `meta pkttype`.
  case packetType
  /// The IPv4 fragment word: bit 14 don't fragment, bit 13 more fragments, bits 12…0 the offset.
  ///
  /// For IPv6 the same from the fragment header, and bit 15 tells that there is one.
  case fragment
  /// 1 when an IPv6 routing header is there, of any type.
  case routingHeader
  /// The next-header field of the IPv6 header; 0 for IPv4.
  case firstNextHeader
  /// `meta l4proto`, 0…255; 256 when the IPv6 headers cannot be followed.
  case transportProtocol
  /// Bytes from the transport header to the packet's end, 0…64; 64 stands for more, too. Of a later
  /// fragment, those behind its IPv4 header or its IPv6 fragment header.
  case transportLength
  /// `fib daddr type`, `RTN_*`.
  case destinationType
  /// Destination address, bits 127…96.
  case destination0
  /// Destination address, bits 95…64.
  case destination1
  /// Destination address, bits 63…32.
  case destination2
  /// Destination address, bits 31…0; the IPv4 address.
  case destination3
  /// `fib saddr type`, `RTN_*`.
  case sourceType
  /// Source address, bits 127…96.
  case source0
  /// Source address, bits 95…64.
  case source1
  /// Source address, bits 63…32.
  case source2
  /// Source address, bits 31…0; the IPv4 address.
  case source3
  /// Bytes 2 and 3 of the transport header: the destination port.
  case destinationPort
  /// Bytes 0 and 1 of the transport header: the source port, or ICMP type and code.
  case sourcePort
  /// Byte 13 of the transport header: the TCP flags.
  case tcpFlags
  /// Time to live, or hop limit.
  case hopLimit
  /// Type of service, or traffic class.
  case trafficClass
  /// The IPv6 flow label; 0 for IPv4.
  case flowLabel

  /// How many fields there are.
  static let count = allCases.count

  /// The largest value.
  public var maximum: UInt32 {
    switch self {
    case .family, .conntrackDirection, .socket, .routingHeader: 1
    case .conntrackState: 4
    case .inputInterface, .outputInterface, .socketUser, .socketGroup, .socketCgroup: .max
    case .destination0, .destination1, .destination2, .destination3: .max
    case .source0, .source1, .source2, .source3: .max
    case .fragment, .destinationPort, .sourcePort: 0xffff
    case .packetType, .firstNextHeader, .destinationType, .sourceType: 255
    case .tcpFlags, .hopLimit, .trafficClass: 255
    case .transportProtocol: 256
    case .transportLength: 64
    case .flowLabel: 0xf_ffff
    default: 15
    }
  }

  /// Orders as diagrams do.
  public static func < (left: PacketField, right: PacketField) -> Bool {
    left.rawValue < right.rawValue
  }

  /// The words of the destination address, most significant first.
  public static let destination: [PacketField] = [
    .destination0, .destination1, .destination2, .destination3,
  ]
  /// The words of the source address, most significant first.
  public static let source: [PacketField] = [.source0, .source1, .source2, .source3]
  /// `meta mark`, most significant bits first.
  public static let mark: [PacketField] = [
    .mark7, .mark6, .mark5, .mark4, .mark3, .mark2, .mark1, .mark0,
  ]
  /// `ct mark`, most significant bits first.
  public static let conntrackMark: [PacketField] = [
    .conntrackMark7, .conntrackMark6, .conntrackMark5, .conntrackMark4, .conntrackMark3,
    .conntrackMark2, .conntrackMark1, .conntrackMark0,
  ]
  /// `ct status`, bits 15…0, most significant bits first.
  public static let conntrackStatus: [PacketField] = [
    .conntrackStatus3, .conntrackStatus2, .conntrackStatus1, .conntrackStatus0,
  ]
}
