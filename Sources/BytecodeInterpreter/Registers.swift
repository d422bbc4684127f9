/// The 16 data words of nf_tables' register file.
///
/// A word holds its 4 bytes with the first one most significant, so that comparing numbers is
/// comparing bytes.
struct Registers: ~Copyable {
  private var words = InlineArray<16, UInt32>(repeating: 0)

  subscript(word: Int) -> UInt32 {
    get { words[word] }
    set { words[word] = newValue }
  }

  /// `length` bytes from `word` as one number, the first byte most significant; 1…16 bytes.
  func number(_ word: Int, _ length: Int) -> UInt128 {
    var value: UInt128 = 0
    let count = (length + 3) / 4
    for index in 0..<count { value = value << 32 | UInt128(words[word + index]) }
    return value >> UInt128(count * 32 - length * 8)
  }

  /// `length` bytes from `word`.
  func bytes(_ word: Int, _ length: Int) -> [UInt8] {
    (0..<length).map { UInt8(words[word + $0 / 4] >> UInt32(24 - $0 % 4 * 8) & 0xff) }
  }

  /// Stores `length` packet bytes; the rest of the last word becomes zero.
  mutating func store(_ bytes: Span<UInt8>, _ offset: Int, _ length: Int, into word: Int) {
    var word = word
    var index = 0
    while index < length {
      var value: UInt32 = 0
      for byte in 0..<4 {
        let at = index + byte
        value = value << 8 | (at < length ? UInt32(bytes[offset + at]) : 0)
      }
      words[word] = value
      word += 1
      index += 4
    }
  }

  /// Stores a number of 4 bytes in host order.
  mutating func store(hostOrder value: UInt32, into word: Int) { words[word] = value.byteSwapped }

  /// Stores one byte.
  mutating func store(byte value: UInt8, into word: Int) { words[word] = UInt32(value) << 24 }
}
