/// SHA-256 over bytes that arrive piece by piece.
///
/// Written here because the pure core links no C library and needs nothing else of a crypto package.
/// Source: FIPS 180-4, section 6.2. O(n).
struct SHA256 {
  private var state: [UInt32] = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a,
    0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
  ]
  private var schedule = [UInt32](repeating: 0, count: 64)
  private var filled = 0
  private var word: UInt32 = 0
  private var byteCount: UInt64 = 0

  /// Adds one byte.
  mutating func update(_ byte: UInt8) {
    word = word << 8 | UInt32(byte)
    byteCount &+= 1
    if byteCount % 4 == 0 { append(word) }
  }

  /// Adds bytes in order.
  mutating func update(_ bytes: some Sequence<UInt8>) { for byte in bytes { update(byte) } }

  /// Adds four bytes, most significant first; fast where only whole words are added.
  mutating func update(_ value: UInt32) {
    if byteCount % 4 == 0 {
      byteCount &+= 4
      append(value)
    } else {
      for shift: UInt32 in [24, 16, 8, 0] { update(UInt8(value >> shift & 0xff)) }
    }
  }

  /// The digest of everything added, 64 hexadecimal digits.
  consuming func hexDigest() -> String {
    let bits = byteCount &* 8
    update(0x80 as UInt8)
    while byteCount % 64 != 56 { update(0 as UInt8) }
    update(UInt32(bits >> 32))
    update(UInt32(bits & 0xffff_ffff))
    return state.map { word in
      let hex = String(word, radix: 16)
      return String(repeating: "0", count: 8 - hex.count) + hex
    }.joined()
  }

  private mutating func append(_ value: UInt32) {
    schedule[filled] = value
    filled += 1
    guard filled == 16 else { return }
    filled = 0
    compress()
  }

  private mutating func compress() {
    for index in 16..<64 {
      let a = schedule[index - 15]
      let b = schedule[index - 2]
      let s0 = a.rotatedRight(7) ^ a.rotatedRight(18) ^ (a >> 3)
      let s1 = b.rotatedRight(17) ^ b.rotatedRight(19) ^ (b >> 10)
      schedule[index] = schedule[index - 16] &+ s0 &+ schedule[index - 7] &+ s1
    }
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    for index in 0..<64 {
      let s1 = e.rotatedRight(6) ^ e.rotatedRight(11) ^ e.rotatedRight(25)
      let choice = (e & f) ^ (~e & g)
      let t1 = h &+ s1 &+ choice &+ Self.constants[index] &+ schedule[index]
      let s0 = a.rotatedRight(2) ^ a.rotatedRight(13) ^ a.rotatedRight(22)
      let t2 = s0 &+ ((a & b) ^ (a & c) ^ (b & c))
      (h, g, f, e, d, c, b, a) = (g, f, e, d &+ t1, c, b, a, t1 &+ t2)
    }
    for (index, value) in [a, b, c, d, e, f, g, h].enumerated() { state[index] &+= value }
  }

  /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
  private static let constants: [UInt32] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5,
    0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3,
    0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc,
    0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7,
    0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13,
    0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3,
    0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5,
    0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208,
    0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
  ]
}

extension UInt32 {
  fileprivate func rotatedRight(_ count: UInt32) -> UInt32 {
    self >> count | self << (32 - count)
  }
}
