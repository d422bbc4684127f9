import Bytecode

/// Expressions become instructions.
extension ProgramCompiler {
  /// Why an expression did not become an instruction.
  enum Refusal: Error {
    /// The ruleset is not one that a kernel would hold.
    case ruleset(InterpreterError)
    /// The expression is not modelled, for the reason given.
    case unmodelled(String)
  }

  mutating func add(_ expression: Expression) throws(Refusal) {
    switch expression {
    case .meta(let load):
      guard load.key.isImmediate else { return try addOther(expression) }
      try store(load.destination, load.key.lengthBytes)
      emit(.meta, load.destination, index: load.key.rawValue)
    case .ct(let load):
      guard load.key.rawValue <= ConntrackKey.mark.rawValue, load.direction == nil else {
        return try addOther(expression)
      }
      try store(load.destination, 4)
      emit(.ct, load.destination, index: load.key.rawValue)
    case .payload(let load) where load.base != .link && load.base != .tunnel: try add(load)
    case .compare(let compare): try add(compare)
    case .range(let range): try add(range)
    case .bitwise(let bitwise): try add(bitwise)
    case .byteorder(let swap) where swap.lengthBytes == swap.sizeBytes: try add(swap)
    case .lookup(let lookup): try add(lookup)
    case .immediate(let immediate): try add(immediate)
    case .counter: break
    case .reject(let reject):
      program.rejects.append(reject)
      emit(.reject, .verdict, index: UInt32(program.rejects.count - 1))
    case .metaSet(let set) where set.key == .mark:
      try read(set.source, 4)
      emit(.setMark, set.source)
    case .metaSet(let set) where set.key == .nftrace: try read(set.source, 1)
    case .extensionHeader(let load) where load.operation == 0: try add(load)
    case .fib(let load) where load.result == 3 && (load.flags == 1 || load.flags == 2):
      try store(load.destination, 4)
      emit(.addressType, load.destination, index: load.flags)
    case .redirect(let redirect): try add(redirect)
    default: try addOther(expression)
    }
  }

  mutating func emit(
    _ operation: Program.Operation, _ register: Register, other: Int = 0, length: Int = 0,
    index: UInt32 = 0, value: UInt32 = 0, mask: UInt32 = 0
  ) {
    program.code.append(
      Program.Instruction(
        operation: operation, register: UInt8(max(register.word, 0)), other: UInt8(other),
        length: UInt8(length), index: index, value: value, mask: mask))
  }

  /// Notes that words are stored.
  mutating func store(_ register: Register, _ bytes: Int) throws(Refusal) {
    stored |= try words(register, bytes)
  }

  /// Requires that words have been stored in this rule.
  func read(_ register: Register, _ bytes: Int) throws(Refusal) {
    let needed = try words(register, bytes)
    guard stored & needed == needed else {
      throw .unmodelled("reads a register that the rule has not stored")
    }
  }

  private func words(_ register: Register, _ bytes: Int) throws(Refusal) -> UInt32 {
    let count = (bytes + 3) / 4
    guard register.word >= 0, bytes > 0, register.word + count <= 16 else {
      throw .unmodelled("does not fit the registers")
    }
    return (UInt32(1) << UInt32(count) &- 1) << UInt32(register.word)
  }

  private mutating func add(_ load: PayloadLoad) throws(Refusal) {
    let length = Int(load.lengthBytes)
    guard (1...64).contains(length), load.offsetBytes <= 65535 else {
      throw .unmodelled("a load has 1 to 64 bytes")
    }
    try store(load.destination, length)
    let operation: Program.Operation =
      switch load.base {
      case .network: .network
      case .transport: .transport
      case .inner: .inner
      case .link, .tunnel: throw .unmodelled("not modelled")
      }
    let isFast =
      program.kernel.readsLaterFragments && length <= 4 && length.nonzeroBitCount == 1
      && load.offsetBytes % load.lengthBytes == 0
    emit(
      operation, load.destination, other: isFast ? 1 : 0, length: length,
      index: load.offsetBytes)
  }

  private mutating func add(_ compare: Compare) throws(Refusal) {
    let length = compare.value.count
    guard (1...16).contains(length) else { throw .unmodelled("compares 1 to 16 bytes") }
    try read(compare.source, length)
    let operation = Int(compare.operation.rawValue)
    if length <= 4 {
      emit(
        .compare, compare.source, other: operation, value: leftAligned(compare.value[...]),
        mask: leftAligned([UInt8](repeating: 0xff, count: length)[...]))
    } else {
      program.constants.append(number(compare.value[...]))
      emit(
        .compareWide, compare.source, other: operation, length: length,
        index: UInt32(program.constants.count - 1))
    }
  }

