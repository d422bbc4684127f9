import Bytecode
import CNetfilter

/// One element as netlink carries it: a key, a range's start or end, or the catch-all.
struct WireElement {
  /// Empty for the catch-all.
  var key: [UInt8]
  var keyEnd: [UInt8]?
  var isEnd = false
  /// What the element carries besides the key; nil for a mere end marker.
  var source: SetElement?
  /// User data, encoded.
  var userData: [UInt8] = []
  /// The attributes of each expression that it carries.
  var expressions: [[UInt8]] = []

  /// The wire elements of a set's general elements, in the order nft would send them.
  ///
  /// - Throws: ``KernelError`` when a key has the wrong length, or a range of one field overlaps
  ///   its neighbour.
  static func expand(
    _ elements: [SetElement], of set: NamedSet
  ) throws(KernelError) -> [WireElement] {
    for element in elements {
      let lengths = element.isCatchAll ? [] : [element.key.count] + [element.keyEnd?.count]
      guard lengths.allSatisfy({ $0 == nil || $0 == set.wireKeyLength }) else {
        throw KernelError(
          operation: "encoding set \(set.name)",
          cause: .notExpressible("a key is not \(set.wireKeyLength) bytes long"))
      }
    }
    if set.isSingleFieldInterval { return try ranges(elements, of: set) }
    var all: [WireElement] = []
    all.reserveCapacity(elements.count)
    for element in elements {
      let userData = try UserData.encode(elementComment: element.comment, isOpen: false)
      let upper =
        set.isConcatenatedInterval && !element.isCatchAll ? element.keyEnd ?? element.key : nil
      all.append(
        WireElement(
          key: element.key, keyEnd: upper, source: element, userData: userData,
          expressions: try attributes(of: element)))
    }
    return all
  }

  private static func ranges(
    _ elements: [SetElement], of set: NamedSet
  ) throws(KernelError) -> [WireElement] {
    let sorted = elements.filter { !$0.isCatchAll }.sorted {
      $0.key.lexicographicallyPrecedes($1.key)
    }
    var all: [WireElement] = []
    all.reserveCapacity(elements.count * 2 + 1)
    if let first = sorted.first, first.key.contains(where: { $0 != 0 }) {
      all.append(WireElement(key: first.key.map { _ in 0 }, isEnd: true))
    }
    var lastEnd: [UInt8]? = []
    for element in sorted {
      guard let end = lastEnd, !element.key.lexicographicallyPrecedes(end) else {
        throw KernelError(
          operation: "encoding set \(set.name)", cause: .notExpressible("two ranges overlap"))
      }
      lastEnd = successor(of: element.keyEnd ?? element.key)
      let userData = try UserData.encode(
        elementComment: element.comment, isOpen: lastEnd == nil)
      all.append(
        WireElement(
          key: element.key, source: element, userData: userData,
          expressions: try attributes(of: element)))
      if let lastEnd { all.append(WireElement(key: lastEnd, isEnd: true)) }
    }
    for element in elements where element.isCatchAll {
      let userData = try UserData.encode(elementComment: element.comment, isOpen: false)
      all.append(
        WireElement(
          key: [], source: element, userData: userData,
          expressions: try attributes(of: element)))
    }
    return all
  }

  private static func attributes(of element: SetElement) throws(KernelError) -> [[UInt8]] {
    var all: [[UInt8]] = []
    for expression in element.expressions {
      all.append(try expression.handle(EncodingContext()).attributes())
    }
    return all
  }

  /// The next key in network order; nil after the last.
  private static func successor(of key: [UInt8]) -> [UInt8]? {
    var next = key
    for index in next.indices.reversed() {
      if next[index] < 0xff {
        next[index] += 1
        return next
      }
      next[index] = 0
    }
    return nil
  }

