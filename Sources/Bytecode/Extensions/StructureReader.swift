/// Reads the fields of a C structure of x86-64, one after the other, with the C compiler's gaps.
///
/// Source: `XT_ALIGN`, `linux/netfilter/x_tables.h`: xtables pads every structure to 8 bytes.
struct StructureReader {
  private let bytes: [UInt8]
  private var offset = 0

  /// Begins to read; nil when the bytes are not a structure of that size, padded.
  init?(_ bytes: [UInt8], size: Int) {
    guard bytes.count == (size + 7) & ~7 else { return nil }
    self.bytes = bytes
  }

  /// The next bytes, without a gap.
  mutating func take(_ count: Int) -> ArraySlice<UInt8> {
    precondition(count >= 0 && offset + count <= bytes.count)
    defer { offset += count }
    return bytes[offset..<offset + count]
  }

  /// The next number in host order.
  mutating func take<Number: FixedWidthInteger & UnsignedInteger>(
    _ type: Number.Type = Number.self
  ) -> Number {
    align(MemoryLayout<Number>.size)
    return take(MemoryLayout<Number>.size).reversed().reduce(0) { $0 << 8 | Number($1) }
  }

  /// The next number in network order.
  mutating func takeNetworkOrder() -> UInt16 { take(UInt16.self).byteSwapped }

  /// A number of which every value but zero is true.
  mutating func takeFlag() -> Bool { take(UInt8.self) != 0 }

  /// Text in an array of characters, NUL-terminated; nil when it is not, or not UTF-8.
  mutating func takeText(_ count: Int) -> String? {
    let field = take(count)
    guard let end = field.firstIndex(of: 0) else { return nil }
    return String(validating: field[..<end], as: UTF8.self)
  }

  /// Skips what the kernel keeps for itself.
  mutating func skip(_ count: Int) { offset += count }

  /// Skips to a multiple of `count`.
  mutating func align(_ count: Int) { offset = (offset + count - 1) / count * count }
}
