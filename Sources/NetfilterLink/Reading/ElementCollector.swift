import Bytecode
import CNetfilter
import NetworkTypes

/// Gathers a set's elements from the messages of a dump.
///
/// Bare IPv4 and IPv6 keys, which make up large sets, are kept as numbers; the rest as elements.
struct ElementCollector {
  /// A bare key: the start of a range or a single value, or the key after a range.
  private struct Boundary<Key: FixedWidthInteger & UnsignedInteger & Sendable> {
    var key: Key
    var isEnd: Bool
  }

  /// An element with anything beside its key.
  private struct General {
    var element: SetElement
    var isEnd: Bool
  }

  private let set: NamedSet
  /// Bytes of a key: asked for with every element.
  private let keyBytes: Int
  /// Whether bare elements of the set are kept as numbers.
  let isAddressSet: Bool
  private var boundaries4: [Boundary<UInt32>] = []
  private var boundaries6: [Boundary<UInt128>] = []
  private var general: [General] = []
  /// How many elements are kept one by one, at some hundred bytes each.
  var keptSingly: Int { general.count }
  /// Attributes of elements that the model has no place for.
  private(set) var unknown: [UnknownItem] = []

  init(_ set: NamedSet) {
    self.set = set
    keyBytes = set.wireKeyLength
    isAddressSet =
      set.key.count == 1 && !set.flags.contains(.map)
      && (set.key[0] == .ipv4Address || set.key[0] == .ipv6Address
        || set.key[0] == .integer)
      && set.expressions.isEmpty
  }

  /// Adds the elements of one message.
  mutating func add(
    _ message: Span<UInt8>, _ reply: ReplyMessage
  ) throws(MalformedAttribute) {
    let last = Int(NFTA_SET_ELEM_LIST_SET_ID.rawValue)
    let fields = try AttributeFields(message, reply.checkedAttributes, last: last)
    guard let list = fields[NFTA_SET_ELEM_LIST_ELEMENTS] else { return }
    var offset = list.lowerBound
    while offset < list.upperBound {
      guard let item = message.attribute(at: offset, end: list.upperBound) else {
        throw MalformedAttribute(place: "a set's elements")
      }
      if !isAddressSet || !addBare(message, item.payload) {
        try addGeneral(message, item.payload)
      }
      offset += (item.payload.count + 4 + 3) / 4 * 4
    }
  }

  /// Takes an element that is `{ key { value } [flags] }` and nothing else, in the kernel's order.
  private mutating func addBare(_ message: Span<UInt8>, _ range: Range<Int>) -> Bool {
    let isEnd = range.count == keyBytes + 16
    guard isEnd || range.count == keyBytes + 8 else { return false }
    let start = range.lowerBound
    // Both headers in one look: { length, type } of the nest and of the value.
    guard message[start] == UInt8(keyBytes + 8), message[start + 1] == 0,
      message[start + 2] == UInt8(NFTA_SET_ELEM_KEY.rawValue),
      message[start + 4] == UInt8(keyBytes + 4),
      message[start + 5] == 0, message[start + 6] == UInt8(NFTA_DATA_VALUE.rawValue)
    else { return false }
    if isEnd {
      let flags = start + 8 + keyBytes
      guard message[flags] == 8, message[flags + 2] == UInt8(NFTA_SET_ELEM_FLAGS.rawValue),
        message.uint32(flags + 4..<flags + 8) == UInt32(NFT_SET_ELEM_INTERVAL_END.rawValue)
      else { return false }
    }
    if keyBytes == 4 {
      let key = message.networkNumber(UInt32.self, at: start + 8)
      boundaries4.append(Boundary(key: key, isEnd: isEnd))
    } else {
      let key = message.networkNumber(UInt128.self, at: start + 8)
      boundaries6.append(Boundary(key: key, isEnd: isEnd))
    }
    return true
  }

  private mutating func addGeneral(
    _ message: Span<UInt8>, _ range: Range<Int>
  ) throws(MalformedAttribute) {
    let last = Int(NFTA_SET_ELEM_EXPRESSIONS.rawValue)
    let fields = try AttributeFields(message, range, last: last)
    let flags = message.uint32(fields[NFTA_SET_ELEM_FLAGS]) ?? 0
    let isCatchAll = flags & UInt32(NFT_SET_ELEM_CATCHALL.rawValue) != 0
    let isEnd = flags & UInt32(NFT_SET_ELEM_INTERVAL_END.rawValue) != 0
    let key = message.dataValue(fields[NFTA_SET_ELEM_KEY]) ?? []
    guard isCatchAll || key.count == keyBytes else {
      throw MalformedAttribute(place: "an element's key")
    }
    var element = SetElement(key: key, isCatchAll: isCatchAll)
    element.keyEnd = message.dataValue(fields[NFTA_SET_ELEM_KEY_END])
    if set.isVerdictMap {
      element.verdict = message.verdict(fields[NFTA_SET_ELEM_DATA])
    } else if set.flags.contains(.map) {
      element.data = message.dataValue(fields[NFTA_SET_ELEM_DATA])
    }
    element.timeoutMilliseconds = message.uint64(fields[NFTA_SET_ELEM_TIMEOUT])
    element.comment = fields[NFTA_SET_ELEM_USERDATA].flatMap {
      UserData.comment(in: message.bytes($0))
    }
    element.expirationMilliseconds = message.uint64(fields[NFTA_SET_ELEM_EXPIRATION])
    element.object = message.name(fields[NFTA_SET_ELEM_OBJREF])
    element.expressions = try Expression.attached(
      message, one: fields[NFTA_SET_ELEM_EXPR], list: fields[NFTA_SET_ELEM_EXPRESSIONS])
    let isDataUnknown =
      fields[NFTA_SET_ELEM_DATA] != nil && element.verdict == nil && element.data == nil
      || fields[NFTA_SET_ELEM_OBJREF] != nil && element.object == nil
      || fields[NFTA_SET_ELEM_KEY_END] != nil && element.keyEnd == nil
    if isDataUnknown || flags > 3 {
      unknown.append(
        UnknownItem(kind: "element of set \(set.name)", bytes: message.bytes(range)))
    }
    unknown.note(fields.unknown, of: "element of set \(set.name)", message)
    if isAddressSet, element == SetElement(key: key) {
      addBoundary(key, isEnd: isEnd)
    } else {
      general.append(General(element: element, isEnd: isEnd))
    }
  }

