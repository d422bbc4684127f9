import Hashing
import Testing

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
    hash.update(contentsOf: Array(text.utf8).span)
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

  @Test(arguments: [0, 1, 55, 56, 63, 64, 65, 127, 128, 1000])
  func `a span hashes like its bytes one by one, wherever it begins in a block`(length: Int) {
    let bytes = (0..<length).map { UInt8($0 & 0xff) }
    for lead in [0, 1, 63, 64] {
      var slow = SHA256()
      var fast = SHA256()
      for _ in 0..<lead {
        slow.update(1 as UInt8)
        fast.update(1 as UInt8)
      }
      for byte in bytes { slow.update(byte) }
      fast.update(contentsOf: bytes.span)
      #expect(slow.hexDigest() == fast.hexDigest())
    }
  }
}
