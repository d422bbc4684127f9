/// A JSON text as values, read strictly: no key twice, whole numbers only, limits before anything.
///
/// Foundation's decoder takes one of two equal keys, and does not say where a number is that does
/// not fit. A snapshot that says two things at once must be refused.
indirect enum JSONTree {
  case null
  case bool(Bool)
  /// A whole number: its sign and the rest.
  case number(isNegative: Bool, magnitude: UInt64)
  case string(String)
  case array([JSONTree])
  /// The members in the order of the text.
  case object([(key: String, value: JSONTree)])

  /// The deepest nesting: a state needs nine.
  static let depthLimit = 24
  /// The most keys in one object.
  static let keyLimit = 256
  /// The longest key in bytes.
  static let keyLengthLimit = 128

  /// Reads a whole text, which must be one object.
  ///
  /// - Throws: ``HostCodingError`` with the offset of the first mistake.
  ///
  /// O(n).
  init(parsing bytes: [UInt8]) throws(HostCodingError) {
    var parser = JSONParser(bytes)
    self = try parser.wholeObject()
  }
}

private struct JSONParser {
  private let bytes: [UInt8]
  private var offset = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func wholeObject() throws(HostCodingError) -> JSONTree {
    skipSpace()
    guard peek == UInt8(ascii: "{") else { throw problem("an object") }
    let tree = try value(depth: 0)
    skipSpace()
    guard offset == bytes.count else { throw problem("nothing more") }
    return tree
  }

  private mutating func value(depth: Int) throws(HostCodingError) -> JSONTree {
    guard depth <= JSONTree.depthLimit else { throw .tooDeep(offset: offset) }
    skipSpace()
    switch peek {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"):
      try word("true")
      return .bool(true)
    case UInt8(ascii: "f"):
      try word("false")
      return .bool(false)
    case UInt8(ascii: "n"):
      try word("null")
      return .null
    default: return try number()
    }
  }

  private mutating func object(depth: Int) throws(HostCodingError) -> JSONTree {
    var members: [(key: String, value: JSONTree)] = []
    offset += 1
    skipSpace()
    if take(UInt8(ascii: "}")) { return .object(members) }
    while true {
      skipSpace()
      let start = offset
      let key = try string()
      guard offset - start - 2 <= JSONTree.keyLengthLimit, members.count < JSONTree.keyLimit else {
        throw problem("fewer and shorter keys")
      }
      guard !members.contains(where: { $0.key == key }) else {
        throw .duplicateKey(key, offset: start)
      }
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw problem("a colon") }
      members.append((key, try value(depth: depth + 1)))
      skipSpace()
      if take(UInt8(ascii: ",")) { continue }
      guard take(UInt8(ascii: "}")) else { throw problem("a comma or the end of the object") }
      return .object(members)
    }
  }

  private mutating func array(depth: Int) throws(HostCodingError) -> JSONTree {
    var items: [JSONTree] = []
    offset += 1
    skipSpace()
    if take(UInt8(ascii: "]")) { return .array(items) }
    while true {
      items.append(try value(depth: depth + 1))
      skipSpace()
      if take(UInt8(ascii: ",")) { continue }
      guard take(UInt8(ascii: "]")) else { throw problem("a comma or the end of the array") }
      return .array(items)
    }
  }

  /// A number without fraction and exponent, without leading zeros, of at most 64 bits.
  private mutating func number() throws(HostCodingError) -> JSONTree {
    let start = offset
    let isNegative = take(UInt8(ascii: "-"))
    let digits = offset
    var magnitude: UInt64 = 0
    while let byte = peek, 0x30...0x39 ~= byte {
      let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(byte - 0x30))
      guard !overflow, !carry else {
        throw .notJSON("byte \(start): a number of more than 64 bits")
      }
      magnitude = sum
      offset += 1
    }
    guard offset > digits, offset == digits + 1 || bytes[digits] != 0x30 else {
      throw problem("a value")
    }
    if let byte = peek, ".eE".utf8.contains(byte) { throw problem("a whole number") }
    return .number(isNegative: isNegative, magnitude: magnitude)
  }

  private mutating func string() throws(HostCodingError) -> String {
    guard take(UInt8(ascii: "\"")) else { throw problem("a string") }
    let start = offset
    while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
      offset += 1
    }
    if peek == UInt8(ascii: "\"") {
      let content = bytes[start..<offset]
      offset += 1
      return try text(content)
    }
    var content = Array(bytes[start..<offset])
    while let byte = peek, byte >= 0x20 {
      offset += 1
      if byte == UInt8(ascii: "\"") { return try text(content[...]) }
      if byte == UInt8(ascii: "\\") {
        content += try escape()
      } else {
        content.append(byte)
      }
    }
    throw problem("the end of a string")
  }

  private func text(_ content: ArraySlice<UInt8>) throws(HostCodingError) -> String {
    guard let text = String(validating: content, as: UTF8.self) else {
      throw .notJSON("byte \(offset): a string that is not UTF-8")
    }
    return text
  }

  /// What follows a backslash, as UTF-8.
  private mutating func escape() throws(HostCodingError) -> [UInt8] {
    guard let byte = peek else { throw problem("an escape") }
    offset += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0c]
    case UInt8(ascii: "n"): return [0x0a]
    case UInt8(ascii: "r"): return [0x0d]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"):
      var number = try unit()
      if 0xd800...0xdbff ~= number {
        guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
          throw problem("a surrogate")
        }
        let low = try unit()
        guard 0xdc00...0xdfff ~= low else { throw problem("a surrogate") }
        number = 0x10000 + (number - 0xd800) << 10 + (low - 0xdc00)
      }
      guard let scalar = Unicode.Scalar(number) else { throw problem("a character") }
      return Array(String(Character(scalar)).utf8)
    default: throw problem("an escape")
    }
  }

  /// Four hexadecimal digits.
  private mutating func unit() throws(HostCodingError) -> UInt32 {
    var number: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = peek.flatMap({ Character(Unicode.Scalar($0)).hexDigitValue }) else {
        throw problem("four hexadecimal digits")
      }
      number = number << 4 | UInt32(digit)
      offset += 1
    }
    return number
  }

  private mutating func word(_ text: StaticString) throws(HostCodingError) {
    for byte in "\(text)".utf8 {
      guard take(byte) else { throw problem("\(text)") }
    }
  }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 {
      offset += 1
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard peek == byte else { return false }
    offset += 1
    return true
  }

  private var peek: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private func problem(_ expected: String) -> HostCodingError {
    .notJSON("byte \(offset): expected \(expected)")
  }
}
