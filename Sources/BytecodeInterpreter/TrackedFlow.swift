public import NetworkTypes

/// One direction of a flow as conntrack keys it.
///
/// Source: `struct nf_conntrack_tuple`, `include/net/netfilter/nf_conntrack_tuple.h`.
public struct FlowDirection: Hashable, Sendable {
  /// Who sends.
  public var source: IPAddress
  /// Who receives.
  public var destination: IPAddress
  /// The layer-4 protocol.
  public var ipProtocol: UInt8
  /// The source port, host order; an ICMP identifier; 0 for protocols without ports.
  public var sourcePort: UInt16
  /// The destination port, host order; ICMP type and code; 0 for protocols without ports.
  public var destinationPort: UInt16

  /// Makes a direction.
  public init(
    source: IPAddress, destination: IPAddress, ipProtocol: UInt8, sourcePort: UInt16 = 0,
    destinationPort: UInt16 = 0
  ) {
    self.source = source
    self.destination = destination
    self.ipProtocol = ipProtocol
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
  }

  /// The direction that answers this one.
  ///
  /// Source: `nf_ct_invert_tuple`, `net/netfilter/nf_conntrack_core.c`; the ICMP answer types of
  /// `icmp_invmap` and `icmpv6_invmap`.
  public var inverse: FlowDirection {
    var inverse = self
    inverse.source = destination
    inverse.destination = source
    switch ipProtocol {
    case 1, 58:
      let type = UInt8(destinationPort >> 8)
      let pairs: [(UInt8, UInt8)] =
        ipProtocol == 1 ? [(8, 0), (13, 14), (15, 16), (17, 18)] : [(128, 129), (139, 140)]
      let answer = pairs.lazy.compactMap { pair in
        pair.0 == type ? pair.1 : pair.1 == type ? pair.0 : nil
      }.first
      inverse.destinationPort = UInt16(answer ?? type) << 8 | destinationPort & 0xff
    default:
      inverse.sourcePort = destinationPort
      inverse.destinationPort = sourcePort
    }
    return inverse
  }
}

/// Both directions of a flow; they mirror each other unless address translation is at work.
public struct TrackedFlow: Hashable, Sendable {
  /// As the first packet was.
  public var original: FlowDirection
  /// As answers are expected.
  public var reply: FlowDirection

  /// A flow, without translation by default.
  public init(original: FlowDirection, reply: FlowDirection? = nil) {
    self.original = original
    self.reply = reply ?? original.inverse
  }

  /// What a packet of a direction becomes: its source and destination after translation.
  func target(isReply: Bool) -> FlowDirection { (isReply ? original : reply).inverse }
}
