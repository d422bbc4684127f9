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
  /// The end of the chain by another way than a verdict.
  case end(Ending)
  /// The answer depends on something unknown.
  case undecided
}

/// How an expression that is no verdict ends a chain: address translation, queue, fwd.
enum Ending: Int32 {
  case accept = -4
  case drop = -5
  case queue = -6
  case stolen = -7
}

/// What a base chain makes of a packet.
enum ChainResult {
  case accept
  case drop
  case reject(Int32)
  case queue
  case stolen
  /// The instruction at which it cannot be decided.
  case undecided(Int32)
}

/// What changes while a packet passes.
struct MachineState: ~Copyable {
  var registers = Registers()
  /// The packet as rules have left it.
  var bytes: [UInt8]
  var mark: Fact<UInt32>
  /// `meta nfproto`: the family of the hook, which devices have one of their own for.
  var nfproto: UInt8
  /// Bytes before the network header that count; nil when unknown.
  var extraBytes: Int? = 0
  /// `ct state` as loads see it now.
  var ctState: ConntrackState?
  /// What else changes, on a walk over a whole path.
  var rare: RareState?

  init(_ packet: borrowing PacketContext) {
    bytes = packet.bytes
    mark = packet.mark
    nfproto = packet.family.rawValue
    ctState = packet.ctState
  }

  /// Loads `length` packet bytes; the rest of the last word becomes zero.
  ///
  /// The bytes are there: the caller has looked.
  @inline(__always)
  mutating func load(_ offset: Int, _ length: Int, into word: Int) {
    var word = word
    var index = 0
    while index < length {
      var value: UInt32 = 0
      for byte in 0..<4 {
        let at = index + byte
        value = value << 8 | (at < length ? UInt32(bytes[offset + at]) : 0)
      }
      registers[word] = value
      word += 1
      index += 4
    }
  }
}

/// A step of a trace by numbers.
struct RawStep {
  /// The rule; -1 for the end of a chain.
  var rule: Int32
  var chain: Int32
  /// The verdict's number, -1 for none, -2 for a rejection, -3 when an expression did not hold, or
  /// an ``Ending``.
  var verdict: Int32
  /// The instruction that did not hold, or the number of the rejection.
  var instruction: Int32 = -1
}

/// What a rule makes of a packet.
enum RuleResult {
  /// The instruction that did not hold.
  case broken(Int32)
  /// Every expression held, without a verdict.
  case held
  /// A verdict that leaves the rule, by number.
  case verdict(Int32)
  /// A rejection by number.
  case reject(Int32)
  /// The end of the chain by another way.
  case end(Ending)
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
      if trace != nil { note(result, rule, chain, state.rare != nil, &trace) }
      rule += 1
      let verdict: CompiledVerdict
      switch result {
      case .broken, .held: continue
      case .verdict(let number): verdict = verdicts.span[Int(number)]
      case .reject(let number): return .reject(number)
      case .end(let ending): return chainResult(ending)
      case .undecided(let instruction): return .undecided(instruction)
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
      case .breakRule: return .broken(at)
      case .verdict(let number):
        let kind = verdicts.span[Int(number)].kind
        if kind == .continue { continue }
        return kind == .break ? .broken(at) : .verdict(number)
      case .reject(let number): return .reject(number)
      case .end(let ending): return .end(ending)
      case .undecided:
        guard state.rare != nil else { return .undecided(at) }
        return evaluateUncertainly(at, rule, packet, headers, &state)
      }
    }
    return .held
  }

  private func chainResult(_ ending: Ending) -> ChainResult {
    switch ending {
    case .accept: .accept
    case .drop: .drop
    case .queue: .queue
    case .stolen: .stolen
    }
  }

  /// Adds a rule that matched to the trace, and one that broke if asked.
  private func note(
    _ result: RuleResult, _ rule: Int32, _ chain: Int32, _ showsBroken: Bool,
    _ trace: inout [RawStep]?
  ) {
    switch result {
    case .undecided: return
    case .broken(let at):
      guard showsBroken else { return }
      trace?.append(RawStep(rule: rule, chain: chain, verdict: -3, instruction: at))
    case .end(let ending):
      trace?.append(RawStep(rule: rule, chain: chain, verdict: ending.rawValue))
    case .held: trace?.append(RawStep(rule: rule, chain: chain, verdict: -1))
    case .verdict(let number): trace?.append(RawStep(rule: rule, chain: chain, verdict: number))
    case .reject(let number):
      trace?.append(RawStep(rule: rule, chain: chain, verdict: -2, instruction: number))
    }
  }

  /// The policy of a base chain, for a packet that met no other verdict.
  private func end(of base: Int32, _ trace: inout [RawStep]?) -> ChainResult {
    trace?.append(RawStep(rule: -1, chain: base, verdict: -1))
    return chains[Int(base)].isPolicyDrop ? .drop : .accept
  }

  @inline(__always)
  func step(
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
      guard start + length <= state.bytes.count else { return .breakRule }
      state.load(start, length, into: word)
      return .next
    case .transport:
      return loadTransport(instruction, packet, headers, &state)
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
    case .ct: return loadConntrack(instruction, packet, &state)
    case .reject: return .reject(Int32(instruction.index))
    case .addressType:
      let type = instruction.index == 1 ? packet.sourceType : packet.destinationType
      guard case .known(let value) = type, state.rare?.isAddressChanged != true
      else { return .undecided }
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