  private mutating func addBoundary(_ key: [UInt8], isEnd: Bool) {
    switch IPAddress(networkOrderBytes: key) {
    case .v4(let bits): boundaries4.append(Boundary(key: bits, isEnd: isEnd))
    case .v6(let bits): boundaries6.append(Boundary(key: bits, isEnd: isEnd))
    case nil: general.append(General(element: SetElement(key: key), isEnd: isEnd))
    }
  }

  /// What the set holds.
  ///
  /// O(n), or O(n log n) when the kernel's order is neither ascending nor descending.
  func content() -> SetContent {
    if isAddressSet && general.isEmpty {
      return keyBytes == 4
        ? .ipv4(intervals(boundaries4)) : .ipv6(intervals(boundaries6))
    }
    let bare =
      (boundaries4.map {
        General(element: SetElement(key: IPAddress.v4($0.key).networkOrderBytes), isEnd: $0.isEnd)
      })
      + boundaries6.map {
        General(element: SetElement(key: IPAddress.v6($0.key).networkOrderBytes), isEnd: $0.isEnd)
      }
    let all = general + bare
    if set.isSingleFieldInterval { return .elements(ranges(all)) }
    let elements = all.map(\.element)
    // The order of concatenated ranges decides which of two that overlap wins.
    if set.isConcatenatedInterval { return .elements(elements) }
    return .elements(elements.sorted(by: ElementCollector.isOrdered))
  }

  private func intervals<Key>(_ boundaries: [Boundary<Key>]) -> IntervalSet<Key> {
    guard set.flags.contains(.interval) else {
      return IntervalSet(boundaries.map(\.key).sorted().map { Interval($0, $0) })
    }
    let sorted = ascending(boundaries)
    var result: [Interval<Key>] = []
    result.reserveCapacity(sorted.count / 2 + 1)
    var open: Key?
    for boundary in sorted {
      if let first = open, boundary.key > first {
        result.append(Interval(first, boundary.key - 1))
      }
      open = boundary.isEnd ? nil : boundary.key
    }
    if let open { result.append(Interval(open, .max)) }
    return IntervalSet(result)
  }

  /// Ascending by key, an end before a start of the same key: the start wins there.
  private func ascending<Key>(_ boundaries: [Boundary<Key>]) -> [Boundary<Key>] {
    func precedes(_ a: Boundary<Key>, _ b: Boundary<Key>) -> Bool {
      a.key != b.key ? a.key < b.key : a.isEnd && !b.isEnd
    }
    let span = boundaries.span
    var isAscending = true
    var isDescending = true
    for index in span.indices.dropFirst() {
      if precedes(span[index], span[index - 1]) {
        isAscending = false
      } else {
        isDescending = false
      }
      if !isAscending && !isDescending { return boundaries.sorted(by: precedes) }
    }
    return isAscending ? boundaries : boundaries.reversed()
  }

  private func ranges(_ all: [General]) -> [SetElement] {
    let sorted = all.filter { !$0.element.isCatchAll }.sorted { a, b in
      a.element.key == b.element.key
        ? a.isEnd && !b.isEnd : a.element.key.lexicographicallyPrecedes(b.element.key)
    }
    var result: [SetElement] = []
    var open: SetElement?
    func close(_ upper: [UInt8]) {
      guard var element = open else { return }
      if upper != element.key { element.keyEnd = upper }
      result.append(element)
      open = nil
    }
    for item in sorted {
      if let first = open, first.key != item.element.key {
        close(ElementCollector.predecessor(of: item.element.key))
      }
      open = item.isEnd ? nil : item.element
    }
    if let key = open?.key { close(key.map { _ in 0xff }) }
    return result + all.map(\.element).filter(\.isCatchAll)
  }

  /// Ascending by key, the catch-all last.
  static func isOrdered(_ a: SetElement, _ b: SetElement) -> Bool {
    a.isCatchAll != b.isCatchAll ? b.isCatchAll : a.key.lexicographicallyPrecedes(b.key)
  }

  /// The key before, in network order; wraps at zero.
  private static func predecessor(of key: [UInt8]) -> [UInt8] {
    var previous = key
    for index in previous.indices.reversed() {
      if previous[index] > 0 {
        previous[index] -= 1
        return previous
      }
      previous[index] = 0xff
    }
    return previous
  }
}

extension Span<UInt8> {
  /// A number in network order; the caller has checked that it is inside.
  @inline(__always)
  fileprivate func networkNumber<Number: FixedWidthInteger & UnsignedInteger>(
    _ type: Number.Type, at offset: Int
  ) -> Number {
    var number: Number = 0
    for index in 0..<MemoryLayout<Number>.size {
      number = number << 8 | Number(self[offset + index])
    }
    return number
  }
}
