/// Decodes a value from a ``JSONTree``, and notes keys that its type does not have.
struct TreeDecoder: Decoder {
  /// The value to decode.
  let tree: JSONTree
  /// How one came to it.
  let codingPath: [any CodingKey]
  /// Where keys that no type has are noted.
  let notes: Notes

  /// Keys that no type has, as paths; items of arrays are `[]`.
  final class Notes {
    /// The paths.
    var unknownKeys: Set<String> = []
  }

  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard case .object(let members) = tree else { throw mismatch(type, "an object") }
    for member in members where Key(stringValue: member.key) == nil {
      if notes.unknownKeys.count < 1000 { notes.unknownKeys.insert(place(of: member.key)) }
    }
    return KeyedDecodingContainer(TreeKeyed<Key>(decoder: self, members: members))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard case .array(let items) = tree else { throw mismatch([JSONTree].self, "an array") }
    return TreeUnkeyed(decoder: self, items: items)
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { TreeSingle(decoder: self) }

  /// A decoder of what is inside.
  func inner(_ tree: JSONTree, _ key: any CodingKey) -> TreeDecoder {
    TreeDecoder(tree: tree, codingPath: codingPath + [key], notes: notes)
  }

  /// The error that something else was expected here.
  func mismatch(_ type: Any.Type, _ expected: String) -> DecodingError {
    .typeMismatch(type, .init(codingPath: codingPath, debugDescription: "expected \(expected)"))
  }

  func bool() throws -> Bool {
    guard case .bool(let value) = tree else { throw mismatch(Bool.self, "true or false") }
    return value
  }

  func string() throws -> String {
    guard case .string(let value) = tree else { throw mismatch(String.self, "a string") }
    return value
  }

  func integer<Number: FixedWidthInteger>(_ type: Number.Type) throws -> Number {
    guard case .number(let isNegative, let magnitude) = tree else {
      throw mismatch(type, "a whole number")
    }
    let value =
      isNegative
      ? Int64(exactly: magnitude).flatMap { Number(exactly: -$0) } : Number(exactly: magnitude)
    guard let value else { throw mismatch(type, "a number from \(type.min) to \(type.max)") }
    return value
  }

  private func place(of key: String) -> String {
    var text = ""
    for step in codingPath {
      if step.intValue != nil {
        text += "[]"
      } else {
        text += text.isEmpty ? step.stringValue : ".\(step.stringValue)"
      }
    }
    return text.isEmpty ? key : "\(text).\(key)"
  }
}

/// The place of an item in an array.
private struct TreeIndex: CodingKey {
  let number: Int
  var intValue: Int? { number }
  var stringValue: String { "\(number)" }

  init(_ number: Int) { self.number = number }
  init?(intValue: Int) { nil }
  init?(stringValue: String) { nil }
}

private struct TreeKeyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let decoder: TreeDecoder
  let members: [(key: String, value: JSONTree)]

  var codingPath: [any CodingKey] { decoder.codingPath }
  var allKeys: [Key] { members.compactMap { Key(stringValue: $0.key) } }

  func contains(_ key: Key) -> Bool { members.contains { $0.key == key.stringValue } }

  private func inner(_ key: Key) throws -> TreeDecoder {
    guard let member = members.first(where: { $0.key == key.stringValue }) else {
      throw DecodingError.keyNotFound(key, .init(codingPath: codingPath, debugDescription: ""))
    }
    return decoder.inner(member.value, key)
  }

  func decodeNil(forKey key: Key) throws -> Bool {
    if case .null = try inner(key).tree { return true }
    return false
  }

  func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try inner(key).bool() }
  func decode(_ type: String.Type, forKey key: Key) throws -> String { try inner(key).string() }
  func decode(_ type: Double.Type, forKey key: Key) throws -> Double {
    throw try inner(key).mismatch(type, "no fraction")
  }
  func decode(_ type: Float.Type, forKey key: Key) throws -> Float {
    throw try inner(key).mismatch(type, "no fraction")
  }
  func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try inner(key).integer(type) }
  func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try inner(key).integer(type) }
  func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try inner(key).integer(type) }
  func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try inner(key).integer(type) }
  func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try inner(key).integer(type) }
  func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try inner(key).integer(type) }
  func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try inner(key).integer(type) }
  func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 {
    try inner(key).integer(type)
  }
  func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 {
    try inner(key).integer(type)
  }
  func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 {
    try inner(key).integer(type)
  }
  func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
    try Value(from: inner(key))
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    try inner(key).container(keyedBy: type)
  }
  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
    try inner(key).unkeyedContainer()
  }
  func superDecoder() throws -> any Decoder { decoder }
  func superDecoder(forKey key: Key) throws -> any Decoder { try inner(key) }
}

