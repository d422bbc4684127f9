import Bytecode
import NetworkTypes

/// Sets become sorted ranges of numbers.
extension ProgramCompiler {
  mutating func add(_ set: NamedSet) throws(InterpreterError) {
    setNumbers[set.name] = UInt32(program.sets.entries.count)
    if let item = set.unknown.first { opaqueSets[set.name] = "\(item.kind) is not modelled" }
    let length = keyBytes(of: set)
    guard length > 0, length <= 64 else {
      throw .malformedElement(table: table.name, set: set.name)
    }
    if let lack = lack(of: set) { return try addSlow(set, lack, length) }
    var entry = SetStore.Entry(kind: .small, keyBytes: UInt8(length), start: 0, count: 0)
    switch set.content {
    case .ipv4(let content):
      guard length == 4 else { throw .malformedElement(table: table.name, set: set.name) }
      entry.start = Int32(program.sets.small.count)
      entry.count = Int32(content.intervals.count)
      program.sets.small.reserveCapacity(program.sets.small.count + content.intervals.count)
      for interval in content.intervals {
        program.sets.small.append(
          SetStore.Small(first: interval.first, last: interval.last, data: -1))
      }
    case .ipv6(let content):
      guard length == 16 else { throw .malformedElement(table: table.name, set: set.name) }
      entry.kind = .wide
      entry.start = Int32(program.sets.wide.count)
      entry.count = Int32(content.intervals.count)
      for interval in content.intervals {
        program.sets.wide.append(
          SetStore.Wide(first: interval.first, last: interval.last, data: -1))
      }
    case .elements(let elements): try add(elements, of: set, length, &entry)
    }
    program.sets.entries.append(entry)
  }

  /// What a set needs besides its keys; nil when keys are all.
  private func lack(of set: NamedSet) -> String? {
    if set.flags.contains(.evaluated) { return "rules change the set" }
    if set.flags.contains(.object) { return "what the element's object does" }
    guard case .elements(let elements) = set.content else { return nil }
    if elements.contains(where: {
      $0.expirationMilliseconds != nil || $0.timeoutMilliseconds != nil
    }) {
      return "elements of the set may have expired"
    }
    return elements.contains { !$0.expressions.isEmpty }
      ? "expressions of the element" : nil
  }

  /// Keeps a set as elements.
  private mutating func addSlow(
    _ set: NamedSet, _ lack: String, _ length: Int
  ) throws(InterpreterError) {
    let number = UInt32(program.sets.entries.count)
    lacks[set.name] = lack
    let isRanges = set.flags.contains(.interval)
    let fields =
      set.key.count > 1
      ? set.key.map { isRanges ? $0.lengthBytes : ($0.lengthBytes + 3) / 4 * 4 }
      : [length]
    var slow = SlowSet(
      name: set.name, fields: fields, isVerdictMap: set.isVerdictMap,
      isMap: set.dataType != nil, isDynamic: set.flags.contains(.evaluated), size: set.size,
      expressions: set.expressions, objectEffect: ObjectEffect(set.objectType ?? 1))
    for element in set.content.elements(bytes: length) {
      var item = SlowSet.Element(low: element.key, high: element.keyEnd ?? element.key)
      if let verdict = element.verdict { item.verdict = Int32(try self.verdict(verdict)) }
      item.data = element.data ?? []
      item.expiration = element.expirationMilliseconds ?? element.timeoutMilliseconds
      item.expressions = element.expressions
      if element.isCatchAll {
        slow.catchAll = item
      } else {
        guard item.low.count == length, item.high.count == length else {
          throw .malformedElement(table: table.name, set: set.name)
        }
        slow.elements.append(item)
      }
    }
    program.slowSets[number] = slow
    let data = set.dataType.map { ($0.lengthBytes + 3) / 4 } ?? 0
    program.sets.entries.append(
      SetStore.Entry(
        kind: .ordered, keyBytes: UInt8(length), start: 0, count: 0,
        dataWords: UInt8(clamping: data)))
  }

  private func keyBytes(of set: NamedSet) -> Int {
    if set.key.count > 1 { return set.keyLengthBytes }
    if let load = set.typeof { return Int(load.lengthBytes) }
    guard case .elements(let elements) = set.content,
      let first = elements.first(where: { !$0.isCatchAll })
    else { return set.key.first?.lengthBytes ?? 0 }
    return first.key.count
  }

