/// A growing piece of ASCII text.
///
/// One array for the whole output keeps sets of a hundred thousand elements cheap.
struct TextBuffer {
  private(set) var bytes: [UInt8] = []

  var string: String { String(decoding: bytes, as: UTF8.self) }

  mutating func put(_ text: String) { bytes.append(contentsOf: text.utf8) }

  mutating func put(byte: UInt8) { bytes.append(byte) }

  mutating func put(decimal value: some FixedWidthInteger & UnsignedInteger) {
    if value >= 10 { put(decimal: value / 10) }
    bytes.append(UInt8(value % 10) + 0x30)
  }

  /// Lower-case hexadecimal, padded with zeros to `width` digits.
  mutating func put(hex value: some FixedWidthInteger & UnsignedInteger, width: Int = 1) {
    if value >= 16 || width > 1 { put(hex: value >> 4, width: width - 1) }
    let digit = UInt8(value & 0xf)
    bytes.append(digit < 10 ? digit + 0x30 : digit + 0x57)
  }

  mutating func put(ipv4 address: UInt32) {
    for shift: UInt32 in [24, 16, 8, 0] {
      put(decimal: address >> shift & 0xff)
      if shift > 0 { bytes.append(0x2e) }
    }
  }

  /// The spelling of glibc's `inet_ntop`: the longest run of zero groups becomes `::`, addresses
  /// of the form `::a.b.c.d` and `::ffff:a.b.c.d` end in a dotted quad.
  mutating func put(ipv6 address: UInt128) {
    func group(_ index: Int) -> UInt16 {
      UInt16(address >> UInt128(112 - 16 * index) & 0xffff)
    }
    var run = 0..<0
    var index = 0
    while index < 8 {
      var end = index
      while end < 8 && group(end) == 0 { end += 1 }
      if end - index > max(run.count, 1) { run = index..<end }
      index = max(end, index + 1)
    }
    let isMapped = run == 0..<5 && group(5) == 0xffff
    if run == 0..<6 || isMapped {
      put(isMapped ? "::ffff:" : "::")
      put(ipv4: UInt32(address & 0xffff_ffff))
      return
    }
    index = 0
    while index < 8 {
      if index == run.lowerBound && !run.isEmpty {
        put("::")
        index = run.upperBound
        continue
      }
      if index > 0 && index != run.upperBound || index > 0 && run.isEmpty { bytes.append(0x3a) }
      put(hex: group(index))
      index += 1
    }
  }
}
