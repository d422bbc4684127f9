/// Reads strict address spellings from bytes, without allocating and without explaining.
///
/// Every function starts at `position`, stops behind what it read and answers nil for anything
/// else; ``LiteralError`` is found afterwards, on the slow path. That keeps lists of a million
/// prefixes at memory speed.
enum AddressScanner {
  /// The byte at `position`, or 0 at the end.
  @inline(__always)
  static func byte(_ bytes: Span<UInt8>, _ position: Int, _ end: Int) -> UInt8 {
    position < end ? bytes[position] : 0
  }

  /// A decimal number without leading zeros, at most `maximum`.
  @inline(__always)
  static func decimal(
    _ bytes: Span<UInt8>, _ position: inout Int, _ end: Int, maximum: UInt32
  ) -> UInt32? {
    let start = position
    var value: UInt32 = 0
    while position < end, position - start < 6 {
      let digit = bytes[position] &- 0x30
      guard digit <= 9 else { break }
      value = value &* 10 &+ UInt32(digit)
      position += 1
    }
    let count = position - start
    guard count > 0, value <= maximum, count == 1 || bytes[start] != 0x30 else { return nil }
    return value
  }

  /// Four decimal octets with dots between, host order.
  @inline(__always)
  static func v4(_ bytes: Span<UInt8>, _ position: inout Int, _ end: Int) -> UInt32? {
    var value: UInt32 = 0
    for octet in 0..<4 {
      if octet > 0 {
        guard byte(bytes, position, end) == 0x2e else { return nil }
        position += 1
      }
      guard let number = decimal(bytes, &position, end, maximum: 255) else { return nil }
      value = value << 8 | number
    }
    return value
  }

  /// Up to eight groups of one to four hexadecimal digits, one `::` at most, host order.
  static func v6(_ bytes: Span<UInt8>, _ position: inout Int, _ end: Int) -> UInt128? {
    var head: UInt128 = 0
    var tail: UInt128 = 0
    var headCount = 0
    var tailCount = 0
    var isCompressed = false
    if byte(bytes, position, end) == 0x3a {
      guard byte(bytes, position + 1, end) == 0x3a else { return nil }
      isCompressed = true
      position += 2
    }
    while headCount + tailCount < 8 {
      let start = position
      var group: UInt16 = 0
      while position < end, position - start < 5, let digit = hexadecimal(bytes[position]) {
        group = group << 4 | UInt16(digit)
        position += 1
      }
      let count = position - start
      if count == 0 {
        // Only straight behind the `::` may a group be missing.
        guard isCompressed, tailCount == 0 else { return nil }
        break
      }
      guard count <= 4 else { return nil }
      if isCompressed {
        tail = tail << 16 | UInt128(group)
        tailCount += 1
      } else {
        head = head << 16 | UInt128(group)
        headCount += 1
      }
      guard byte(bytes, position, end) == 0x3a else { break }
      if byte(bytes, position + 1, end) == 0x3a {
        guard !isCompressed else { return nil }
        isCompressed = true
        position += 2
      } else {
        guard headCount + tailCount < 8 else { break }
        position += 1
      }
    }
    guard isCompressed else { return headCount == 8 ? head : nil }
    // `::` stands for at least one group.
    guard headCount + tailCount < 8 else { return nil }
    return (headCount == 0 ? 0 : head << UInt128(128 - 16 * headCount)) | tail
  }

  /// An address, a prefix without host bits, or a range `a-b` without spaces.
  @inline(__always)
  static func block(_ bytes: Span<UInt8>, _ position: inout Int, _ end: Int) -> AddressBlock? {
    let start = position
    if let first = v4(bytes, &position, end) {
      return interval(first, bytes, &position, end, second: v4).map { .v4($0) }
    }
    position = start
    guard let first = v6(bytes, &position, end) else { return nil }
    return interval(first, bytes, &position, end, second: v6).map { .v6($0) }
  }

  /// The interval of an address and the `/length` or `-address` behind it.
  @inline(__always)
  private static func interval<Bits: FixedWidthInteger & UnsignedInteger & Sendable>(
    _ first: Bits, _ bytes: Span<UInt8>, _ position: inout Int, _ end: Int,
    second: (Span<UInt8>, inout Int, Int) -> Bits?
  ) -> Interval<Bits>? {
    switch byte(bytes, position, end) {
    case UInt8(ascii: "/"):
      position += 1
      guard let length = decimal(bytes, &position, end, maximum: UInt32(Bits.bitWidth)) else {
        return nil
      }
      let mask: Bits = Prefix.hostMask(Int(length))
      return first & mask == 0 ? Interval(first, first | mask) : nil
    case UInt8(ascii: "-"):
      position += 1
      guard let last = second(bytes, &position, end), first <= last else { return nil }
      return Interval(first, last)
    default:
      return Interval(first, first)
    }
  }

  @inline(__always)
  private static func hexadecimal(_ byte: UInt8) -> UInt8? {
    let digit = byte &- 0x30
    if digit <= 9 { return digit }
    let letter = (byte | 0x20) &- 0x61
    return letter <= 5 ? letter + 10 : nil
  }
}
