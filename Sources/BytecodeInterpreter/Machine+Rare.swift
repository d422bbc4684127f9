import Bytecode
import NetworkTypes

/// Instructions that are seldom run.
extension Program {
  func stepRarely(
    _ instruction: Instruction, _ packet: borrowing PacketContext, _ headers: PacketHeaders,
    _ state: inout MachineState
  ) -> Signal {
    let word = Int(instruction.register)
    let length = Int(instruction.length)
    switch instruction.operation {
    case .compareWide:
      let left = state.registers.number(word, length)
      return holds(instruction.other, left, constants[Int(instruction.index)])
        ? .next : .breakRule
    case .rangeWide:
      let value = state.registers.number(word, length)
      let first = constants[Int(instruction.index)]
      let last = constants[Int(instruction.index) + 1]
      return (value >= first && value <= last) != (instruction.other == 1) ? .next : .breakRule
    case .maskWide:
      let start = Int(instruction.index)
      for index in 0..<length {
        state.registers[Int(instruction.other) + index] =
          state.registers[word + index] & words[start + index] ^ words[start + length + index]
      }
    case .swap: swap(instruction, &state.registers)
    case .data:
      for index in 0..<length {
        state.registers[word + index] = words[Int(instruction.index) + index]
      }
    case .setMark: state.mark = .known(state.registers[word].byteSwapped)
    case .inner: return loadInner(instruction, headers, &state)
    case .headerPresence, .headerBytes:
      return loadHeader(instruction, packet.family, &state)
    case .translate: return translate(instruction, packet, &state)
    case .other: return runOther(instruction, packet, headers, &state)
    case .otherLoad: return loadOther(instruction, packet, headers, &state)
    default: return .undecided
    }
    return .next
  }

  /// Source: `nft_byteorder_eval`, `net/netfilter/nft_byteorder.c`, for one value.
  private func swap(_ instruction: Instruction, _ registers: inout Registers) {
    let from = Int(instruction.register)
    let to = Int(instruction.other)
    let first = registers[from]
    switch instruction.length {
    case 2:
      let swapped = UInt32(UInt16(first >> 16).byteSwapped) << 16
      registers[to] = swapped | registers[to] & 0xffff
    case 4: registers[to] = first.byteSwapped
    default:
      let second = registers[from + 1]
      registers[to] = second.byteSwapped
      registers[to + 1] = first.byteSwapped
    }
  }

  /// Source: `nft_exthdr_ipv6_eval`, `net/netfilter/nft_exthdr.c`.
  private func loadHeader(
    _ instruction: Instruction, _ family: Family, _ state: inout MachineState
  ) -> Signal {
    guard family == .ipv6 else { return .breakRule }
    let word = Int(instruction.register)
    let found = IPv6Walk.find(UInt8(instruction.index), in: state.bytes.span, kernel)
    if instruction.operation == .headerPresence {
      state.registers.store(byte: found == nil ? 0 : 1, into: word)
      return .next
    }
    guard let found else { return .breakRule }
    let start = Int(found.offset) + Int(instruction.value)
    let length = Int(instruction.length)
    guard start + length <= state.bytes.count else { return .breakRule }
    state.load(start, length, into: word)
    return .next
  }
}