  private mutating func add(
    _ elements: [SetElement], of set: NamedSet, _ length: Int, _ entry: inout SetStore.Entry
  ) throws(InterpreterError) {
    let isOrdered = set.key.count > 1 && (set.flags.contains(.interval) || length > 16)
    var ranges: [SetStore.Wide] = []
    ranges.reserveCapacity(isOrdered ? 0 : elements.count)
    if isOrdered { startOrdered(set, &entry) }
    for element in elements {
      let data = try data(of: element, in: set, &entry)
      if element.isCatchAll {
        entry.catchAll = data
        continue
      }
      let high = element.keyEnd ?? element.key
      guard element.key.count == length, high.count == length else {
        throw .malformedElement(table: table.name, set: set.name)
      }
      if isOrdered {
        addOrdered(element.key, high, data, &entry)
      } else {
        ranges.append(
          SetStore.Wide(first: number(element.key[...]), last: number(high[...]), data: data))
      }
    }
    if isOrdered {
      let fields = program.sets.fieldLengths[Int(entry.fieldStart)...]
      if let index = OrderedIndex(
        fields: Array(fields), bounds: program.sets.bounds[Int(entry.firstBound)...],
        count: Int(entry.count))
      {
        entry.index = Int32(program.sets.indexes.count)
        program.sets.indexes.append(index)
      }
      return
    }
    ranges.sort { $0.first < $1.first }
    entry.count = Int32(ranges.count)
    if length <= 4 {
      entry.start = Int32(program.sets.small.count)
      program.sets.small += ranges.map {
        SetStore.Small(first: UInt32($0.first), last: UInt32($0.last), data: $0.data)
      }
    } else {
      entry.kind = .wide
      entry.start = Int32(program.sets.wide.count)
      program.sets.wide += ranges
    }
  }

  private mutating func startOrdered(_ set: NamedSet, _ entry: inout SetStore.Entry) {
    entry.kind = .ordered
    entry.start = Int32(program.sets.orderedData.count)
    entry.firstBound = Int32(program.sets.bounds.count)
    entry.fieldStart = Int32(program.sets.fieldLengths.count)
    entry.fieldCount = UInt8(set.key.count)
    // A hash compares the padding too, ranges do not.
    let isHash = !set.flags.contains(.interval)
    program.sets.fieldLengths += set.key.map {
      UInt8(isHash ? ($0.lengthBytes + 3) / 4 * 4 : $0.lengthBytes)
    }
  }

  private mutating func addOrdered(
    _ low: [UInt8], _ high: [UInt8], _ data: Int32, _ entry: inout SetStore.Entry
  ) {
    var offset = 0
    for field in 0..<Int(entry.fieldCount) {
      let length = Int(program.sets.fieldLengths[Int(entry.fieldStart) + field])
      program.sets.bounds.append(number(low[offset..<offset + length]))
      program.sets.bounds.append(number(high[offset..<offset + length]))
      offset += (length + 3) / 4 * 4
    }
    program.sets.orderedData.append(data)
    entry.count += 1
  }

  /// The number of an element's verdict or data; -1 without.
  private mutating func data(
    of element: SetElement, in set: NamedSet, _ entry: inout SetStore.Entry
  ) throws(InterpreterError) -> Int32 {
    if let verdict = element.verdict { return Int32(try self.verdict(verdict)) }
    guard let data = element.data else { return -1 }
    let count = (data.count + 3) / 4
    guard count > 0, count <= 16, entry.dataWords == 0 || entry.dataWords == UInt8(count) else {
      throw .malformedElement(table: table.name, set: set.name)
    }
    entry.dataWords = UInt8(count)
    return Int32(addWords(data))
  }

  /// Adds bytes as words, the last one padded with zeros; returns where they start.
  mutating func addWords(_ bytes: [UInt8]) -> UInt32 {
    let start = program.words.count
    for offset in stride(from: 0, to: bytes.count, by: 4) {
      program.words.append(leftAligned(bytes[offset..<min(offset + 4, bytes.count)]))
    }
    return UInt32(start)
  }

  /// At most 4 bytes as a word, the first one most significant.
  func leftAligned(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(32 - bytes.count * 8)
  }

  func number(_ bytes: ArraySlice<UInt8>) -> UInt128 { bytes.reduce(0) { $0 << 8 | UInt128($1) } }
}

extension SetContent {
  /// Its elements, whatever its form; `bytes` long.
  fileprivate func elements(bytes: Int) -> [SetElement] {
    switch self {
    case .elements(let elements): elements
    case .ipv4(let set):
      set.intervals.map {
        SetElement(
          key: IPAddress.v4($0.first).networkOrderBytes,
          keyEnd: IPAddress.v4($0.last).networkOrderBytes)
      }
    case .ipv6(let set):
      set.intervals.map {
        SetElement(
          key: IPAddress.v6($0.first).networkOrderBytes,
          keyEnd: IPAddress.v6($0.last).networkOrderBytes)
      }
    }
  }
}
