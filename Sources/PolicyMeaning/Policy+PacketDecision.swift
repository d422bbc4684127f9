public import NetworkTypes
public import PolicyLanguage

/// A single packet that belongs to no known flow, as far as a policy cares.
public struct LonePacket: Hashable, Sendable {
  /// What of a datagram the packet is when it reaches the rules.
  public enum Piece: Hashable, Sendable {
    /// A whole datagram, or fragments that conntrack has put together.
    case whole
    /// A fragment, first or later, that nobody has put together with the others.
    case fragment
    /// Too short, or a header chain that cannot be followed to a layer-4 header.
    case malformed
  }

  /// The flow that the packet would open.
  public var flow: Flow
  /// What of a datagram it is.
  public var piece: Piece
  /// Whether an IPv6 routing header is in it, of any type.
  public var hasRoutingHeader: Bool
  /// The TCP flags byte, for TCP.
  public var tcpFlags: UInt8?
  /// The ICMPv6 type, for ICMPv6.
  public var icmpv6Type: UInt8?
  /// The hop limit or time to live.
  public var hopLimit: UInt8

  /// Makes a packet; a plain whole one by default.
  public init(
    flow: Flow, piece: Piece = .whole, hasRoutingHeader: Bool = false, tcpFlags: UInt8? = nil,
    icmpv6Type: UInt8? = nil, hopLimit: UInt8 = 64
  ) {
    self.flow = flow
    self.piece = piece
    self.hasRoutingHeader = hasRoutingHeader
    self.tcpFlags = tcpFlags
    self.icmpv6Type = icmpv6Type
    self.hopLimit = hopLimit
  }
}

extension Policy {
  /// What the policy says about a packet without a known flow.
  ///
  /// Pieces of datagrams and strays are denied by built-in clauses; link control passes; the rest
  /// is decided like the flow that the packet would open.
  ///
  /// - Parameters:
  ///   - packet: the packet.
  ///   - names: what names resolve to.
  /// - Returns: the decision and its clause.
  public func decision(for packet: LonePacket, names: NameAnswers = .init()) -> Ruling {
    switch packet.piece {
    case .fragment: return Ruling(.deny, clause: "fragment")
    case .malformed: return Ruling(.deny, clause: "no-flow")
    case .whole: break
    }
    // Conntrack makes no flow of ICMP in the other family.
    if packet.flow.isMisplacedICMP { return Ruling(.deny, clause: "no-flow") }
    if packet.flow.ipProtocol == .icmpv6, let type = packet.icmpv6Type,
      let ruling = linkControlRuling(type: type, packet)
    {
      return ruling
    }
    if !protocols.value.contains(packet.flow.ipProtocol) || packet.flow.direction == .inbound {
      return decision(for: packet.flow, names: names)
    }
    if packet.hasRoutingHeader { return Ruling(.deny, clause: "routing-header") }
    if let flags = packet.tcpFlags, flags & Self.openingMask != Self.openingFlags {
      return Ruling(.deny, clause: "no-flow")
    }
    return decision(for: packet.flow, names: names)
  }

  /// FIN, SYN, RST and ACK.
  private static let openingMask: UInt8 = 0x17
  /// SYN alone opens a connection.
  private static let openingFlags: UInt8 = 0x02

  /// What is decided by the ICMPv6 type alone; nil for requests, which open a flow (128, 139).
  ///
  /// Neighbour discovery and multicast listener messages belong to no flow and may pass; errors and
  /// replies of no known flow are strays.
  ///
  /// Source: RFC 4861 (133…136, hop limit 255), RFC 2710 and RFC 3810 (130…132, 143, hop limit 1).
  private func linkControlRuling(type: UInt8, _ packet: LonePacket) -> Ruling? {
    let isOutbound = packet.flow.direction == .outbound
    let discovery: Set<UInt8> = isOutbound ? [133, 135, 136] : [134, 135, 136]
    let listener: Set<UInt8> = isOutbound ? [131, 132, 143] : [130, 131, 132, 143]
    if type == 128 || type == 139 { return nil }
    if discovery.contains(type), packet.hopLimit == 255 {
      return Ruling(.allow, clause: "link-control")
    }
    if listener.contains(type), packet.hopLimit == 1, !isOutbound || isLinkScope(packet.flow) {
      return Ruling(.allow, clause: "link-control")
    }
    return Ruling(.deny, clause: "no-flow")
  }

  private func isLinkScope(_ flow: Flow) -> Bool {
    guard case .v6(let bits) = flow.remoteAddress else { return false }
    return bits >> 112 == 0xff02
  }
}
