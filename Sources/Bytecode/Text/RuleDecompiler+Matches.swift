/// Matches: comparisons and lookups.
extension RuleDecompiler {
  mutating func match(_ compare: Compare) throws(BytecodeError) {
    switch try take(compare.source) {
    case .selector(let selector, nil): try match(selector, compare.operation, compare.value)
    case .selector(let selector, let mask?):
      try match(selector, mask: mask, compare.operation, compare.value)
    case .swapped(let selector):
      guard compare.operation != .equal, compare.operation != .notEqual,
        compare.value.count == selector.lengthBytes
      else { throw refusal("a swapped value is only compared for order") }
      append(selector, relation(compare.operation), .value(compare.value.reversed()))
    default: throw refusal("compares something that is no load")
    }
  }

  mutating func append(
    _ selector: Selector, mask: [UInt8]? = nil, _ relation: Relation, _ operand: Operand
  ) {
    dropDependencies(of: [selector])
    statements.append(.match(selector, mask: mask, relation, operand))
  }

  private func relation(_ operation: CompareOperator) -> Relation {
    switch operation {
    case .equal: .implicit
    case .notEqual: .notEqual
    case .less: .less
    case .lessOrEqual: .lessOrEqual
    case .greater: .greater
    case .greaterOrEqual: .greaterOrEqual
    }
  }

  private mutating func match(
    _ selector: Selector, _ operation: CompareOperator, _ value: [UInt8]
  ) throws(BytecodeError) {
    let isEquality = operation == .equal || operation == .notEqual
    if selector.type == .interfaceName {
      guard isEquality else { throw refusal("a name has no order") }
      return append(selector, relation(operation), try nameOperand(value))
    }
    guard value.count == selector.lengthBytes else {
      throw refusal("compares \(value.count) bytes of a load of \(selector.lengthBytes)")
    }
    if case .presence = selector.source {
      guard operation == .equal, value[0] <= 1 else { throw refusal("presence is 0 or 1") }
      return append(selector, .implicit, .presence(value[0] == 1))
    }
    if let field = selector.header, selector.lengthBytes < Int(field.length) {
      guard isEquality else { throw refusal("a prefix has no order") }
      let padded = value + [UInt8](repeating: 0, count: Int(field.length) - value.count)
      return append(selector, relation(operation), .prefix(padded, length: value.count * 8))
    }
    if !isEquality && (selector.type.isHostOrder || selector.type.isBitmask) {
      throw refusal("the order of a value in host order needs a byteorder before it")
    }
    if selector.type.isBitmask {
      let number = selector.type.number(value)
      guard number.nonzeroBitCount == 1 || selector.type == .tcpFlags && number != 0 else {
        throw refusal("no faithful spelling of several bits at once")
      }
      return append(selector, operation == .equal ? .equal : .notEqual, .value(value))
    }
    if try splitIntoFields(selector, operation, value) { return }
    append(selector, relation(operation), .value(value))
    if operation == .equal { learn(from: selector, value) }
  }

  /// Writes one comparison over several named fields as one match each; nft(8) merges them again.
  private mutating func splitIntoFields(
    _ selector: Selector, _ operation: CompareOperator, _ value: [UInt8]
  ) throws(BytecodeError) -> Bool {
    guard operation == .equal, case .raw(let load) = selector.source else { return false }
    var parts: [(Selector, [UInt8])] = []
    var offset = load.offsetBytes
    let end = load.offsetBytes + load.lengthBytes
    while offset < end {
      let field = fields(of: load.base).first {
        $0.mask == nil && $0.offset == offset && $0.header != "th" && $0.offset + $0.length <= end
      }
      guard let field else { return false }
      let start = Int(offset - load.offsetBytes)
      parts.append(
        (
          Selector(source: .header(field), type: field.type, lengthBytes: Int(field.length)),
          Array(value[start..<start + Int(field.length)])
        ))
      offset += field.length
    }
    for (selector, part) in parts {
      append(selector, .implicit, .value(part))
      learn(from: selector, part)
    }
    return true
  }