  /// Writes the element as one list entry.
  func write(_ buffer: inout MessageBuffer) {
    let start = buffer.count
    buffer.append(attribute: 1, payloadBytes: 0, isNested: true)
    let isCatchAll = source?.isCatchAll ?? false
    if isEnd || isCatchAll {
      buffer.append(attribute: UInt16(NFTA_SET_ELEM_FLAGS.rawValue), payloadBytes: 4)
      buffer.append(
        bigEndian: UInt32(
          isEnd ? NFT_SET_ELEM_INTERVAL_END.rawValue : NFT_SET_ELEM_CATCHALL.rawValue))
    }
    if let timeout = source?.timeoutMilliseconds {
      buffer.append(attribute: UInt16(NFTA_SET_ELEM_TIMEOUT.rawValue), payloadBytes: 8)
      buffer.append(bigEndian: timeout)
    }
    if !isCatchAll { buffer.append(value: key, in: NFTA_SET_ELEM_KEY) }
    if let keyEnd { buffer.append(value: keyEnd, in: NFTA_SET_ELEM_KEY_END) }
    if let verdict = source?.verdict { buffer.append(verdict, in: NFTA_SET_ELEM_DATA) }
    if let data = source?.data { buffer.append(value: data, in: NFTA_SET_ELEM_DATA) }
    if let object = source?.object {
      buffer.append(name: object, type: UInt16(NFTA_SET_ELEM_OBJREF.rawValue))
    }
    writeExpressions(&buffer)
    if !userData.isEmpty {
      buffer.append(
        attribute: UInt16(NFTA_SET_ELEM_USERDATA.rawValue), payloadBytes: userData.count)
      buffer.append(padded: userData)
    }
    buffer.patch(at: start, UInt16(buffer.count - start))
  }

  /// One expression alone, several as a list.
  private func writeExpressions(_ buffer: inout MessageBuffer) {
    guard let first = expressions.first else { return }
    let start = buffer.count
    guard expressions.count > 1 else {
      buffer.append(
        attribute: UInt16(NFTA_SET_ELEM_EXPR.rawValue), payloadBytes: first.count, isNested: true)
      buffer.append(padded: first)
      return
    }
    buffer.append(
      attribute: UInt16(NFTA_SET_ELEM_EXPRESSIONS.rawValue), payloadBytes: 0, isNested: true)
    for expression in expressions {
      buffer.append(
        attribute: UInt16(NFTA_LIST_ELEM.rawValue), payloadBytes: expression.count, isNested: true)
      buffer.append(padded: expression)
    }
    buffer.patch(at: start, UInt16(buffer.count - start))
  }
}

extension MessageBuffer {
  /// Appends a nest with one `NFTA_DATA_VALUE`.
  fileprivate mutating func append(value: [UInt8], in type: nft_set_elem_attributes) {
    let padded = (value.count + 3) & ~3
    append(attribute: UInt16(type.rawValue), payloadBytes: padded + 4, isNested: true)
    append(attribute: UInt16(NFTA_DATA_VALUE.rawValue), payloadBytes: value.count)
    append(padded: value)
  }

  /// Appends a nest with one `NFTA_DATA_VERDICT`.
  fileprivate mutating func append(_ verdict: Verdict, in type: nft_set_elem_attributes) {
    let start = count
    append(attribute: UInt16(type.rawValue), payloadBytes: 0, isNested: true)
    let inner = count
    append(attribute: UInt16(NFTA_DATA_VERDICT.rawValue), payloadBytes: 0, isNested: true)
    append(attribute: UInt16(NFTA_VERDICT_CODE.rawValue), payloadBytes: 4)
    append(bigEndian: UInt32(bitPattern: verdict.code))
    if let chain = verdict.chain {
      append(name: chain, type: UInt16(NFTA_VERDICT_CHAIN.rawValue))
    }
    patch(at: inner, UInt16(count - inner))
    patch(at: start, UInt16(count - start))
  }

  /// Appends a NUL-terminated name.
  mutating func append(name: String, type: UInt16) {
    let bytes = Array(name.utf8) + [0]
    append(attribute: type, payloadBytes: bytes.count)
    append(padded: bytes)
  }
}
