import Bytecode
import BytecodeInterpreter
import NetworkTypes
import PacketSets
import SymbolicAnalysis

extension PacketPoint {
  /// The packet as bytes and facts for the interpreter; nil for one that no bytes can say.
  func context(link: (UInt32) -> Link?) -> PacketContext? {
    guard let bytes = family == .ipv4 ? ipv4() : ipv6() else { return nil }
    let states: [ConntrackState] = [.invalid, .established, .related, .new, .untracked]
    let state = states[Int(self[.conntrackState])]
    var packet = PacketContext(family: family, bytes: bytes, ctState: state)
    let isTracked = state != .invalid && state != .untracked
    packet.ctDirection = isTracked ? .known(UInt8(self[.conntrackDirection])) : .absent
    packet.ctStatus = isTracked ? .known(conntrackStatus) : .absent
    packet.ctMark = isTracked ? .known(conntrackMark) : .absent
    packet.inputInterface = interface(.inputInterface, link)
    packet.outputInterface = interface(.outputInterface, link)
    let hasSocket = self[.socket] == 1
    packet.socketUser = hasSocket ? .known(self[.socketUser]) : .absent
    packet.socketGroup = hasSocket ? .known(self[.socketGroup]) : .absent
    packet.mark = .known(mark)
    packet.packetType = .known(UInt8(self[.packetType]))
    packet.sourceType = .known(self[.sourceType])
    packet.destinationType = .known(self[.destinationType])
    packet.isFirstOfFlow = .known(state == .new)
    packet.isExemptFromReassembly = true
    return packet
  }

  /// The same packet with what changed on its way, as far as its bytes show it.
  func changed(into bytes: [UInt8], mark: UInt32?) -> PacketPoint {
    var point = self
    let isIPv4 = family == .ipv4
    func word(_ offset: Int) -> UInt32 {
      bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
    if isIPv4 {
      point[.source3] = word(12)
      point[.destination3] = word(16)
      point[.hopLimit] = UInt32(bytes[8])
      point[.trafficClass] = UInt32(bytes[1])
    } else {
      for index in 0..<4 {
        point[PacketField.source[index]] = word(8 + 4 * index)
        point[PacketField.destination[index]] = word(24 + 4 * index)
      }
      point[.hopLimit] = UInt32(bytes[7])
    }
    let start = bytes.count - Int(self[.transportLength])
    if self[.transportLength] >= 4 {
      point[.sourcePort] = word(start) >> 16
      point[.destinationPort] = word(start) & 0xffff
    }
    if let mark {
      for (index, field) in PacketField.mark.enumerated() {
        point[field] = mark >> UInt32(28 - 4 * index) & 15
      }
    }
    return point
  }

  private func interface(
    _ field: PacketField, _ link: (UInt32) -> Link?
  ) -> Fact<NetworkInterface> {
    if self[field] == 0 { return .absent }
    guard let link = link(self[field]) else {
      return .known(NetworkInterface(index: 0x7fff_ffff, name: "zz-other"))
    }
    return .known(NetworkInterface(index: link.index, name: link.name))
  }

  /// The transport header and what follows, 64 bytes for "64 or more".
  private var transport: [UInt8] {
    var bytes = [UInt8](repeating: 0xa5, count: 64)
    bytes[0] = UInt8(self[.sourcePort] >> 8)
    bytes[1] = UInt8(self[.sourcePort] & 255)
    bytes[2] = UInt8(self[.destinationPort] >> 8)
    bytes[3] = UInt8(self[.destinationPort] & 255)
    bytes[13] = UInt8(self[.tcpFlags])
    return Array(bytes.prefix(Int(self[.transportLength])))
  }

  private func ipv4() -> [UInt8]? {
    guard self[.transportProtocol] < 256 else { return nil }
    let length = 20 + Int(self[.transportLength])
    let fragment = self[.fragment]
    let header: [UInt8] = [
      0x45, UInt8(self[.trafficClass]), UInt8(length >> 8), UInt8(length & 255), 0, 1,
      UInt8(fragment >> 8), UInt8(fragment & 255), UInt8(self[.hopLimit]),
      UInt8(self[.transportProtocol]), 0, 0,
    ]
    return header + source.networkOrderBytes + destination.networkOrderBytes + transport
  }

  private func ipv6() -> [UInt8]? {
    let first = UInt8(self[.firstNextHeader])
    let traffic = self[.trafficClass]
    let label = self[.flowLabel]
    let header: [UInt8] = [
      0x60 | UInt8(traffic >> 4), UInt8((traffic & 15) << 4 | label >> 16),
      UInt8(label >> 8 & 255), UInt8(label & 255), 0, 0, first, UInt8(self[.hopLimit]),
    ]
    guard let rest = extensions(first) else { return nil }
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
      return [next, 0, 0, 0, 0, 0, 0, 0]
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
