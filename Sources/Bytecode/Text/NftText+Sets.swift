import NetworkTypes

/// Sets and maps as nft(8) lists them.
extension NftText {
  mutating func put(_ set: NamedSet) throws(BytecodeError) {
    let isMap = set.isVerdictMap || set.dataType != nil
    out.put("\t\(isMap ? "map" : "set") \(set.name) {\n\t\t")
    if let load = set.typeof {
      out.put("typeof ")
      put(load)
    } else {
      out.put("type \(set.key.map(\.keyword).joined(separator: " . "))")
    }
    if isMap { out.put(" : \(set.dataType?.keyword ?? "verdict")") }
    out.put("\n")
    try requireExpressible(set)
    if let size = set.size { out.put("\t\tsize \(size)\n") }
    let flags: [(SetFlags, String)] = [
      (.constant, "constant"), (.interval, "interval"), (.timeout, "timeout"),
    ]
    let words = flags.filter { set.flags.contains($0.0) }.map(\.1)
    if !words.isEmpty { out.put("\t\tflags \(words.joined(separator: ","))\n") }
    if let comment = set.comment { out.put("\t\tcomment \"\(comment)\"\n") }
    if set.content.count > 0 {
      out.put("\t\telements = ")
      try putElements(of: set, as: set.valueTypes)
      out.put("\n")
    }
    out.put("\t}\n")
  }

  func requireExpressible(_ set: NamedSet) throws(BytecodeError) {
    func refusal(_ reason: String) -> BytecodeError {
      .inexpressibleSet(set: set.name, reason: reason)
    }
    if set.flags.contains(.evaluated) || set.flags.contains(.object) {
      throw refusal("dynamic sets and object maps are not modelled")
    }
    let isPlain =
      set.timeoutMilliseconds == nil && set.gcIntervalMilliseconds == nil && set.policy ?? 0 == 0
      && set.expressions.isEmpty
    guard isPlain else { throw refusal("timeouts, policies and expressions are not modelled") }
    for key in set.key + [set.dataType].compactMap(\.self) {
      guard key.isInteger || ValueType(key) != .raw else {
        throw refusal("the type \(key) is not modelled")
      }
    }
    if let load = set.typeof {
      guard set.key.count == 1, set.key[0].isInteger, set.dataType == nil else {
        throw refusal("only a plain raw load has a typeof")
      }
      let isNamed =
        load.base == .transport && load.lengthBytes == 2 && [0, 2].contains(load.offsetBytes)
      if isNamed { throw refusal("nft(8) reads this load as a port, not as raw bytes") }
    } else if set.key.contains(where: \.isInteger) || set.dataType?.isInteger ?? false {
      throw refusal("a key of raw bytes needs a typeof")
    }
    if !set.flags.contains(.interval) && set.content.hasRanges {
      throw refusal("a range needs the flag interval")
    }
    let isHostOrder = set.key.contains { ValueType($0).isHostOrder }
    if set.flags.contains(.interval) && isHostOrder {
      throw refusal("ranges of values in host order are not modelled")
    }
  }

  /// The elements in braces, wrapped as a listing wraps them.
  mutating func putElements(of set: NamedSet, as types: [ValueType]) throws(BytecodeError) {
    let isAnonymous = set.flags.contains(.anonymous)
    let perLine = types.count == 1 ? types[0].elementsPerLine : 1
    var onLine = 0
    out.put("{ ")
    func separate(_ out: inout TextBuffer, _ index: Int) {
      guard index > 0 else { return }
      onLine += 1
      if isAnonymous || onLine < perLine {
        out.put(", ")
      } else {
        out.put(",\n\t\t\t     ")
        onLine = 0
      }
    }
    switch set.content {
    case .ipv4(let content):
      for (index, interval) in content.intervals.enumerated() {
        separate(&out, index)
        put(interval, isRaw: types == [.raw])
      }
    case .ipv6(let content):
      for (index, interval) in content.intervals.enumerated() {
        separate(&out, index)
        put(interval, isRaw: types == [.raw])
      }
    case .elements:
      for (index, element) in set.listedElements.enumerated() {
        separate(&out, index)
        try put(element, of: set, as: types)
      }
    }
    out.put(" }")
  }

