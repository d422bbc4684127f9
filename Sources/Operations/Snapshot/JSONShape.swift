/// Which keys a JSON text has, wherever their values lie in arrays.
///
/// Foundation's decoder takes one of two equal keys and skips the ones that it does not know. A
/// snapshot that says two things at once is refused here, and what is unknown is named.
struct JSONShape {
  /// The deepest nesting: a state needs nine.
  static let depthLimit = 24
  /// The most keys in one object.
  static let keyLimit = 256
  /// The longest key in bytes.
  static let keyLengthLimit = 128
  /// The most different paths.
  static let pathLimit = 4096

  /// The paths of all keys whose value is not null: `state.links.known[].name`.
  private(set) var paths: Set<String> = []

  private let bytes: [UInt8]
  private var offset = 0
  private var steps: [Step: Int] = [:]
  private var names: [String] = [""]
  private var isPresent: [Bool] = [false]

  private struct Step: Hashable {
    var parent: Int
    var key: [UInt8]
  }

  /// Looks at a whole text, which must be one object.
  ///
  /// O(n).
  init(_ bytes: [UInt8]) throws(HostCodingError) {
    self.bytes = bytes
    skipSpace()
    guard peek() == UInt8(ascii: "{") else { throw .notJSON("not an object") }
    try value(0, depth: 0)
    skipSpace()
    guard offset == bytes.count else { throw problem("nothing more") }
    for (index, name) in names.enumerated() where isPresent[index] { paths.insert(name) }
  }

  /// Reads a value at the path of that number.
  private mutating func value(_ path: Int, depth: Int) throws(HostCodingError) {
    guard depth <= JSONShape.depthLimit else { throw .tooDeep(offset: offset) }
    skipSpace()
    let first = peek()
    if first != UInt8(ascii: "n") { isPresent[path] = path != 0 }
    switch first {
    case UInt8(ascii: "{"): try object(path, depth: depth)
    case UInt8(ascii: "["): try array(path, depth: depth)
    case UInt8(ascii: "\""): _ = try string()
    case UInt8(ascii: "t"): try word("true")
    case UInt8(ascii: "f"): try word("false")
    case UInt8(ascii: "n"): try word("null")
    default: try number(at: path)
    }
  }

  private mutating func object(_ path: Int, depth: Int) throws(HostCodingError) {
    offset += 1
    skipSpace()
    if peek() == UInt8(ascii: "}") { return offset += 1 }
    var seen: [Int] = []
    while true {
      skipSpace()
      let key = try string()
      // An escape could spell a key in a second way.
      guard key.count <= JSONShape.keyLengthLimit, names.count <= JSONShape.pathLimit,
        key.allSatisfy({ 0x20...0x7e ~= $0 && $0 != UInt8(ascii: "\\") })
      else { throw problem("a short key of plain ASCII") }
      let child = number(Step(parent: path, key: Array(key)))
      guard !seen.contains(child) else { throw .duplicateKey(names[child]) }
      seen.append(child)
      guard seen.count <= JSONShape.keyLimit else { throw problem("so many keys") }
      skipSpace()
      guard peek() == UInt8(ascii: ":") else { throw problem("a colon") }
      offset += 1
      try value(child, depth: depth + 1)
      skipSpace()
      defer { offset += 1 }
      switch peek() {
      case UInt8(ascii: ","): continue
      case UInt8(ascii: "}"): return
      default: throw problem("a comma or the end of the object")
      }
    }
  }

  private mutating func array(_ path: Int, depth: Int) throws(HostCodingError) {
    offset += 1
    skipSpace()
    if peek() == UInt8(ascii: "]") { return offset += 1 }
    let item = number(Step(parent: path, key: []))
    while true {
      try value(item, depth: depth + 1)
      skipSpace()
      defer { offset += 1 }
      switch peek() {
      case UInt8(ascii: ","): continue
      case UInt8(ascii: "]"): return
      default: throw problem("a comma or the end of the array")
      }
    }
  }

  /// The number of a path; an empty key is the items of an array.
  private mutating func number(_ step: Step) -> Int {
    if let found = steps[step] { return found }
    let parent = names[step.parent]
    let key = String(decoding: step.key, as: UTF8.self)
    names.append(step.key.isEmpty ? parent + "[]" : parent.isEmpty ? key : "\(parent).\(key)")
    isPresent.append(false)
    steps[step] = names.count - 1
    return names.count - 1
  }

  private mutating func string() throws(HostCodingError) -> ArraySlice<UInt8> {
    guard peek() == UInt8(ascii: "\"") else { throw problem("a string") }
    let start = offset + 1
    offset = start
    while let byte = peek(), byte != UInt8(ascii: "\"") {
      offset += byte == UInt8(ascii: "\\") ? 2 : 1
    }
    guard offset < bytes.count else { throw problem("the end of a string") }
    offset += 1
    return bytes[start..<offset - 1]
  }

  /// Every number of a state is whole, and none needs more than 64 bits.
  private mutating func number(at path: Int) throws(HostCodingError) {
    let start = offset
    while let byte = peek(), 0x30...0x39 ~= byte || "+-.eE".utf8.contains(byte) { offset += 1 }
    guard offset > start else { throw problem("a value") }
    let text = String(decoding: bytes[start..<offset].prefix(32), as: UTF8.self)
    guard Int64(text) != nil || UInt64(text) != nil else {
      throw .value("\(names[path]): \(text) is no whole number of 64 bits")
    }
  }

  private mutating func word(_ text: String) throws(HostCodingError) {
    guard bytes[offset...].starts(with: text.utf8) else { throw problem(text) }
    offset += text.utf8.count
  }

  private mutating func skipSpace() {
    while let byte = peek(), [0x20, 0x0a, 0x0d, 0x09].contains(byte) { offset += 1 }
  }

  private func peek() -> UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private func problem(_ expected: String) -> HostCodingError {
    .notJSON("byte \(min(offset, bytes.count)): expected \(expected)")
  }
}
