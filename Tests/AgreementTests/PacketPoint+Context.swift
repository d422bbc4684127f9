import Bytecode
import BytecodeInterpreter
import NetworkTypes
import PacketSets
import SymbolicAnalysis

extension PacketPoint {
  /// The packet as bytes and facts for the interpreter; nil for one that no bytes can say.
  func context(link: (UInt32) -> Link?) -> PacketContext? {
    guard let bytes else { return nil }
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
}
