/// One netlink attribute inside a message: its type and where its payload lies.
///
/// Source: `struct nlattr`, `linux/netlink.h`.
struct Attribute {
  /// The type without the nested and byte-order bits.
  var type: UInt16
  /// The payload, as offsets into the message's bytes.
  var payload: Range<Int>
}

/// What is wrong with the shape of a message.
struct MalformedAttribute: Error {
  var place: String
}

extension Span<UInt8> {
  /// Visits the attributes in `range`, in order.
  ///
  /// - Throws: ``MalformedAttribute`` when a length does not fit; whatever `body` throws.
  func forEachAttribute(
    in range: Range<Int>, _ body: (Attribute) throws(MalformedAttribute) -> Void
  ) throws(MalformedAttribute) {
    var offset = range.lowerBound
    while offset < range.upperBound {
      guard let attribute = attribute(at: offset, end: range.upperBound) else {
        throw MalformedAttribute(place: "attribute at byte \(offset)")
      }
      try body(attribute)
      offset = attribute.payload.lowerBound - 4 + (attribute.payload.count + 4 + 3) / 4 * 4
    }
  }

  /// The attribute whose header is at `offset`; nil when it does not fit before `end`.
  func attribute(at offset: Int, end: Int) -> Attribute? {
    guard offset + 4 <= end else { return nil }
    let length = Int(self[offset]) | Int(self[offset + 1]) << 8
    let type = (UInt16(self[offset + 2]) | UInt16(self[offset + 3]) << 8) & 0x3fff
    guard length >= 4, offset + length <= end else { return nil }
    return Attribute(type: type, payload: offset + 4..<offset + length)
  }

  /// A number in network order; nil when the attribute is missing or has another length.
  func uint32(_ range: Range<Int>?) -> UInt32? {
    guard let range, range.count == 4 else { return nil }
    return range.reduce(0) { $0 << 8 | UInt32(self[$1]) }
  }

  /// A number in network order; nil when the attribute is missing or has another length.
  func uint16(_ range: Range<Int>?) -> UInt16? {
    guard let range, range.count == 2 else { return nil }
    return UInt16(self[range.lowerBound]) << 8 | UInt16(self[range.lowerBound + 1])
  }

  /// A number in network order; nil when the attribute is missing or has another length.
  func uint64(_ range: Range<Int>?) -> UInt64? {
    guard let range, range.count == 8 else { return nil }
    return range.reduce(0) { $0 << 8 | UInt64(self[$1]) }
  }

  /// One byte; nil when the attribute is missing or has another length.
  func byte(_ range: Range<Int>?) -> UInt8? {
    guard let range, range.count == 1 else { return nil }
    return self[range.lowerBound]
  }

  /// The bytes of a range.
  func bytes(_ range: Range<Int>) -> [UInt8] {
    // Safe because the span checks the range and the pointer does not leave the closure.
    unsafe extracting(range).withUnsafeBufferPointer { unsafe Array($0) }
  }

  /// A NUL-terminated name; nil when missing, empty or not UTF-8.
  func name(_ range: Range<Int>?) -> String? {
    guard let range, range.count > 1, self[range.upperBound - 1] == 0 else { return nil }
    for index in range.dropLast() where self[index] == 0 { return nil }
    let text = extracting(range.lowerBound..<range.upperBound - 1)
    guard let checked = try? UTF8Span(validating: text) else { return nil }
    return String(copying: checked)
  }

  /// The bytes of a nested `NFTA_DATA_VALUE`.
  func dataValue(_ range: Range<Int>?) -> [UInt8]? {
    guard let range, let value = attribute(at: range.lowerBound, end: range.upperBound),
      value.type == 1, (value.payload.upperBound + 3) / 4 * 4 >= range.upperBound
    else { return nil }
    return bytes(value.payload)
  }
}

/// The attributes of one nest by number, and whether there were any beyond those asked for.
///
/// Kept inline: one of these is made for every nest of every rule.
struct AttributeFields {
  /// No nest of nf_tables that is read has attributes beyond this number.
  private static let capacity = 24
  private var starts = InlineArray<24, UInt32>(repeating: 0)
  private var lengths = InlineArray<24, UInt16>(repeating: 0)
  /// Bit n for attribute n.
  private var present: UInt32 = 0
  /// Attributes that the reader did not name.
  private(set) var unknown: [Attribute] = []

  /// Collects the attributes of a nest; numbers above `last` and repetitions count as unknown.
  init(_ message: Span<UInt8>, _ range: Range<Int>, last: Int) throws(MalformedAttribute) {
    precondition(last < AttributeFields.capacity)
    var offset = range.lowerBound
    while offset < range.upperBound {
      guard let attribute = message.attribute(at: offset, end: range.upperBound) else {
        throw MalformedAttribute(place: "attribute at byte \(offset)")
      }
      let type = Int(attribute.type)
      if type <= last, present & (1 << UInt32(type)) == 0 {
        present |= 1 << UInt32(type)
        starts[type] = UInt32(attribute.payload.lowerBound)
        lengths[type] = UInt16(attribute.payload.count)
      } else {
        unknown.append(attribute)
      }
      offset += (attribute.payload.count + 4 + 3) / 4 * 4
    }
  }

  /// The payload of an attribute.
  subscript(_ type: Int) -> Range<Int>? {
    guard present & (1 << UInt32(type)) != 0 else { return nil }
    let start = Int(starts[type])
    return start..<start + Int(lengths[type])
  }

  /// The payload of an attribute.
  subscript(_ number: some AttributeNumber) -> Range<Int>? { self[Int(number.rawValue)] }

  /// Whether every attribute present is among these.
  func holdsOnly(numbers: Int...) -> Bool {
    let allowed = numbers.reduce(UInt32(0)) { $0 | 1 << UInt32($1) }
    return unknown.isEmpty && present & ~allowed == 0
  }

  /// Whether every attribute present is among these.
  func holdsOnly<Number: AttributeNumber>(_ numbers: Number...) -> Bool {
    let allowed = numbers.reduce(UInt32(0)) { $0 | 1 << $1.rawValue }
    return unknown.isEmpty && present & ~allowed == 0
  }
}
