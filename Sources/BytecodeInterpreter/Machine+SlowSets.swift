import Bytecode
import NetworkTypes

/// Lookups in sets that are more than their keys, and rules that change sets.
extension Program {
  /// What a search found.
  private enum Found {
    case hit(SlowSet.Element)
    case miss
    case unknown
  }

  /// Source: `nft_lookup_eval`, `net/netfilter/nft_lookup.c`.
  func look(
    up lookup: Lookup, _ instruction: Instruction, _ state: inout MachineState
  ) -> Signal {
    guard let rare = state.rare, let set = slowSets[instruction.mask] else { return .undecided }
    let key = key(lookup.source, instruction.mask, state.registers)
    switch find(key, in: set, number: instruction.mask, rare) {
    case .unknown: return .undecided
    case .miss: return lookup.isInverted ? .next : .breakRule
    case .hit(let element):
      if lookup.isInverted { return .breakRule }
      if let destination = lookup.destination, destination != .verdict {
        state.registers.store(element.data.span, 0, element.data.count, into: destination.word)
      }
      if !goesOn(element.expressions, instruction, rare) { return .breakRule }
      return lookup.destination == .verdict ? .verdict(element.verdict) : .next
    }
  }

  private func key(
    _ register: Register, _ number: UInt32, _ registers: borrowing Registers
  ) -> [UInt8] {
    registers.bytes(register.word, Int(sets.entries[Int(number)].keyBytes))
  }

  /// Expired elements are passed over, the catch-all element comes last.
  private func find(
    _ key: [UInt8], in set: SlowSet, number: UInt32, _ rare: RareState
  ) -> Found {
    if let changed = rare.setChanges[number]?.elements[key] {
      return changed.map(Found.hit) ?? set.catchAll.map(Found.hit) ?? .miss
    }
    if set.isDynamic, !rare.surroundings.areDynamicSetsAsRead { return .unknown }
    for element in set.elements where set.holds(key, element) {
      guard let expiration = element.expiration else { return .hit(element) }
      guard let elapsed = rare.surroundings.elapsedMilliseconds else {
        rare.missing = "how long ago the set was read"
        return .unknown
      }
      if expiration > elapsed { return .hit(element) }
    }
    return set.catchAll.map(Found.hit) ?? .miss
  }

  /// Whether the expressions of an element let the packet go on.
  ///
  /// Source: `nft_set_elem_update_expr`, `include/net/netfilter/nf_tables.h`.
  private func goesOn(
    _ expressions: [Expression], _ instruction: Instruction, _ rare: RareState
  ) -> Bool {
    for expression in expressions {
      switch expression {
      case .counter, .last: continue
      default:
        let point = Choices.Point.instruction(
          places[Int(instruction.value)].instruction,
          missing: "what the element's \(expression.name) has left")
        if rare.choices.choose(2, at: point) == 1 { return false }
      }
    }
    return true
  }

  /// Source: `nft_dynset_eval`, `net/netfilter/nft_dynset.c`.
  func run(
    _ dynamic: DynamicSet, _ instruction: Instruction, _ state: inout MachineState
  ) -> Signal {
    guard let rare = state.rare, let set = slowSets[instruction.mask] else { return .undecided }
    let number = instruction.mask
    let key = key(dynamic.key, number, state.registers)
    if dynamic.operation == .delete {
      rare.setChanges[number, default: SetChanges()].elements[key] = .some(nil)
      return .next
    }
    var isThere = false
    switch find(key, in: set, number: number, rare) {
    case .hit(let element): isThere = element.low == key
    case .miss: break
    case .unknown:
      // Whether there is room is not known; when there is, the element is there from now on.
      let point = Choices.Point.instruction(
        places[Int(instruction.value)].instruction, missing: "whether the set has room")
      if rare.choices.choose(2, at: point) == 1 {
        return dynamic.isInverted ? .next : .breakRule
      }
    }
    if !isThere {
      let count = set.elements.count + (rare.setChanges[number]?.additions ?? 0)
      if let size = set.size, rare.surroundings.areDynamicSetsAsRead, count >= Int(size) {
        return dynamic.isInverted ? .next : .breakRule
      }
      var element = SlowSet.Element(low: key, high: key)
      if let data = dynamic.data {
        element.data = state.registers.bytes(
          data.word, Int(sets.entries[Int(number)].dataWords) * 4)
      }
      element.expressions = set.expressions + dynamic.expressions
      rare.setChanges[number, default: SetChanges()].elements[key] = .some(element)
      rare.setChanges[number]?.additions += 1
    }
    if !goesOn(dynamic.expressions, instruction, rare) { return .breakRule }
    return dynamic.isInverted ? .breakRule : .next
  }

  // MARK: Objects

  /// Source: `net/netfilter/nft_objref.c`.
  func use(
    objectOf type: UInt32, _ instruction: Instruction, _ state: inout MachineState
  ) -> Signal {
    switch ObjectEffect(type) {
    case .none: .next
    case .stateful: runStateful(instruction, &state)
    case .unknown: .undecided
    }
  }

  /// Source: `nft_objref_map_eval`, `net/netfilter/nft_objref.c`.
  func use(_ map: ObjectMap, _ instruction: Instruction, _ state: inout MachineState) -> Signal {
    guard let rare = state.rare, let set = slowSets[instruction.mask] else { return .undecided }
    switch find(
      key(map.source, instruction.mask, state.registers), in: set, number: instruction.mask, rare)
    {
    case .unknown: return .undecided
    case .miss: return .breakRule
    case .hit:
      switch set.objectEffect {
      case .none: return .next
      case .stateful: return runStateful(instruction, &state)
      case .unknown: return .undecided
      }
    }
  }
}
