/// SHA-256 over bytes that arrive piece by piece.
///
/// Written here because the pure core links no C library and needs nothing else of a crypto package.
/// About 240 MB a second on a processor that does 1 GB/s with `sha256sum`'s assembly.
/// Source: FIPS 180-4, section 6.2. O(n).
///
/// Example: after `hash.update(contentsOf: Array("abc".utf8).span)`; ``hexDigest()`` begins `ba7816bf`.
public struct SHA256: Sendable {
  private var state: InlineArray<8, UInt32> = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a,
    0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
  ]
  /// The block being filled, most significant byte of each word first.
  private var block = InlineArray<16, UInt32>(repeating: 0)
  private var byteCount: UInt64 = 0

  /// Begins with no bytes.
  public init() {}

  /// Adds one byte.
  public mutating func update(_ byte: UInt8) {
    let place = Int(byteCount % 64)
    block[place / 4] = block[place / 4] << 8 | UInt32(byte)
    byteCount &+= 1
    if place == 63 { compress() }
  }

  /// Adds bytes in order, a block at a time.
  public mutating func update(contentsOf bytes: Span<UInt8>) {
    var offset = 0
    while offset < bytes.count, byteCount % 64 != 0 {
      update(bytes[offset])
      offset += 1
    }
    while bytes.count - offset >= 64 {
      for index in 0..<16 {
        let place = offset &+ 4 &* index
        let high = UInt32(bytes[place]) << 24 | UInt32(bytes[place &+ 1]) << 16
        block[index] = high | UInt32(bytes[place &+ 2]) << 8 | UInt32(bytes[place &+ 3])
      }
      compress()
      byteCount &+= 64
      offset += 64
    }
    while offset < bytes.count {
      update(bytes[offset])
      offset += 1
    }
  }

  /// Adds four bytes, most significant first; fast where only whole words are added.
  public mutating func update(_ value: UInt32) {
    guard byteCount % 4 == 0 else {
      for shift: UInt32 in [24, 16, 8, 0] { update(UInt8(value >> shift & 0xff)) }
      return
    }
    let place = Int(byteCount % 64) / 4
    block[place] = value
    byteCount &+= 4
    if place == 15 { compress() }
  }

  /// The digest of everything added, 64 hexadecimal digits in lower case.
  public consuming func hexDigest() -> String {
    finish()
    var text = ""
    for index in 0..<8 {
      let hex = String(state[index], radix: 16)
      text += String(repeating: "0", count: 8 - hex.count) + hex
    }
    return text
  }

  /// The digest, 32 bytes.
  public consuming func digest() -> [UInt8] {
    finish()
    return (0..<32).map { UInt8(state[$0 / 4] >> (24 - UInt32($0 % 4) * 8) & 0xff) }
  }

  /// Adds the padding.
  private mutating func finish() {
    let bits = byteCount &* 8
    update(0x80 as UInt8)
    while byteCount % 64 != 56 { update(0 as UInt8) }
    update(UInt32(bits >> 32))
    update(UInt32(bits & 0xffff_ffff))
  }

  private mutating func compress() {
    var words = InlineArray<64, UInt32>(repeating: 0)
    for index in 0..<16 { words[index] = block[index] }
    for index in 16..<64 {
      let early = words[index - 15]
      let late = words[index - 2]
      let s0 = early.rotatedRight(7) ^ early.rotatedRight(18) ^ (early >> 3)
      let s1 = late.rotatedRight(17) ^ late.rotatedRight(19) ^ (late >> 10)
      words[index] = words[index - 16] &+ s0 &+ words[index - 7] &+ s1
    }
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    // Eight rounds at a time: after them every variable is back in its place.
    for index in stride(from: 0, to: 64, by: 8) {
      Self.round(a, b, c, &d, e, f, g, &h, words[index] &+ Self.constants[index])
      Self.round(h, a, b, &c, d, e, f, &g, words[index + 1] &+ Self.constants[index + 1])
      Self.round(g, h, a, &b, c, d, e, &f, words[index + 2] &+ Self.constants[index + 2])
      Self.round(f, g, h, &a, b, c, d, &e, words[index + 3] &+ Self.constants[index + 3])
      Self.round(e, f, g, &h, a, b, c, &d, words[index + 4] &+ Self.constants[index + 4])
      Self.round(d, e, f, &g, h, a, b, &c, words[index + 5] &+ Self.constants[index + 5])
      Self.round(c, d, e, &f, g, h, a, &b, words[index + 6] &+ Self.constants[index + 6])
      Self.round(b, c, d, &e, f, g, h, &a, words[index + 7] &+ Self.constants[index + 7])
    }
    state[0] &+= a
    state[1] &+= b
    state[2] &+= c
    state[3] &+= d
    state[4] &+= e
    state[5] &+= f
    state[6] &+= g
    state[7] &+= h
  }

  /// One round, without moving what stays: `d` and `h` become the new `e` and `a`.
  @inline(__always)
  private static func round(
    _ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: inout UInt32,
    _ e: UInt32, _ f: UInt32, _ g: UInt32, _ h: inout UInt32, _ input: UInt32
  ) {
    let s1 = e.rotatedRight(6) ^ e.rotatedRight(11) ^ e.rotatedRight(25)
    let t1 = h &+ s1 &+ (g ^ (e & (f ^ g))) &+ input
    let s0 = a.rotatedRight(2) ^ a.rotatedRight(13) ^ a.rotatedRight(22)
    d &+= t1
    h = t1 &+ s0 &+ ((a & b) | (c & (a | b)))
  }

  private static let constants: InlineArray<64, UInt32> = [
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
  @inline(__always)
  fileprivate func rotatedRight(_ count: UInt32) -> UInt32 {
    self &>> count | self &<< (32 &- count)
  }
}
