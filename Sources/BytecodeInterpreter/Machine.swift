import Bytecode
import NetworkTypes

/// What one instruction leads to.
enum Signal {
  /// The next instruction.
  case next
  /// The next rule.
  case breakRule
  /// A verdict by number.
  case verdict(Int32)
  /// A rejection by number.
  case reject(Int32)
  /// The answer depends on something unknown.
  case undecided
}

/// What a base chain makes of a packet.
enum ChainResult {
  case accept
  case drop
  case reject(Int32)
  /// The rule and instruction at which it cannot be decided.
  case undecided(rule: Int32, instruction: Int32)
}

/// What a packet changes while it passes: its registers and its mark.
struct MachineState: ~Copyable {
  var registers = Registers()
  var mark: Fact<UInt32>

  init(mark: Fact<UInt32>) { self.mark = mark }
}

/// A step of a trace by numbers; `rule` is -1 for the end of a chain, `verdict` -1 for none, -2 for
/// a rejection.
struct RawStep {
  var rule: Int32
  var chain: Int32
  var verdict: Int32
}

extension Program {
  /// Runs a base chain.
  ///
  /// Source: `nft_do_chain`, `net/netfilter/nf_tables_core.c`.
  func run(
    _ base: Int32, _ packet: borrowing PacketContext, _ headers: PacketHeaders,
    _ state: inout MachineState, _ trace: inout [RawStep]?
  ) -> ChainResult {
    let code = self.code.span
    let rules = self.rules.span
    let chains = self.chains.span
    let verdicts = self.verdicts.span
    var stack = InlineArray<16, (chain: Int32, rule: Int32)>(repeating: (0, 0))
    var depth = 0
    var chain = base
    var rule = chains[Int(chain)].firstRule
    while true {
      guard rule < chains[Int(chain)].endRule else {
        if depth > 0 {
          depth -= 1
          (chain, rule) = stack[depth]
          continue
        }
        return end(of: base, chain, &trace)
      }
      let bounds = rules[Int(rule)]
      var at = bounds.start
      var given: Int32 = -1
      var isBroken = false
      instructions: while at < bounds.end {
        switch step(code[Int(at)], packet, headers, &state) {
        case .next: at += 1
        case .breakRule:
          isBroken = true
          break instructions
        case .verdict(let number):
          let kind = verdicts[Int(number)].kind
          if kind == .continue {
            at += 1
          } else if kind == .break {
            isBroken = true
            break instructions
          } else {
            given = number
            break instructions
          }
        case .reject(let number):
          trace?.append(RawStep(rule: rule, chain: chain, verdict: -2))
          return .reject(number)
        case .undecided: return .undecided(rule: rule, instruction: at)
        }
      }
      if !isBroken { trace?.append(RawStep(rule: rule, chain: chain, verdict: given)) }
      rule += 1
      guard given >= 0 else { continue }
      let verdict = verdicts[Int(given)]
      switch verdict.kind {
      case .accept: return .accept
      case .drop: return .drop
      case .jump, .goto:
        if verdict.kind == .jump {
          guard depth < 16 else { return .drop }
          stack[depth] = (chain, rule)
          depth += 1
        }
        chain = verdict.chain
        rule = chains[Int(chain)].firstRule
      case .return:
        guard depth > 0 else { return end(of: base, chain, &trace) }
        depth -= 1
        (chain, rule) = stack[depth]
      case .continue, .break: continue
      }
    }
  }

  /// The policy of the base chain, where a packet fell off the end of `chain`.
  private func end(of base: Int32, _ chain: Int32, _ trace: inout [RawStep]?) -> ChainResult {
    trace?.append(RawStep(rule: -1, chain: base, verdict: -1))
    return chains[Int(base)].isPolicyDrop ? .drop : .accept
  }

  @inline(__always)
  private func step(
    _ instruction: Instruction, _ packet: borrowing PacketContext, _ headers: PacketHeaders,
    _ state: inout MachineState
  ) -> Signal {
    let word = Int(instruction.register)
    switch instruction.operation {
    case .meta:
      return loadMeta(instruction, packet, headers, &state)
    case .network:
      let start = Int(instruction.index)
      let length = Int(instruction.length)
      guard start + length <= packet.bytes.count else { return .breakRule }
      state.registers.store(packet.bytes.span, start, length, into: word)
      return .next
    case .transport:
      return loadTransport(instruction, packet, headers, &state.registers)
    case .compare:
      let left = state.registers[word] & instruction.mask
      return holds(instruction.other, left, instruction.value) ? .next : .breakRule
    case .verdict: return .verdict(Int32(instruction.index))
    case .verdictMap, .member, .map: return lookUp(instruction, &state.registers)
    case .range:
      let value = state.registers[word] & instruction.mask
      let isInside = value >= instruction.value && value <= instruction.index
      return isInside != (instruction.other == 1) ? .next : .breakRule
    case .mask:
      state.registers[Int(instruction.other)] =
        state.registers[word] & instruction.mask ^ instruction.value
      return .next
    case .ct: return loadConntrack(instruction, packet, &state.registers)
    case .reject: return .reject(Int32(instruction.index))
    case .addressType:
      let type = instruction.index == 1 ? packet.sourceType : packet.destinationType
      guard case .known(let value) = type else { return .undecided }
      state.registers.store(hostOrder: value, into: word)
      return .next
    default: return stepRarely(instruction, packet, headers, &state)
    }
  }

  /// Whether a comparison holds, by `NFT_CMP_*`.
  @inline(__always)
  func holds<Value: Comparable>(_ operation: UInt8, _ left: Value, _ right: Value) -> Bool {
    switch operation {
    case 0: left == right
    case 1: left != right
    case 2: left < right
    case 3: left <= right
    case 4: left > right
    default: left >= right
    }
  }

  /// Source: `nft_lookup_eval`, `net/netfilter/nft_lookup.c`.
  @inline(__always)
  private func lookUp(_ instruction: Instruction, _ registers: inout Registers) -> Signal {
    let entry = sets.entries.span[Int(instruction.index)]
    let word = Int(instruction.register)
    let length = Int(entry.keyBytes)
    let data: Int32
    switch entry.kind {
    case .small:
      let key = registers[word] >> UInt32(32 - length * 8)
      data = SetStore.find(key, sets.small.span, entry)
    case .wide:
      data = SetStore.find(registers.number(word, length), sets.wide.span, entry)
    case .ordered: data = sets.findOrdered(registers, from: word, entry)
    }
    let isHit = data != SetStore.miss
    switch instruction.operation {
    case .verdictMap: return isHit ? .verdict(data) : .breakRule
    case .map:
      guard isHit else { return .breakRule }
      for index in 0..<Int(entry.dataWords) {
        registers[Int(instruction.other) + index] = words[Int(data) + index]
      }
      return .next
    default: return isHit != (instruction.other == 1) ? .next : .breakRule
    }
  }
}
