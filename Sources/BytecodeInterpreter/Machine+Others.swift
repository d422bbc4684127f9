import Bytecode
import NetworkTypes

/// Expressions that are run as they are.
extension Program {
  func runOther(
    _ instruction: Instruction, _ packet: borrowing PacketContext, _ headers: PacketHeaders,
    _ state: inout MachineState
  ) -> Signal {
    let place = Int(instruction.index)
    switch others[place] {
    case .metaSet(let set): return run(set, packet, &state)
    case .ctSet(let set): return run(set, &state)
    case .payloadSet(let set): return write(set, packet, headers, &state)
    case .shift(let shift): run(shift, &state.registers)
    case .bitwiseOperation(let operation): run(operation, &state.registers)
    case .byteorder(let swap): run(swap, &state.registers)
    case .extensionHeaderSet(let set): return write(set, headers, &state)
    case .extensionHeaderReset(let reset): return remove(reset, headers, &state)
    case .lookup(let lookup): return look(up: lookup, instruction, &state)
    case .dynamicSet(let dynamic): return run(dynamic, instruction, &state)
    case .objectReference(let reference):
      return use(objectOf: reference.type, instruction, &state)
    case .objectMap(let map): return use(map, instruction, &state)
    case .limit, .quota, .connectionLimit: return runStateful(instruction, &state)
    case .duplicate: state.rare?.copyPoints.append(instruction.value)
    case .forward: return .end(.stolen)
    case .queue: return .end(.queue)
    case .match:
      guard let match = matchValues[instruction.index] else { return .undecided }
      return run(match, packet, headers, &state)
    case .target:
      guard let target = targetValues[instruction.index] else { return .undecided }
      return run(target, packet, &state)
    case .notrack:
      return exempt(&state)
    default: return .undecided
    }
    return .next
  }

  /// A limit, a quota, or a limit of flows: stated, or either way.
  func runStateful(_ instruction: Instruction, _ state: inout MachineState) -> Signal {
    // Where nobody asks for the way, a test that makes no difference is none.
    guard let rare = state.rare else { return instruction.length == 1 ? .breakRule : .undecided }
    guard !rare.surroundings.stateful.isEmpty,
      let holds = rare.surroundings.stateful[places[Int(instruction.value)].place]
    else { return .undecided }
    return holds ? .next : .breakRule
  }

  // MARK: Setting facts

  /// Source: `nft_meta_set_eval`, `net/netfilter/nft_meta.c`.
  private func run(
    _ set: MetaSet, _ packet: borrowing PacketContext, _ state: inout MachineState
  ) -> Signal {
    guard let rare = state.rare else { return set.key == .priority ? .next : .undecided }
    let key = Expression.meta(MetaLoad(set.key, into: Register(word: 0)))
    let bytes = state.registers.bytes(set.source.word, set.key.lengthBytes)
    guard set.key == .pkttype else {
      rare.changes[key] = .known(bytes)
      return .next
    }
    // Only among host, broadcast, multicast and other host.
    guard bytes[0] <= 3 else { return .next }
    switch rare.changes[key] ?? packet.packetType.map({ [$0] }) {
    case .known(let now) where now[0] > 3: break
    case .known: rare.changes[key] = .known(bytes)
    case .unknown, .absent: rare.changes[key] = .unknown
    }
    return .next
  }

  /// Source: `nft_ct_set_eval`, `net/netfilter/nft_ct.c`.
  private func run(_ set: ConntrackSet, _ state: inout MachineState) -> Signal {
    guard let rare = state.rare else { return .undecided }
    guard let ctState = state.ctState else { return .undecided }
    let hasEntry = ctState != .invalid && ctState != .untracked
    switch set.key {
    case .mark:
      if hasEntry {
        rare.ctMark = .known(state.registers[set.source.word].byteSwapped)
      }
      return .next
    case .zone:
      // With an entry it comes too late; before, the packet gets a template.
      return hasEntry || ctState == .untracked
        ? .next : obstacle("what conntrack finds in another zone is not stated", rare)
    case .labels:
      if hasEntry {
        rare.changes[.ct(ConntrackLoad(.labels, into: Register(word: 0)))] = .unknown
      }
      return .next
    default:
      if hasEntry {
        rare.changes[.ct(ConntrackLoad(set.key, into: Register(word: 0)))] =
          .known(state.registers.bytes(set.source.word, set.key.lengthBytes))
      }
      return .next
    }
  }

  // MARK: Arithmetic

  /// Word by word as the kernel does, also when source and destination overlap.
  ///
  /// Source: `nft_bitwise_eval_lshift`, `nft_bitwise_eval_rshift`, `net/netfilter/nft_bitwise.c`.
  private func run(_ shift: Shift, _ registers: inout Registers) {
    let count = (Int(shift.lengthBytes) + 3) / 4
    let (from, to) = (shift.source.word, shift.destination.word)
    var carry: UInt32 = 0
    switch shift.direction {
    case .left:
      for index in (0..<count).reversed() {
        let value = registers[from + index].byteSwapped
        registers[to + index] = (value << shift.bits | carry).byteSwapped
        carry = registers[from + index].byteSwapped >> (32 - shift.bits)
      }
    case .right:
      for index in 0..<count {
        let value = registers[from + index].byteSwapped
        registers[to + index] = (carry | value >> shift.bits).byteSwapped
        carry = registers[from + index].byteSwapped << (32 - shift.bits)
      }
    }
  }

  /// Source: `nft_bitwise_eval_and` and its like, `net/netfilter/nft_bitwise.c`.
  private func run(_ operation: BitwiseOperation, _ registers: inout Registers) {
    for index in 0..<(Int(operation.lengthBytes) + 3) / 4 {
      let left = registers[operation.source.word + index]
      let right: UInt32 =
        switch operation.operand {
        case .register(let register): registers[register.word + index]
        case .data(let bytes):
          bytes.dropFirst(index * 4).prefix(4).enumerated().reduce(0) {
            $0 | UInt32($1.element) << UInt32(24 - 8 * $1.offset)
          }
        }
      registers[operation.destination.word + index] =
        switch operation.operation {
        case .and: left & right
        case .or: left | right
        case .xor: left ^ right
        }
    }
  }

  /// Several values at once, as kernels before 6.12 allow.
  ///
  /// Source: `nft_byteorder_eval`, `net/netfilter/nft_byteorder.c`.
  private func run(_ swap: Byteorder, _ registers: inout Registers) {
    let size = Int(swap.sizeBytes)
    var bytes = registers.bytes(swap.source.word, (Int(swap.lengthBytes) + 3) / 4 * 4)
    for start in stride(from: 0, through: Int(swap.lengthBytes) - size, by: size) {
      bytes[start..<start + size].reverse()
    }
    registers.store(bytes.span, 0, bytes.count, into: swap.destination.word)
  }
}

extension Fact {
  /// The fact about something that follows from it.
  func map<Other>(_ transform: (Value) -> Other) -> Fact<Other> {
    switch self {
    case .unknown: .unknown
    case .absent: .absent
    case .known(let value): .known(transform(value))
    }
  }
}
