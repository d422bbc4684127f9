import Bytecode
import NetworkTypes

/// Rules that meet something unknown, on a walk that tries every way.
extension Program {
  /// Goes on with a rule whose instruction `first` cannot be decided.
  ///
  /// What it would have loaded is unknown from there on: what depends on it holds on one way and
  /// breaks on another.
  func evaluateUncertainly(
    _ first: Int32, _ rule: CompiledRule, _ packet: borrowing PacketContext,
    _ headers: PacketHeaders, _ state: inout MachineState
  ) -> RuleResult {
    guard let rare = state.rare else { return .undecided(first) }
    var unknown: UInt32 = 0
    var at = first
    while at < rule.end {
      let instruction = code[Int(at)]
      let isFirst = at == first
      var signal = Signal.undecided
      if !isFirst, reads(instruction) & unknown == 0 {
        signal = step(instruction, packet, headers, &state)
        unknown &= ~writes(instruction)
      }
      if case .undecided = signal {
        signal = guess(instruction, at, &unknown, &state, rare)
      }
      switch signal {
      case .next: break
      case .breakRule: return .broken(at)
      case .verdict(let number):
        let kind = verdicts[Int(number)].kind
        if kind == .break { return .broken(at) }
        if kind != .continue { return .verdict(number) }
      case .reject(let number): return .reject(number)
      case .end(let ending): return .end(ending)
      case .undecided: return .undecided(at)
      }
      at += 1
    }
    return .held
  }

  /// What an instruction leads to that cannot be decided, on the way at hand.
  private func guess(
    _ instruction: Instruction, _ at: Int32, _ unknown: inout UInt32,
    _ state: inout MachineState, _ rare: RareState
  ) -> Signal {
    let point = Choices.Point.instruction(at, missing: rare.missing)
    rare.missing = nil
    switch instruction.operation {
    case .meta, .ct, .network, .transport, .inner, .headerBytes, .addressType, .otherLoad:
      rare.choices.note(point)
      if canBreak(instruction), rare.choices.choose(2, at: point) == 1 { return .breakRule }
      unknown |= writes(instruction)
      return .next
    case .compare, .compareWide, .range, .rangeWide, .member:
      return rare.choices.choose(2, at: point) == 0 ? .next : .breakRule
    case .mask, .maskWide, .swap:
      unknown |= writes(instruction)
      return .next
    case .map:
      if rare.choices.choose(2, at: point) == 1 { return .breakRule }
      unknown |= writes(instruction)
      return .next
    case .verdictMap:
      let verdicts = sets.allData(sets.entries[Int(instruction.index)])
      let chosen = rare.choices.choose(verdicts.count + 1, at: point)
      return chosen == verdicts.count ? .breakRule : .verdict(verdicts[chosen])
    case .setMark:
      rare.choices.note(point)
      state.mark = .unknown
      return .next
    case .other: return guessOther(instruction, point, &unknown, &state, rare)
    default:
      rare.obstacle = point
      return .undecided
    }
  }

  /// The same for expressions that are run as they are.
  private func guessOther(
    _ instruction: Instruction, _ point: Choices.Point, _ unknown: inout UInt32,
    _ state: inout MachineState, _ rare: RareState
  ) -> Signal {
    switch others[Int(instruction.index)] {
    case .limit, .quota, .objectReference, .objectMap, .flowOffload, .dynamicSet:
      if case .objectReference(let reference) = others[Int(instruction.index)],
        case .unknown = ObjectEffect(reference.type)
      {
        break
      }
      if case .dynamicSet = others[Int(instruction.index)] { break }
      return rare.choices.choose(2, at: point) == 0 ? .next : .breakRule
    case .match(let match):
      // A match that is not known may drop the packet as well.
      let isKnown = matchValues[instruction.index] != nil || match.name == "limit"
      return [.next, .breakRule, .end(.drop)][rare.choices.choose(isKnown ? 2 : 3, at: point)]
    case .connectionLimit:
      return [.next, .breakRule, .end(.drop)][rare.choices.choose(3, at: point)]
    case .lookup(let lookup): return guess(lookup, instruction, point, &unknown, rare)
    case .shift, .bitwiseOperation, .byteorder:
      unknown |= writes(instruction)
      return .next
    case .metaSet(let set):
      rare.choices.note(point)
      rare.changes[.meta(MetaLoad(set.key, into: Register(word: 0)))] = .unknown
      return .next
    case .ctSet(let set) where set.key == .mark:
      rare.choices.note(point)
      if rare.ctMark != .absent { rare.ctMark = .unknown }
      return .next
    default: break
    }
    rare.obstacle = point
    return .undecided
  }

  /// A lookup in a set that may hold anything, or with a key that is not known.
  private func guess(
    _ lookup: Lookup, _ instruction: Instruction, _ point: Choices.Point,
    _ unknown: inout UInt32, _ rare: RareState
  ) -> Signal {
    guard let set = slowSets[instruction.mask] else {
      rare.obstacle = point
      return .undecided
    }
    if lookup.destination == .verdict {
      let all = set.elements.map(\.verdict) + (set.catchAll.map { [$0.verdict] } ?? [])
      let verdicts = Set(all).sorted()
      let chosen = rare.choices.choose(verdicts.count + 1, at: point)
      return chosen == verdicts.count ? .breakRule : .verdict(verdicts[chosen])
    }
    if rare.choices.choose(2, at: point) == 1 { return .breakRule }
    unknown |= writes(instruction)
    return .next
  }

