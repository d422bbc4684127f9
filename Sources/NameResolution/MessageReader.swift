/// The message does not follow RFC 1035.
struct MalformedMessage: Error {}

/// Reads the fields of a DNS message in order, never past its end.
struct MessageReader {
  let bytes: [UInt8]
  private(set) var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func byte() throws(MalformedMessage) -> UInt8 {
    guard position < bytes.count else { throw MalformedMessage() }
    defer { position += 1 }
    return bytes[position]
  }

  mutating func number16() throws(MalformedMessage) -> UInt16 {
    let high = UInt16(try byte())
    return high << 8 | UInt16(try byte())
  }

  mutating func number32() throws(MalformedMessage) -> UInt32 {
    let high = UInt32(try number16())
    return high << 16 | UInt32(try number16())
  }

  mutating func data(_ count: Int) throws(MalformedMessage) -> ArraySlice<UInt8> {
    guard count <= bytes.count - position else { throw MalformedMessage() }
    defer { position += count }
    return bytes[position..<position + count]
  }

  /// A name, following compression pointers; the position ends behind the name's own bytes.
  ///
  /// A pointer must lead before the piece it stands in, so the walk ends. At most 255 bytes of
  /// labels in all. Source: RFC 1035 sections 3.1 and 4.1.4.
  mutating func name() throws(MalformedMessage) -> DomainName {
    var labels: [[UInt8]] = []
    var length = 1
    var pieceStart = position
    var resume: Int?
    while true {
      let head = try byte()
      switch head >> 6 {
      case 0:
        if head == 0 {
          if let resume { position = resume }
          return DomainName(labels: labels)
        }
        length += Int(head) + 1
        guard length <= 255 else { throw MalformedMessage() }
        labels.append(Array(try data(Int(head))))
      case 3:
        let target = Int(head & 0x3f) << 8 | Int(try byte())
        guard target < pieceStart else { throw MalformedMessage() }
        resume = resume ?? position
        position = target
        pieceStart = target
      default:
        throw MalformedMessage()
      }
    }
  }
}
