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

/// What a rule makes of a packet.
enum RuleResult {
  /// An expression did not hold.
  case broken
  /// Every expression held, without a verdict.
  case held
  /// A verdict that leaves the rule, by number.
  case verdict(Int32)
  /// A rejection by number.
  case reject(Int32)
  /// The instruction at which it cannot be decided.
  case undecided(Int32)
}

extension Program {
  /// Runs a base chain.
  ///
  /// Source: `nft_do_chain`, `net/netfilter/nf_tables_core.c`.
  func run(
    _ base: Int32, _ packet: borrowing PacketContext, _ headers: PacketHeaders,
    _ state: inout MachineState, _ trace: inout [RawStep]?
  ) -> ChainResult {
    let chains = self.chains.span
    var stack = InlineArray<16, (chain: Int32, rule: Int32)>(repeating: (0, 0))
    var depth = 0
    var chain = base
    var rule = chains[Int(chain)].firstRule
    while true {
      guard rule < chains[Int(chain)].endRule else {
        guard depth > 0 else { return end(of: base, &trace) }
        depth -= 1
        (chain, rule) = stack[depth]
        continue
      }
      let result = evaluate(rules.span[Int(rule)], packet, headers, &state)
      if trace != nil { note(result, rule, chain, &trace) }
      rule += 1
      let verdict: CompiledVerdict
      switch result {
      case .broken, .held: continue
      case .verdict(let number): verdict = verdicts.span[Int(number)]
      case .reject(let number): return .reject(number)
      case .undecided(let instruction):
        return .undecided(rule: rule - 1, instruction: instruction)
      }
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
        guard depth > 0 else { return end(of: base, &trace) }
        depth -= 1
        (chain, rule) = stack[depth]
      case .continue, .break: continue
      }
    }
  }

  /// Runs the instructions of a rule until one breaks or leaves it.
  @inline(__always)
  private func evaluate(
    _ rule: CompiledRule, _ packet: borrowing PacketContext, _ headers: PacketHeaders,
    _ state: inout MachineState
  ) -> RuleResult {
    let code = self.code.span
    for at in rule.start..<rule.end {
      switch step(code[Int(at)], packet, headers, &state) {
      case .next: continue
      case .breakRule: return .broken
      case .verdict(let number):
        let kind = verdicts.span[Int(number)].kind
        if kind == .continue { continue }
        return kind == .break ? .broken : .verdict(number)
      case .reject(let number): return .reject(number)
      case .undecided: return .undecided(at)
      }
    }
    return .held
  }

  /// Adds a rule that matched to the trace.
  private func note(
    _ result: RuleResult, _ rule: Int32, _ chain: Int32, _ trace: inout [RawStep]?
  ) {
    switch result {
    case .broken, .undecided: return
    case .held: trace?.append(RawStep(rule: rule, chain: chain, verdict: -1))
    case .verdict(let number): trace?.append(RawStep(rule: rule, chain: chain, verdict: number))
    case .reject: trace?.append(RawStep(rule: rule, chain: chain, verdict: -2))
    }
  }

  /// The policy of a base chain, for a packet that met no other verdict.
  private func end(of base: Int32, _ trace: inout [RawStep]?) -> ChainResult {
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