  /// Whether a load of something unknown may find that there is no such thing.
  private func canBreak(_ instruction: Instruction) -> Bool {
    switch instruction.operation {
    case .addressType: false
    case .ct: instruction.index != ConntrackKey.state.rawValue
    case .meta:
      switch MetaKey(rawValue: instruction.index) {
      case .mark, .iif, .oif, .iifname, .oifname, .length, .protocol: false
      default: true
      }
    case .otherLoad:
      switch others[Int(instruction.index)] {
      case .numberGenerator, .hash: false
      default: true
      }
    default: true
    }
  }

  // MARK: Registers

  /// The words that an instruction reads, as bits.
  private func reads(_ instruction: Instruction) -> UInt32 {
    let first = instruction.register
    return switch instruction.operation {
    case .compare, .range, .mask, .setMark: words(first, 1)
    case .compareWide, .rangeWide, .swap: words(first, (instruction.length + 3) / 4)
    case .maskWide: words(first, instruction.length)
    case .member, .map, .verdictMap:
      words(first, (sets.entries[Int(instruction.index)].keyBytes + 3) / 4)
    case .translate: translations[Int(instruction.index)].reads
    case .other, .otherLoad: reads(others[Int(instruction.index)], instruction)
    default: 0
    }
  }

  private func reads(_ expression: Expression, _ instruction: Instruction) -> UInt32 {
    func words(_ register: Register?, _ bytes: some BinaryInteger) -> UInt32 {
      register.map { self.words(UInt8(max($0.word, 0)), UInt8(clamping: (Int(bytes) + 3) / 4)) }
        ?? 0
    }
    let keyBytes =
      instruction.mask == .max || instruction.operation == .otherLoad
      ? 0 : sets.entries[Int(instruction.mask)].keyBytes
    return switch expression {
    case .metaSet(let set): words(set.source, set.key.lengthBytes)
    case .ctSet(let set): words(set.source, min(set.key.lengthBytes, 16))
    case .payloadSet(let set): words(set.source, set.lengthBytes)
    case .extensionHeaderSet(let set): words(set.source, set.lengthBytes)
    case .shift(let shift): words(shift.source, shift.lengthBytes)
    case .byteorder(let swap): words(swap.source, swap.lengthBytes)
    case .hash(let hash): words(hash.source, hash.lengthBytes)
    case .bitwiseOperation(let operation):
      if case .register(let second) = operation.operand {
        words(operation.source, operation.lengthBytes) | words(second, operation.lengthBytes)
      } else {
        words(operation.source, operation.lengthBytes)
      }
    case .lookup(let lookup): words(lookup.source, keyBytes)
    case .objectMap(let map): words(map.source, keyBytes)
    case .dynamicSet(let dynamic): words(dynamic.key, keyBytes) | words(dynamic.data, 4)
    default: 0
    }
  }

  /// The words that an instruction writes, as bits.
  private func writes(_ instruction: Instruction) -> UInt32 {
    let first = instruction.register
    return switch instruction.operation {
    case .network, .transport, .inner, .headerBytes, .otherLoad:
      words(first, (instruction.length + 3) / 4)
    case .meta:
      words(first, UInt8((MetaKey(rawValue: instruction.index)?.lengthBytes ?? 4) + 3) / 4)
    case .ct, .addressType, .headerPresence: words(first, 1)
    case .data: words(first, instruction.length)
    case .mask: words(instruction.other, 1)
    case .swap: words(instruction.other, (instruction.length + 3) / 4)
    case .maskWide: words(instruction.other, instruction.length)
    case .map: words(instruction.other, sets.entries[Int(instruction.index)].dataWords)
    case .other: writes(others[Int(instruction.index)], instruction)
    default: 0
    }
  }

  private func writes(_ expression: Expression, _ instruction: Instruction) -> UInt32 {
    func words(_ register: Register, _ bytes: UInt32) -> UInt32 {
      self.words(UInt8(max(register.word, 0)), UInt8(clamping: (bytes + 3) / 4))
    }
    return switch expression {
    case .shift(let shift): words(shift.destination, shift.lengthBytes)
    case .byteorder(let swap): words(swap.destination, swap.lengthBytes)
    case .bitwiseOperation(let operation): words(operation.destination, operation.lengthBytes)
    case .lookup(let lookup):
      if let destination = lookup.destination, destination != .verdict {
        words(destination, UInt32(sets.entries[Int(instruction.mask)].dataWords) * 4)
      } else {
        0
      }
    default: 0
    }
  }

  private func words(_ first: UInt8, _ count: UInt8) -> UInt32 {
    (UInt32(1) << UInt32(min(count, 31)) &- 1) << UInt32(first)
  }
}

extension TranslationPlan {
  /// The words of its registers, as bits; addresses are taken as 16 bytes.
  var reads: UInt32 {
    var bits: UInt32 = 0
    for word in [address, addressMax] { bits |= word.map { 15 << UInt32($0) } ?? 0 }
    for word in [port, portMax] { bits |= word.map { 1 << UInt32($0) } ?? 0 }
    return bits
  }
}
