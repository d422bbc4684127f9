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
    case .meta, .ct, .network, .transport, .inner, .link, .headerBytes, .option, .addressType:
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
    default:
      rare.obstacle = point
      return .undecided
    }
  }

  /// Whether a load of something unknown may find that there is no such thing.
  private func canBreak(_ instruction: Instruction) -> Bool {
    switch instruction.operation {
    case .addressType: false
    case .ct: instruction.index != ConntrackKey.state.rawValue
    case .meta:
      switch MetaKey(rawValue: instruction.index) {
      case .mark, .iif, .oif, .iifname, .oifname, .length, .protocol, .priority: false
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
    default: 0
    }
  }

  /// The words that an instruction writes, as bits.
  private func writes(_ instruction: Instruction) -> UInt32 {
    let first = instruction.register
    return switch instruction.operation {
    case .network, .transport, .inner, .link, .headerBytes:
      words(first, (instruction.length + 3) / 4)
    case .meta:
      words(first, UInt8((MetaKey(rawValue: instruction.index)?.lengthBytes ?? 4) + 3) / 4)
    case .ct, .option, .addressType, .headerPresence: words(first, 1)
    case .data: words(first, instruction.length)
    case .mask: words(instruction.other, 1)
    case .swap: words(instruction.other, (instruction.length + 3) / 4)
    case .maskWide: words(instruction.other, instruction.length)
    case .map: words(instruction.other, sets.entries[Int(instruction.index)].dataWords)
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
