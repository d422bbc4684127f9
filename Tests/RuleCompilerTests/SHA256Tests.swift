import Testing

@testable import RuleCompiler

@Suite struct SHA256Tests {
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func `the digests of the standard's examples come out`(text: String, expected: String) {
    var hash = SHA256()
    hash.update(text.utf8)
    #expect(hash.hexDigest() == expected)
  }

  @Test func `words and bytes in any mixture hash like the same bytes`() {
    var bytes = SHA256()
    var mixed = SHA256()
    for round in 0..<100 as Range<UInt32> {
      let value = round &* 0x9e37_79b9
      for shift: UInt32 in [24, 16, 8, 0] { bytes.update(UInt8(value >> shift & 0xff)) }
      mixed.update(value)
      if round % 3 == 0 {
        bytes.update(7 as UInt8)
        mixed.update(7 as UInt8)
      }
    }
    #expect(bytes.hexDigest() == mixed.hexDigest())
  }

  @Test func `bytes at once hash like bytes one by one, from any place in a block`() {
    let bytes = (0..<300 as Range<Int>).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    for start in 0..<70 {
      for end in [start, start + 1, start + 63, start + 64, start + 65, 300] {
        var single = SHA256()
        var whole = SHA256()
        for byte in bytes[..<end] { single.update(byte) }
        whole.update(Array(bytes[..<start]).span)
        whole.update(Array(bytes[start..<end]).span)
        #expect(whole.hexDigest() == single.hexDigest())
      }
    }
  }
}