  private mutating func add(_ range: RangeCompare) throws(Refusal) {
    let length = range.from.count
    guard (1...16).contains(length), range.to.count == length else {
      throw .unmodelled("compares 1 to 16 bytes")
    }
    try read(range.source, length)
    let other = range.isInverted ? 1 : 0
    if length <= 4 {
      emit(
        .range, range.source, other: other, index: leftAligned(range.to[...]),
        value: leftAligned(range.from[...]),
        mask: leftAligned([UInt8](repeating: 0xff, count: length)[...]))
    } else {
      program.constants += [number(range.from[...]), number(range.to[...])]
      emit(
        .rangeWide, range.source, other: other, length: length,
        index: UInt32(program.constants.count - 2))
    }
  }

  private mutating func add(_ bitwise: Bitwise) throws(Refusal) {
    let length = bitwise.mask.count
    guard bitwise.xor.count == length else { throw .unmodelled("mask and xor differ in length") }
    try read(bitwise.source, length)
    try store(bitwise.destination, length)
    let target = bitwise.destination.word
    if length <= 4 {
      emit(
        .mask, bitwise.source, other: target, value: leftAligned(bitwise.xor[...]),
        mask: leftAligned(bitwise.mask[...]))
    } else {
      let start = addWords(bitwise.mask)
      _ = addWords(bitwise.xor)
      emit(.maskWide, bitwise.source, other: target, length: (length + 3) / 4, index: start)
    }
  }

  private mutating func add(_ swap: Byteorder) throws(Refusal) {
    guard [2, 4, 8].contains(swap.sizeBytes) else {
      throw .unmodelled("no such size")
    }
    try read(swap.source, Int(swap.lengthBytes))
    try store(swap.destination, Int(swap.lengthBytes))
    emit(
      .swap, swap.source, other: swap.destination.word, length: Int(swap.lengthBytes))
  }

  private mutating func add(_ lookup: Lookup) throws(Refusal) {
    guard let number = setNumbers[lookup.set], let set = sets[lookup.set] else {
      throw .ruleset(.unknownSet(table: table.name, set: lookup.set))
    }
    let entry = program.sets.entries[Int(number)]
    try read(lookup.source, Int(entry.keyBytes))
    if let text = opaqueSets[lookup.set] { throw .unmodelled(text) }
    if let lack = program.slowSets[number].map({ _ in lacks[lookup.set] ?? "" }) {
      return try addSlow(lookup, number, entry, lack)
    }
    guard let destination = lookup.destination else {
      emit(.member, lookup.source, other: lookup.isInverted ? 1 : 0, index: number)
      return
    }
    guard !lookup.isInverted else { throw .unmodelled("an inverted lookup has no data") }
    if destination == .verdict {
      guard set.isVerdictMap else { throw .unmodelled("the set holds no verdicts") }
      emit(.verdictMap, lookup.source, index: number)
    } else {
      let bytes = set.dataType?.lengthBytes ?? 0
      guard bytes > 0, entry.dataWords <= UInt8((bytes + 3) / 4) else {
        throw .unmodelled("the set holds no such data")
      }
      try store(destination, bytes)
      emit(.map, lookup.source, other: destination.word, index: number)
    }
  }

  private mutating func add(_ immediate: Immediate) throws(Refusal) {
    switch immediate {
    case .verdict(let verdict):
      do {
        emit(.verdict, .verdict, index: try self.verdict(verdict))
      } catch { throw .ruleset(error) }
    case .data(let bytes, let register):
      try store(register, bytes.count)
      emit(.data, register, length: (bytes.count + 3) / 4, index: addWords(bytes))
    }
  }

  private mutating func addSlow(
    _ lookup: Lookup, _ number: UInt32, _ entry: SetStore.Entry, _ lack: String
  ) throws(Refusal) {
    if let destination = lookup.destination, destination != .verdict {
      try store(destination, Int(entry.dataWords) * 4)
    }
    if !lack.isEmpty { program.lacks[UInt32(program.others.count)] = lack }
    emitOther(.lookup(lookup), set: number)
  }

  private mutating func add(_ load: ExtensionHeaderLoad) throws(Refusal) {
    let length = load.isPresence ? 1 : Int(load.lengthBytes)
    try store(load.destination, length)
    emit(
      load.isPresence ? .headerPresence : .headerBytes, load.destination, length: length,
      index: UInt32(load.type), value: load.offsetBytes)
  }
}

extension MetaKey {
  /// Whether an instruction of its own loads it.
  fileprivate var isImmediate: Bool {
    switch self {
    case .length, .protocol, .mark, .iif, .oif, .iifname, .oifname, .skuid, .skgid: true
    case .nfproto, .l4proto, .pkttype: true
    default: false
    }
  }
}