  private mutating func learn(from selector: Selector, _ value: [UInt8]) {
    switch selector.source {
    case .meta(.nfproto): family = value[0]
    case .meta(.protocol) where table.family == .netdev:
      family = value == [0x08, 0x00] ? 2 : value == [0x86, 0xdd] ? 10 : nil
    case .meta(.l4proto): transport = value[0]
    case .header(let field) where field.type == .inetProtocol: transport = value[0]
    default: break
    }
  }

  private func nameOperand(_ value: [UInt8]) throws(BytecodeError) -> Operand {
    let name = value.prefix { $0 != 0 }
    let isPlain = name.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x22 && $0 != 0x2a }
    guard isPlain, !name.isEmpty, value[name.count...].allSatisfy({ $0 == 0 }) else {
      throw refusal("not an interface name")
    }
    return value.count == name.count && name.count < 16
      ? .namePrefix(Array(name)) : .value(Array(name))
  }

  private mutating func match(
    _ selector: Selector, mask: [UInt8], _ operation: CompareOperator, _ value: [UInt8]
  ) throws(BytecodeError) {
    guard operation == .equal || operation == .notEqual, value.count == mask.count,
      zip(value, mask).allSatisfy({ $0 & ~$1 == 0 })
    else { throw refusal("compares bits that the mask takes away, or their order") }
    let isEqual = operation == .equal
    if selector.type.isBitmask {
      return try matchBits(selector, mask: mask, isEqual: isEqual, value)
    }
    if let field = fields(of: selector.loadedBytes?.base ?? .link).first(where: {
      $0.mask.map { [$0] } == mask && $0.offset == selector.loadedBytes?.first
        && selector.lengthBytes == 1
    }), let bits = field.mask {
      let part = Selector(source: .header(field), type: field.type, lengthBytes: 1)
      let number = value[0] >> UInt8(bits.trailingZeroBitCount)
      return append(part, isEqual ? .implicit : .notEqual, .value([number]))
    }
    if selector.type.hasPrefixes, selector.lengthBytes == selector.header.map({ Int($0.length) }),
      let length = prefixLength(mask)
    {
      return append(selector, isEqual ? .implicit : .notEqual, .prefix(value, length: length))
    }
    guard selector.type != .interfaceName else { throw refusal("masks a name") }
    append(selector, mask: mask, isEqual ? .equal : .notEqual, .value(value))
  }

  private mutating func matchBits(
    _ selector: Selector, mask: [UInt8], isEqual: Bool, _ value: [UInt8]
  ) throws(BytecodeError) {
    let bits = selector.type.number(mask)
    let wanted = selector.type.number(value)
    guard selector.type.bitWords(bits) != nil else { throw refusal("a bit has no name") }
    if wanted == 0 { return append(selector, isEqual ? .none : .implicit, .bits(bits)) }
    if bits == wanted && bits.nonzeroBitCount == 1 {
      return append(selector, mask: mask, isEqual ? .equal : .notEqual, .value(value))
    }
    append(
      selector, isEqual ? .implicit : .notEqual, .maskedBits(value: wanted, mask: bits))
  }

  private func prefixLength(_ mask: [UInt8]) -> Int? {
    let length = mask.prefix { $0 == 0xff }.count * 8
    guard length < mask.count * 8 else { return length }
    let partial = mask[length / 8]
    guard (~partial & (~partial &+ 1)) == 0, mask[(length / 8 + 1)...].allSatisfy({ $0 == 0 })
    else { return nil }
    return length + partial.leadingOnes
  }

  mutating func match(
    range register: Register, isInverted: Bool, _ from: [UInt8], _ to: [UInt8]
  ) throws(BytecodeError) {
    let relation: Relation = isInverted ? .notEqual : .implicit
    switch try take(register) {
    case .swapped(let selector):
      append(selector, relation, .range(from.reversed(), to.reversed()))
    case .selector(let selector, nil):
      let isWhole = selector.header.map { Int($0.length) == selector.lengthBytes } ?? true
      guard isWhole, !selector.type.isHostOrder, !selector.type.isBitmask,
        from.count == selector.lengthBytes, to.count == from.count
      else { throw refusal("not a range of whole values in network order") }
      append(selector, relation, .range(from, to))
    default: throw refusal("compares something that is no plain load")
    }
  }
}

extension UInt8 {
  fileprivate var leadingOnes: Int { (~self).leadingZeroBitCount }
}
