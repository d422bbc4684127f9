import Bytecode
import NetworkTypes

/// Expressions that become no instruction of their own: they are run as they are.
extension ProgramCompiler {
  mutating func addOther(_ expression: Expression) throws(Refusal) {
    switch expression {
    case .counter, .last, .log: break
    case .meta(let load): try addLoad(expression, load.destination, load.key.lengthBytes)
    case .ct(let load): try addLoad(expression, load.destination, load.lengthBytes(table.family))
    case .route(let load): try addLoad(expression, load.destination, load.key.lengthBytes)
    case .socket(let load): try addLoad(expression, load.destination, load.lengthBytes)
    case .fib(let load): try addLoad(expression, load.destination, load.lengthBytes)
    case .fingerprint(let load): try addLoad(expression, load.destination, 16)
    case .tunnel(let load):
      try addLoad(expression, load.destination, load.key == .path ? 1 : 4)
    case .transform(let load):
      let isLong = load.key == .daddr6 || load.key == .saddr6
      try addLoad(expression, load.destination, isLong ? 16 : 4)
    case .numberGenerator(let load): try addLoad(expression, load.destination, 4)
    case .hash(let hash):
      if let source = hash.source { try read(source, Int(hash.lengthBytes)) }
      try addLoad(expression, hash.destination, 4)
    case .payload(let load): try addLoad(expression, load.destination, Int(load.lengthBytes))
    case .extensionHeader(let load):
      try addLoad(
        expression, load.destination, load.isPresence ? 1 : Int(load.lengthBytes))
    case .inner(let inner):
      guard let loaded = inner.expression.load else { throw .unmodelled("not modelled") }
      try addLoad(expression, loaded.destination, loaded.lengthBytes)
    case .metaSet(let set):
      try read(set.source, set.key.lengthBytes)
      emitOther(expression)
    case .ctSet(let set):
      try read(set.source, min(set.key.lengthBytes, 16))
      emitOther(expression)
    case .payloadSet(let set):
      try read(set.source, Int(set.lengthBytes))
      program.changesBytes = true
      emitOther(expression)
    case .shift(let shift):
      guard (1...31).contains(shift.bits) else { throw .unmodelled("shifts by 1 to 31 bits") }
      try read(shift.source, Int(shift.lengthBytes))
      try store(shift.destination, Int(shift.lengthBytes))
      emitOther(expression)
    case .bitwiseOperation(let operation):
      try read(operation.source, Int(operation.lengthBytes))
      switch operation.operand {
      case .register(let register): try read(register, Int(operation.lengthBytes))
      case .data(let bytes):
        guard bytes.count == Int(operation.lengthBytes) else {
          throw .unmodelled("operands differ in length")
        }
      }
      try store(operation.destination, Int(operation.lengthBytes))
      emitOther(expression)
    case .byteorder(let swap):
      guard [2, 4, 8].contains(swap.sizeBytes) else { throw .unmodelled("no such size") }
      try read(swap.source, Int(swap.lengthBytes))
      try store(swap.destination, Int(swap.lengthBytes))
      emitOther(expression)
    case .extensionHeaderSet(let set):
      try read(set.source, Int(set.lengthBytes))
      program.changesBytes = true
      emitOther(expression)
    case .dynamicSet(let dynamic): try add(dynamic)
    case .objectReference(let reference): try add(reference)
    case .objectMap(let map):
      _ = try readKey(map.source, map.set)
      emitOther(expression, set: setNumbers[map.set] ?? .max)
    case .duplicate(let duplicate):
      for register in [duplicate.address, duplicate.device].compactMap(\.self) {
        try read(register, 4)
      }
      emitOther(expression)
    case .limit, .quota:
      emitOther(expression, isWithoutEffect: restHasNoEffect)
    case .forward, .notrack, .queue, .connectionLimit, .flowOffload, .synproxy,
      .transparentProxy, .extensionHeaderReset:
      emitOther(expression)
    case .nat(let nat): try add(nat)
    case .masquerade(let masquerade): try add(masquerade)
    case .match(let match):
      if let value = match.value(in: table.family) {
        program.matchValues[UInt32(program.others.count)] = value
      }
      emitOther(expression)
    case .target(let target):
      let value = target.value(in: table.family)
      if case .reject(let answer) = value {
        program.rejects.append(Reject(answer))
        emit(.reject, .verdict, index: UInt32(program.rejects.count - 1))
        break
      }
      if let value { program.targetValues[UInt32(program.others.count)] = value }
      emitOther(expression)
    default: throw .unmodelled("not modelled")
    }
  }

