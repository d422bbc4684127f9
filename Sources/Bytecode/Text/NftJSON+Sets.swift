import NetworkTypes

/// Sets, elements and values as libnftables JSON.
extension NftJSON {
  func declaration(of set: NamedSet) throws(BytecodeError) -> [(String, JSONValue)] {
    try NftText(table: table).requireExpressible(set)
    let keys = set.key.map { JSONValue.string($0.keyword) }
    var members: [(String, JSONValue)] = [("type", keys.count == 1 ? keys[0] : .array(keys))]
    if set.isVerdictMap || set.dataType != nil {
      members.append(("map", .string(set.dataType?.keyword ?? "verdict")))
    }
    if let comment = set.comment { members.append(("comment", .string(comment))) }
    if let size = set.size { members.append(("size", .number(UInt64(size)))) }
    let flags: [(SetFlags, String)] = [
      (.constant, "constant"), (.interval, "interval"), (.timeout, "timeout"),
    ]
    let words = flags.filter { set.flags.contains($0.0) }.map { JSONValue.string($0.1) }
    if !words.isEmpty { members.append(("flags", .array(words))) }
    if set.content.count > 0 {
      members.append(("elem", .array(try elements(of: set, as: set.valueTypes))))
    }
    return members
  }

  /// A named set by its name, an anonymous one or one of raw keys by its elements.
  func reference(_ set: NamedSet, as types: [ValueType]) throws(BytecodeError) -> JSONValue {
    guard set.isInlineInJSON else { return .string("@\(set.name)") }
    guard set.content.count > 0, !set.isRuntimeState else {
      throw .inexpressibleSet(
        set: set.name, reason: "JSON of nft 1.0.6 has no named sets of raw bytes")
    }
    return .tagged("set", .array(try elements(of: set, as: types)))
  }

  private func elements(
    of set: NamedSet, as types: [ValueType]
  ) throws(BytecodeError) -> [JSONValue] {
    switch set.content {
    case .ipv4(let content): return content.intervals.map { range($0, as: types[0]) }
    case .ipv6(let content): return content.intervals.map { range($0, as: types[0]) }
    case .elements:
      var result: [JSONValue] = []
      for element in set.listedElements { result.append(try json(element, of: set, as: types)) }
      return result
    }
  }

  private func range<Bound>(_ interval: Interval<Bound>, as type: ValueType) -> JSONValue {
    func bytes(_ value: Bound) -> [UInt8] {
      stride(from: Bound.bitWidth - 8, through: 0, by: -8).map { UInt8(value >> $0 & 0xff) }
    }
    return range(bytes(interval.first), bytes(interval.last), as: type)
  }

  private func json(
    _ element: SetElement, of set: NamedSet, as types: [ValueType]
  ) throws(BytecodeError) -> JSONValue {
    try NftText(table: table).requireExpressible(element, of: set, as: types)
    var key = element.isCatchAll ? JSONValue.string("*") : self.key(of: element, set, types)
    var extras: [(String, JSONValue)] = []
    if let timeout = element.timeoutMilliseconds {
      guard timeout % 1000 == 0 else {
        throw .inexpressibleSet(set: set.name, reason: "JSON counts timeouts in whole seconds")
      }
      extras.append(("timeout", .number(timeout / 1000)))
    }
    if let comment = element.comment { extras.append(("comment", .string(comment))) }
    if !extras.isEmpty { key = .tagged("elem", .object([("val", key)] + extras)) }
    if let verdict = element.verdict { return .array([key, json(verdict)]) }
    if let data = element.data, let type = set.dataType {
      return .array([key, value(data, as: ValueType(type))])
    }
    return key
  }

  private func key(of element: SetElement, _ set: NamedSet, _ types: [ValueType]) -> JSONValue {
    var parts: [JSONValue] = []
    var offset = 0
    for (index, type) in types.enumerated() {
      let length = types.count == 1 ? element.key.count : set.key[index].lengthBytes
      let low = Array(element.key[offset..<offset + length])
      let high = element.keyEnd.map { Array($0[offset..<offset + length]) } ?? low
      parts.append(range(low, high, as: type))
      offset += (length + 3) / 4 * 4
    }
    return parts.count == 1 ? parts[0] : .tagged("concat", .array(parts))
  }

  // MARK: Values

  /// A number where nft(8) writes one of at most 32 bits, else the word it writes.
  func value(_ bytes: [UInt8], as type: ValueType) -> JSONValue {
    switch type {
    case .raw where bytes.count <= 4, .inetService, .number, .hostNumber, .mark,
      .interfaceIndex:
      return .number(type.number(bytes))
    case .interfaceName:
      return .string(String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
    default:
      var text = TextBuffer()
      text.put(bytes, as: type)
      return .string(text.string)
    }
  }

  func range(_ low: [UInt8], _ high: [UInt8], as type: ValueType) -> JSONValue {
    if low == high { return value(low, as: type) }
    if type.hasPrefixes, let length = prefixLength(low, high) {
      return prefix(low, length, as: type)
    }
    return .tagged("range", .array([value(low, as: type), value(high, as: type)]))
  }

  func prefix(_ bytes: [UInt8], _ length: Int, as type: ValueType) -> JSONValue {
    .tagged(
      "prefix",
      .object([("addr", value(bytes, as: type)), ("len", .number(UInt64(length)))]))
  }
}

extension NamedSet {
  /// Whether JSON holds the elements in the rules that look them up.
  var isInlineInJSON: Bool { flags.contains(.anonymous) || typeof != nil }
}
