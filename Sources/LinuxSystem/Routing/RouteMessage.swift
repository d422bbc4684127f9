import CLinux

/// One rtnetlink request under construction: header, fixed part, attributes.
///
/// Numbers go in as the machine stores them, except where a method says otherwise.
/// Source: `struct nlmsghdr` and `struct nlattr`, `linux/netlink.h`.
struct RouteMessage {
  /// The bytes so far; a multiple of 4 between two attributes.
  private(set) var bytes: [UInt8]

  /// Starts with the header, 16 bytes; its length is filled in by ``finished()``.
  init(type: Int, flags: Int32, sequence: UInt32) {
    bytes = [0, 0, 0, 0]
    append(UInt16(type))
    append(UInt16(flags | NLM_F_REQUEST))
    append(sequence)
    append(UInt32(0))
  }

  /// Appends a number of the fixed part.
  mutating func append(_ number: some FixedWidthInteger) {
    for shift in stride(from: 0, to: number.bitWidth, by: 8) {
      #if _endian(little)
        bytes.append(UInt8(truncatingIfNeeded: number >> shift))
      #else
        bytes.append(UInt8(truncatingIfNeeded: number >> (number.bitWidth - 8 - shift)))
      #endif
    }
  }

  /// Appends an attribute and pads it to 4 bytes.
  mutating func attribute(_ type: Int, _ payload: [UInt8]) {
    nested(type) { $0.bytes += payload }
  }

  /// Appends a text attribute with its final zero byte.
  mutating func attribute(_ type: Int, text: String) { attribute(type, Array(text.utf8) + [0]) }

  /// Appends a number attribute.
  mutating func attribute(_ type: Int, number: some FixedWidthInteger) {
    nested(type) { $0.append(number) }
  }

  /// Appends an attribute whose payload `body` writes.
  mutating func nested(_ type: Int, _ body: (inout RouteMessage) -> Void) {
    let start = bytes.count
    append(UInt16(0))
    append(UInt16(type))
    body(&self)
    setLength(UInt16(bytes.count - start), at: start)
    while !bytes.count.isMultiple(of: 4) { bytes.append(0) }
  }

  /// The whole message with its length in place.
  consuming func finished() -> [UInt8] {
    setLength(UInt32(bytes.count), at: 0)
    return bytes
  }

  private mutating func setLength(_ length: some FixedWidthInteger, at offset: Int) {
    let tail = Array(bytes[offset...])
    bytes.removeSubrange(offset...)
    append(length)
    bytes += tail.dropFirst(length.bitWidth / 8)
  }
}