  private mutating func put<Bound>(_ interval: Interval<Bound>, isRaw: Bool) {
    func putBound(_ bound: Bound, _ out: inout TextBuffer) {
      if isRaw {
        out.put("0x")
        out.put(hex: bound)
      } else if Bound.bitWidth == 32 {
        out.put(ipv4: UInt32(bound))
      } else {
        out.put(ipv6: UInt128(bound))
      }
    }
    putBound(interval.first, &out)
    guard interval.first != interval.last else { return }
    let span = interval.first ^ interval.last
    if !isRaw && span & (span &+ 1) == 0 && interval.first & span == 0 {
      out.put("/")
      out.put(decimal: UInt(span.leadingZeroBitCount))
    } else {
      out.put("-")
      putBound(interval.last, &out)
    }
  }

  private mutating func put(
    _ element: SetElement, of set: NamedSet, as types: [ValueType]
  ) throws(BytecodeError) {
    try requireExpressible(element, of: set, as: types)
    if element.isCatchAll {
      out.put("*")
    } else {
      var offset = 0
      for (index, type) in types.enumerated() {
        if index > 0 { out.put(" . ") }
        let length = types.count == 1 ? element.key.count : set.key[index].lengthBytes
        let low = Array(element.key[offset..<offset + length])
        let high = element.keyEnd.map { Array($0[offset..<offset + length]) } ?? low
        out.put(range: low, high, as: type)
        offset += (length + 3) / 4 * 4
      }
    }
    if let timeout = element.timeoutMilliseconds { out.put(" timeout \(duration(timeout))") }
    if let comment = element.comment { out.put(" comment \"\(comment)\"") }
    if let verdict = element.verdict {
      out.put(" : ")
      put(verdict)
    } else if let data = element.data, let type = set.dataType {
      out.put(" : ")
      out.put(data, as: ValueType(type))
    }
  }

  func requireExpressible(
    _ element: SetElement, of set: NamedSet, as types: [ValueType]
  ) throws(BytecodeError) {
    func refusal(_ reason: String) -> BytecodeError {
      .inexpressibleSet(set: set.name, reason: "element \(element.key): \(reason)")
    }
    if let comment = element.comment, !isComment(comment) {
      throw refusal("a comment has at most 128 bytes, no quote and no newline")
    }
    guard element.expressions.isEmpty, element.object == nil else {
      throw refusal("expressions and objects are not modelled")
    }
    guard (element.verdict != nil) == set.isVerdictMap,
      (element.data != nil) == (set.dataType != nil)
    else { throw refusal("its data do not fit the set") }
    guard !element.isCatchAll else { return }
    let isRange = element.keyEnd.map { $0 != element.key } ?? false
    guard !isRange || set.flags.contains(.interval) else {
      throw refusal("a range needs the flag interval")
    }
    let isKeyWhole = types.count == 1 || element.key.count == set.keyLengthBytes
    guard isKeyWhole, element.key.count > 0,
      (element.keyEnd ?? element.key).count == element.key.count
    else { throw refusal("its key has the wrong length") }
    let hasBits = types.contains { $0.isBitmask && $0 != .tcpFlags }
    if hasBits, types.count == 1, types[0].number(element.key).nonzeroBitCount != 1 {
      throw refusal("no faithful spelling of several bits at once")
    }
  }

  private func duration(_ milliseconds: UInt64) -> String {
    let units: [(String, UInt64)] = [
      ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]
    var rest = milliseconds
    var text = ""
    for (unit, length) in units where rest >= length {
      text += "\(rest / length)\(unit)"
      rest %= length
    }
    return text.isEmpty ? "0s" : text
  }
}

extension SetContent {
  /// Whether plain addresses are kept as a range of more than one.
  fileprivate var hasRanges: Bool {
    switch self {
    case .ipv4(let set): set.intervals.contains { $0.first != $0.last }
    case .ipv6(let set): set.intervals.contains { $0.first != $0.last }
    case .elements: false
    }
  }
}

extension NamedSet {
  /// How the values of the key's fields are written.
  var valueTypes: [ValueType] { key.map(ValueType.init) }

  /// The elements in the order of a listing.
  ///
  /// nft(8) sorts by the key's number, concatenations by their bytes from the last to the first,
  /// and leaves concatenations with ranges in the kernel's order, which decides between overlapping
  /// ones. The catch-all element comes last.
  var listedElements: [SetElement] {
    guard case .elements(let elements) = content else { return [] }
    let others = elements.filter { !$0.isCatchAll }
    let catchAll = elements.filter(\.isCatchAll)
    if key.count > 1 && flags.contains(.interval) { return others + catchAll }
    let isReversed = key.count > 1 || key.contains { ValueType($0).isHostOrder }
    let sorted = others.sorted {
      isReversed
        ? $0.key.reversed().lexicographicallyPrecedes($1.key.reversed())
        : $0.key.lexicographicallyPrecedes($1.key)
    }
    return sorted + catchAll
  }
}
