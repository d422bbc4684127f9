import Bytecode
import NetworkTypes

/// Expressions that change the packet's bytes.
extension Program {
  /// Source: `nft_payload_set_eval`, `net/netfilter/nft_payload.c`.
  func write(
    _ set: PayloadSet, _ packet: borrowing PacketContext, _ headers: PacketHeaders,
    _ state: inout MachineState
  ) -> Signal {
    let base: Int
    switch set.base {
    case .network: base = 0
    case .transport:
      guard headers.transportProtocol >= 0, headers.fragmentOffset == 0 else { return .breakRule }
      base = Int(headers.transportOffset)
    case .inner:
      switch innerOffset(headers, state.bytes) {
      case .at(let place): base = place
      case .missing: return .breakRule
      case .unknown: return .undecided
      }
    case .link:
      if packet.linkHeader == .absent { return .breakRule }
      return .undecided
    default: return .undecided
    }
    let start = base + Int(set.offsetBytes)
    let length = Int(set.lengthBytes)
    let new = state.registers.bytes(set.source.word, length)
    guard start + length <= state.bytes.count else { return .breakRule }
    let old = Array(state.bytes[start..<start + length])
    if set.checksum == .internet {
      let place = base + Int(set.checksumOffset)
      guard place + 2 <= state.bytes.count else { return .breakRule }
      InternetChecksum.repair(&state.bytes, at: place, old, by: new, neverZero: true)
    }
    if set.checksumFlags != 0, let place = layer4Checksum(headers, state.bytes) {
      guard place + 2 <= state.bytes.count else { return .breakRule }
      InternetChecksum.repair(&state.bytes, at: place, old, by: new, neverZero: true)
    }
    state.bytes.replaceSubrange(start..<start + length, with: new)
    if set.checksum == .sctp, headers.transportProtocol == 132, headers.fragmentOffset == 0 {
      let transport = Int(headers.transportOffset)
      guard transport + 12 <= state.bytes.count else { return .breakRule }
      let sum = CRC32C.ofSCTP(state.bytes[transport...])
      state.bytes.replaceSubrange(transport + 8..<transport + 12, with: hostOrder(sum))
    }
    state.rare?.isAddressChanged = true
    return .next
  }

  /// Where the checksum over the pseudo header stands; nil where there is none.
  ///
  /// Source: `nft_payload_l4csum_offset`, `net/netfilter/nft_payload.c`.
  private func layer4Checksum(_ headers: PacketHeaders, _ bytes: [UInt8]) -> Int? {
    guard headers.fragmentOffset == 0 else { return nil }
    let start = Int(headers.transportOffset)
    switch headers.transportProtocol {
    case 6: return start + 16
    case 17:
      guard start + 8 <= bytes.count, bytes[start + 6] != 0 || bytes[start + 7] != 0 else {
        return nil
      }
      return start + 6
    case 136: return start + 6
    case 58: return start + 2
    default: return nil
    }
  }

  /// Source: `nft_exthdr_tcp_set_eval`, `net/netfilter/nft_exthdr.c`.
  func write(
    _ set: ExtensionHeaderSet, _ headers: PacketHeaders, _ state: inout MachineState
  ) -> Signal {
    guard set.operation == 1 else { return .undecided }
    guard let header = OptionWalk.tcpHeader(state.bytes, headers) else { return .breakRule }
    let needed = Int(set.offsetBytes + set.lengthBytes)
    guard let found = OptionWalk.tcp(set.type, needed: 0, state.bytes, headers) else {
      // A missing option is no reason to break, one that does not fit is.
      return tcpOptionOverruns(set.type, header, state.bytes) ? .breakRule : .next
    }
    guard needed <= found.length else { return .breakRule }
    guard set.lengthBytes == 2 || set.lengthBytes == 4 else { return .next }
    let start = found.place + Int(set.offsetBytes)
    let old = Array(state.bytes[start..<start + Int(set.lengthBytes)])
    let new = state.registers.bytes(set.source.word, Int(set.lengthBytes))
    // The maximum segment size is never raised.
    if set.type == 2, set.lengthBytes == 2, !new.lexicographicallyPrecedes(old) { return .next }
    if old == new { return .next }
    state.bytes.replaceSubrange(start..<start + old.count, with: new)
    InternetChecksum.repair(&state.bytes, at: header.lowerBound + 16, old, by: new)
    return .next
  }

  /// Source: `nft_exthdr_tcp_strip_eval`, `net/netfilter/nft_exthdr.c`.
  func remove(
    _ reset: ExtensionHeaderReset, _ headers: PacketHeaders, _ state: inout MachineState
  ) -> Signal {
    guard reset.operation == 1 else { return .undecided }
    guard let header = OptionWalk.tcpHeader(state.bytes, headers) else { return .breakRule }
    guard let found = OptionWalk.tcp(reset.type, needed: 0, state.bytes, headers) else {
      return tcpOptionOverruns(reset.type, header, state.bytes) ? .end(.drop) : .next
    }
    for place in found.place..<found.place + found.length {
      let isHigh = (place - header.lowerBound).isMultiple(of: 2)
      let old = isHigh ? [state.bytes[place], 0] : [0, state.bytes[place]]
      InternetChecksum.repair(
        &state.bytes, at: header.lowerBound + 16, old, by: isHigh ? [1, 0] : [0, 1])
      state.bytes[place] = 1
    }
    return .next
  }

  /// Whether an option is there but longer than the header.
  private func tcpOptionOverruns(_ type: UInt8, _ header: Range<Int>, _ bytes: [UInt8]) -> Bool {
    var at = header.lowerBound + 20
    while at < header.upperBound - 1 {
      let length = bytes[at] <= 1 || bytes[at + 1] == 0 ? 1 : Int(bytes[at + 1])
      if bytes[at] == type { return at + length > header.upperBound }
      at += length
    }
    return false
  }

  /// Where the layer-4 payload starts.
  ///
  /// Source: `nft_payload_inner_offset`, `net/netfilter/nft_payload.c`.
  func innerOffset(_ headers: PacketHeaders, _ bytes: [UInt8]) -> OptionWalk.Place {
    guard headers.transportProtocol >= 0, headers.fragmentOffset == 0 else { return .missing }
    let transport = Int(headers.transportOffset)
    switch headers.transportProtocol {
    case 17: return .at(transport + 8)
    case 6:
      guard transport + 20 <= bytes.count else { return .missing }
      return .at(transport + Int(bytes[transport + 12] >> 4) * 4)
    case 4: return .at(transport)
    case 47: return greOffset(transport, bytes)
    default: return .missing
    }
  }

  private func greOffset(_ transport: Int, _ bytes: [UInt8]) -> OptionWalk.Place {
    guard transport + 4 <= bytes.count else { return .missing }
    let flags = bytes[transport]
    guard bytes[transport + 1] & 7 == 0, flags & 0x40 == 0 else { return .missing }
    let optional = [0x80, 0x20, 0x10].count { flags & $0 != 0 }
    return .at(transport + 4 + 4 * optional)
  }
}
