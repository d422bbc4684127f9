/// Bob Jenkins's hash as the kernel has it.
///
/// Source: `jhash`, `include/linux/jhash.h`; `reciprocal_scale`, `include/linux/math.h`.
enum JenkinsHash {
  /// The hash of bytes, for a little-endian machine.
  ///
  /// O(n).
  static func hash(_ bytes: [UInt8], seed: UInt32) -> UInt32 {
    let start = 0xdead_beef &+ UInt32(bytes.count) &+ seed
    var (a, b, c) = (start, start, start)
    var rest = bytes[...]
    while rest.count > 12 {
      a &+= word(rest, 0)
      b &+= word(rest, 4)
      c &+= word(rest, 8)
      mix(&a, &b, &c)
      rest = rest.dropFirst(12)
    }
    guard !rest.isEmpty else { return c }
    a &+= word(rest, 0)
    b &+= word(rest, 4)
    c &+= word(rest, 8)
    finish(&a, &b, &c)
    return c
  }

  /// A hash brought into `0..<modulus`.
  static func scale(_ hash: UInt32, _ modulus: UInt32) -> UInt32 {
    UInt32((UInt64(hash) * UInt64(modulus)) >> 32)
  }

  /// Up to 4 bytes from an offset, the first one least significant; missing ones are zero.
  private static func word(_ bytes: ArraySlice<UInt8>, _ offset: Int) -> UInt32 {
    bytes.dropFirst(offset).prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  private static func rotate(_ value: UInt32, _ bits: UInt32) -> UInt32 {
    value << bits | value >> (32 - bits)
  }

  private static func mix(_ a: inout UInt32, _ b: inout UInt32, _ c: inout UInt32) {
    a = a &- c ^ rotate(c, 4)
    c &+= b
    b = b &- a ^ rotate(a, 6)
    a &+= c
    c = c &- b ^ rotate(b, 8)
    b &+= a
    a = a &- c ^ rotate(c, 16)
    c &+= b
    b = b &- a ^ rotate(a, 19)
    a &+= c
    c = c &- b ^ rotate(b, 4)
    b &+= a
  }

  private static func finish(_ a: inout UInt32, _ b: inout UInt32, _ c: inout UInt32) {
    c = (c ^ b) &- rotate(b, 14)
    a = (a ^ c) &- rotate(c, 11)
    b = (b ^ a) &- rotate(a, 25)
    c = (c ^ b) &- rotate(b, 16)
    a = (a ^ c) &- rotate(c, 4)
    b = (b ^ a) &- rotate(a, 14)
    c = (c ^ b) &- rotate(b, 24)
  }
}