  /// Emits an expression as it is; `set` is the number of the set it uses.
  ///
  /// `isWithoutEffect` says of a test that the packet is the same whether it holds or not.
  mutating func emitOther(
    _ expression: Expression, set: UInt32 = .max, isWithoutEffect: Bool = false
  ) {
    program.others.append(expression)
    program.places.append(
      Program.OtherPlace(place: place, instruction: Int32(program.code.count)))
    emit(
      .other, .verdict, length: isWithoutEffect ? 1 : 0, index: UInt32(program.others.count - 1),
      value: UInt32(program.places.count - 1), mask: set)
  }

  /// A load of something that may be stated; its key is the expression with register word 0.
  private mutating func addLoad(
    _ expression: Expression, _ destination: Register, _ length: Int
  ) throws(Refusal) {
    try store(destination, length)
    program.others.append(expression.loadingIntoFirst)
    emit(
      .otherLoad, destination, length: length, index: UInt32(program.others.count - 1))
  }

  private mutating func add(_ dynamic: DynamicSet) throws(Refusal) {
    let entry = try readKey(dynamic.key, dynamic.set)
    if let data = dynamic.data { try read(data, Int(entry.dataWords) * 4) }
    emitOther(.dynamicSet(dynamic), set: setNumbers[dynamic.set] ?? .max)
  }

  /// Requires the key of a set.
  private func readKey(_ register: Register, _ set: String) throws(Refusal) -> SetStore.Entry {
    guard let number = setNumbers[set] else {
      throw .ruleset(.unknownSet(table: table.name, set: set))
    }
    let entry = program.sets.entries[Int(number)]
    try read(register, Int(entry.keyBytes))
    return entry
  }

  private mutating func add(_ reference: ObjectReference) throws(Refusal) {
    switch ObjectEffect(reference.type) {
    case .none: break
    case .stateful, .unknown: emitOther(.objectReference(reference))
    }
  }
}

/// What a named object may do to the packet that meets it.
enum ObjectEffect {
  /// Nothing: counters, conntrack helpers and timeouts, security marks, tunnels.
  case none
  /// Quotas, limits and limits of flows let it go on or not.
  case stateful
  /// Expectations may drop it, SYN proxies take it.
  case unknown

  /// Of an object type, `NFT_OBJECT_*`.
  init(_ type: UInt32) {
    switch type {
    case 1, 3, 6, 7, 8: self = .none
    case 2, 4, 5: self = .stateful
    default: self = .unknown
    }
  }
}

extension Reject {
  /// What xtables' `REJECT` answers with.
  fileprivate init(_ answer: RejectAnswer) {
    switch answer {
    case .icmp(_, let code): self.init(type: 0, code: code)
    case .tcpReset: self = .tcpReset
    }
  }
}

extension Expression {
  /// Where a load puts what it loads, and how many bytes; nil for anything else.
  var load: (destination: Register, lengthBytes: Int)? {
    switch self {
    case .meta(let load): (load.destination, load.key.lengthBytes)
    case .payload(let load): (load.destination, Int(load.lengthBytes))
    case .extensionHeader(let load):
      (load.destination, load.isPresence ? 1 : Int(load.lengthBytes))
    default: nil
    }
  }

  /// A load with its destination at word 0, so that loads of the same thing are equal.
  var loadingIntoFirst: Expression {
    let first = Register(word: 0)
    switch self {
    case .meta(var load):
      load.destination = first
      return .meta(load)
    case .ct(var load):
      load.destination = first
      return .ct(load)
    case .route(var load):
      load.destination = first
      return .route(load)
    case .socket(var load):
      load.destination = first
      return .socket(load)
    case .fib(var load):
      load.destination = first
      return .fib(load)
    case .fingerprint(var load):
      load.destination = first
      return .fingerprint(load)
    case .tunnel(var load):
      load.destination = first
      return .tunnel(load)
    case .transform(var load):
      load.destination = first
      return .transform(load)
    case .numberGenerator(var load):
      load.destination = first
      return .numberGenerator(load)
    case .hash(var load):
      load.destination = first
      return .hash(load)
    case .payload(var load):
      load.destination = first
      return .payload(load)
    case .extensionHeader(var load):
      load.destination = first
      return .extensionHeader(load)
    default: return self
    }
  }
}

extension ConntrackLoad {
  /// Bytes stored; addresses by the family of the table, 16 in inet.
  func lengthBytes(_ family: TableFamily) -> Int {
    switch key {
    case .source, .destination: family == .ip ? 4 : 16
    default: key.lengthBytes
    }
  }
}

extension SocketLoad {
  /// Bytes stored.
  var lengthBytes: Int {
    switch key {
    case .transparent, .wildcard: 1
    case .mark: 4
    case .cgroupv2: 8
    }
  }
}

extension FibLoad {
  /// Bytes stored.
  var lengthBytes: Int {
    if flags & 32 != 0 { return 1 }
    return result == 2 ? 16 : 4
  }
}
