import Bytecode
import NetworkTypes

/// Loads from a packet.
extension Program {
  /// Source: `nft_meta_get_eval`, `net/netfilter/nft_meta.c`.
  @inline(__always)
  func loadMeta(
    _ instruction: Instruction, _ packet: borrowing PacketContext, _ headers: PacketHeaders,
    _ state: inout MachineState
  ) -> Signal {
    let word = Int(instruction.register)
    switch instruction.index {
    case MetaKey.nfproto.rawValue:
      state.registers.store(byte: state.nfproto, into: word)
      return .next
    case MetaKey.l4proto.rawValue:
      guard headers.transportProtocol >= 0 else { return .breakRule }
      state.registers.store(byte: UInt8(headers.transportProtocol), into: word)
      return .next
    default: return loadMetaRarely(instruction, packet, &state)
    }
  }

  private func loadMetaRarely(
    _ instruction: Instruction, _ packet: borrowing PacketContext, _ state: inout MachineState
  ) -> Signal {
    let word = Int(instruction.register)
    switch MetaKey(rawValue: instruction.index) {
    case .length:
      guard let extra = state.extraBytes else { return .undecided }
      state.registers.store(hostOrder: UInt32(state.bytes.count + extra), into: word)
      return .next
    case .protocol:
      state.registers[word] = packet.family == .ipv4 ? 0x0800_0000 : 0x86dd_0000
      return .next
    case .mark: return load(state.mark, absent: 0, into: word, &state.registers)
    case .skuid: return load(packet.socketUser, into: word, &state.registers)
    case .skgid: return load(packet.socketGroup, into: word, &state.registers)
    case .pkttype:
      if let changed = state.rare?.changes[.meta(MetaLoad(.pkttype, into: Register(word: 0)))] {
        guard case .known(let bytes) = changed else { return .undecided }
        state.registers.store(byte: bytes[0], into: word)
        return .next
      }
      guard case .known(let type) = packet.packetType else { return .undecided }
      state.registers.store(byte: type, into: word)
      return .next
    case .iif: return loadIndex(packet.inputInterface, into: word, &state.registers)
    case .oif: return loadIndex(packet.outputInterface, into: word, &state.registers)
    case .iifname: return loadName(packet.inputInterface, into: word, &state.registers)
    case .oifname: return loadName(packet.outputInterface, into: word, &state.registers)
    default: return .undecided
    }
  }

  /// Loads a number in host order; an absent one breaks, or is `absent`.
  private func load(
    _ fact: Fact<UInt32>, absent: UInt32? = nil, into word: Int, _ registers: inout Registers
  ) -> Signal {
    switch fact {
    case .unknown: return .undecided
    case .absent:
      guard let absent else { return .breakRule }
      registers.store(hostOrder: absent, into: word)
    case .known(let value): registers.store(hostOrder: value, into: word)
    }
    return .next
  }

  private func loadIndex(
    _ interface: Fact<NetworkInterface>, into word: Int, _ registers: inout Registers
  ) -> Signal {
    switch interface {
    case .unknown: return .undecided
    case .absent: registers.store(hostOrder: 0, into: word)
    case .known(let interface): registers.store(hostOrder: interface.index, into: word)
    }
    return .next
  }

  private func loadName(
    _ interface: Fact<NetworkInterface>, into word: Int, _ registers: inout Registers
  ) -> Signal {
    var name: [UInt8]
    switch interface {
    case .unknown: return .undecided
    case .absent: name = []
    case .known(let interface): name = Array(interface.name.utf8.prefix(15))
    }
    name += [UInt8](repeating: 0, count: 16 - name.count)
    registers.store(name.span, 0, 16, into: word)
    return .next
  }

  /// Source: `nft_payload_eval` and `nft_payload_fast_eval`, `net/netfilter/nft_payload.c`,
  /// `nf_tables_core.c`.
  @inline(__always)
  func loadTransport(
    _ instruction: Instruction, _ packet: borrowing PacketContext, _ headers: PacketHeaders,
    _ state: inout MachineState
  ) -> Signal {
    let isFast = instruction.other == 1
    guard headers.transportProtocol >= 0, isFast || headers.fragmentOffset == 0 else {
      return .breakRule
    }
    let start = Int(headers.transportOffset) + Int(instruction.index)
    let length = Int(instruction.length)
    guard start >= 0 else { return loadBeforeHeader(start, instruction, packet, &state) }
    guard start + length <= state.bytes.count else { return .breakRule }
    state.load(start, length, into: Int(instruction.register))
    return .next
  }

  /// Loads from the link-layer header, where a later IPv6 fragment's transport offset of 0 leads at
  /// the egress of a device.
  private func loadBeforeHeader(
    _ start: Int, _ instruction: Instruction, _ packet: borrowing PacketContext,
    _ state: inout MachineState
  ) -> Signal {
    guard case .known(let header) = packet.linkHeader, start + header.count >= 0 else {
      return .undecided
    }
    let all = header + state.bytes
    let first = start + header.count
    guard first + Int(instruction.length) <= all.count else { return .breakRule }
    let bytes = Array(all[first..<first + Int(instruction.length)])
    state.registers.store(bytes.span, 0, bytes.count, into: Int(instruction.register))
    return .next
  }

  /// Source: `nft_payload_inner_offset`, `net/netfilter/nft_payload.c`.
  func loadInner(
    _ instruction: Instruction, _ headers: PacketHeaders, _ state: inout MachineState
  ) -> Signal {
    guard case .at(let inner) = innerOffset(headers, state.bytes) else { return .breakRule }
    let start = inner + Int(instruction.index)
    let length = Int(instruction.length)
    guard start + length <= state.bytes.count else { return .breakRule }
    state.load(start, length, into: Int(instruction.register))
    return .next
  }

  /// Source: `nft_ct_get_eval`, `net/netfilter/nft_ct.c`.
  @inline(__always)
  func loadConntrack(
    _ instruction: Instruction, _ packet: borrowing PacketContext, _ state: inout MachineState
  ) -> Signal {
    if instruction.index == ConntrackKey.state.rawValue {
      guard let value = state.ctState else { return .undecided }
      state.registers.store(hostOrder: value.rawValue, into: Int(instruction.register))
      return .next
    }
    return loadConntrackRarely(instruction, packet, &state)
  }

  private func loadConntrackRarely(
    _ instruction: Instruction, _ packet: borrowing PacketContext, _ state: inout MachineState
  ) -> Signal {
    let word = Int(instruction.register)
    let rare = state.rare
    if rare != nil, state.ctState == .invalid || state.ctState == .untracked { return .breakRule }
    switch ConntrackKey(rawValue: instruction.index) {
    case .status: return load(rare?.ctStatus ?? packet.ctStatus, into: word, &state.registers)
    case .mark: return load(rare?.ctMark ?? packet.ctMark, into: word, &state.registers)
    case .direction:
      switch rare?.ctDirection ?? packet.ctDirection {
      case .unknown: return .undecided
      case .absent: return .breakRule
      case .known(let direction):
        state.registers.store(byte: direction, into: word)
        return .next
      }
    default: return .undecided
    }
  }
}