private struct TreeUnkeyed: UnkeyedDecodingContainer {
  let decoder: TreeDecoder
  let items: [JSONTree]
  private(set) var currentIndex = 0

  init(decoder: TreeDecoder, items: [JSONTree]) {
    self.decoder = decoder
    self.items = items
  }

  var codingPath: [any CodingKey] { decoder.codingPath }
  var count: Int? { items.count }
  var isAtEnd: Bool { currentIndex >= items.count }

  private mutating func next() throws -> TreeDecoder {
    guard !isAtEnd else { throw decoder.mismatch([JSONTree].self, "more items") }
    defer { currentIndex += 1 }
    return decoder.inner(items[currentIndex], TreeIndex(currentIndex))
  }

  mutating func decodeNil() throws -> Bool {
    guard !isAtEnd, case .null = items[currentIndex] else { return false }
    currentIndex += 1
    return true
  }

  mutating func decode(_ type: Bool.Type) throws -> Bool { try next().bool() }
  mutating func decode(_ type: String.Type) throws -> String { try next().string() }
  mutating func decode(_ type: Double.Type) throws -> Double {
    throw try next().mismatch(type, "no fraction")
  }
  mutating func decode(_ type: Float.Type) throws -> Float {
    throw try next().mismatch(type, "no fraction")
  }
  mutating func decode(_ type: Int.Type) throws -> Int { try next().integer(type) }
  mutating func decode(_ type: Int8.Type) throws -> Int8 { try next().integer(type) }
  mutating func decode(_ type: Int16.Type) throws -> Int16 { try next().integer(type) }
  mutating func decode(_ type: Int32.Type) throws -> Int32 { try next().integer(type) }
  mutating func decode(_ type: Int64.Type) throws -> Int64 { try next().integer(type) }
  mutating func decode(_ type: UInt.Type) throws -> UInt { try next().integer(type) }
  mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try next().integer(type) }
  mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try next().integer(type) }
  mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try next().integer(type) }
  mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try next().integer(type) }
  mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try Value(from: next())
  }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type
  ) throws -> KeyedDecodingContainer<Nested> {
    try next().container(keyedBy: type)
  }
  mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
    try next().unkeyedContainer()
  }
  mutating func superDecoder() throws -> any Decoder { try next() }
}

private struct TreeSingle: SingleValueDecodingContainer {
  let decoder: TreeDecoder

  var codingPath: [any CodingKey] { decoder.codingPath }

  func decodeNil() -> Bool {
    if case .null = decoder.tree { return true }
    return false
  }

  func decode(_ type: Bool.Type) throws -> Bool { try decoder.bool() }
  func decode(_ type: String.Type) throws -> String { try decoder.string() }
  func decode(_ type: Double.Type) throws -> Double {
    throw decoder.mismatch(type, "no fraction")
  }
  func decode(_ type: Float.Type) throws -> Float { throw decoder.mismatch(type, "no fraction") }
  func decode(_ type: Int.Type) throws -> Int { try decoder.integer(type) }
  func decode(_ type: Int8.Type) throws -> Int8 { try decoder.integer(type) }
  func decode(_ type: Int16.Type) throws -> Int16 { try decoder.integer(type) }
  func decode(_ type: Int32.Type) throws -> Int32 { try decoder.integer(type) }
  func decode(_ type: Int64.Type) throws -> Int64 { try decoder.integer(type) }
  func decode(_ type: UInt.Type) throws -> UInt { try decoder.integer(type) }
  func decode(_ type: UInt8.Type) throws -> UInt8 { try decoder.integer(type) }
  func decode(_ type: UInt16.Type) throws -> UInt16 { try decoder.integer(type) }
  func decode(_ type: UInt32.Type) throws -> UInt32 { try decoder.integer(type) }
  func decode(_ type: UInt64.Type) throws -> UInt64 { try decoder.integer(type) }
  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try Value(from: decoder) }
}
