import NetworkTypes
import PacketSets
import PolicyMeaning

extension PacketPoint {
  /// The same packet in the terms of the list walk.
  func lonePacket(_ direction: Direction) -> LonePacket {
    let number = self[.transportProtocol]
    let ipProtocol = IPProtocol(rawValue: UInt8(min(number, 255)))
    let isOutbound = direction == .outbound
    let ports = (UInt16(self[.sourcePort]), UInt16(self[.destinationPort]))
    var flow = Flow(
      direction: direction, ipProtocol: ipProtocol,
      localAddress: isOutbound ? source : destination,
      remoteAddress: isOutbound ? destination : source,
      isLinkBroadcast: self[.destinationType] == 3)
    if ipProtocol.hasPorts {
      flow.localPort = isOutbound ? ports.0 : ports.1
      flow.remotePort = isOutbound ? ports.1 : ports.0
    }
    var packet = LonePacket(flow: flow)
    packet.hasRoutingHeader = self[.routingHeader] == 1
    packet.hopLimit = UInt8(self[.hopLimit])
    if ipProtocol == .tcp { packet.tcpFlags = UInt8(self[.tcpFlags]) }
    if ipProtocol == .icmpv6 { packet.icmpv6Type = UInt8(self[.sourcePort] >> 8) }
    let shortest: [IPProtocol: UInt32] = [
      .tcp: 20, .udp: 8, .icmp: 8, .icmpv6: 8, .sctp: 12, .dccp: 12, .udplite: 8,
    ]
    if self[.fragment] & 0x3fff != 0 {
      packet.piece = .fragment
    } else if number == 256 || self[.transportLength] < shortest[ipProtocol] ?? 0 {
      packet.piece = .malformed
    }
    return packet
  }
}
