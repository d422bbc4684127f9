import NetworkTypes
import SeededRandom
import Testing

@Suite struct AddressBlockTests {
  @Test(arguments: [
    ("192.0.2.1", "192.0.2.1", "192.0.2.1"), ("10.0.0.0/8", "10.0.0.0", "10.255.255.255"),
    ("0.0.0.0/0", "0.0.0.0", "255.255.255.255"), ("192.0.2.1/32", "192.0.2.1", "192.0.2.1"),
    ("::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2001:db8::/127", "2001:db8::", "2001:db8::1"),
    ("192.0.2.5 - 192.0.2.77", "192.0.2.5", "192.0.2.77"),
    ("192.0.2.5-192.0.2.5", "192.0.2.5", "192.0.2.5"), ("::1\t-  ::9", "::1", "::9"),
  ])
  func `an address, a prefix or a range is read`(
    text: String, first: String, last: String
  ) throws {
    let block = try AddressBlock(strict: text)
    #expect(block.first.description == first)
    #expect(block.last.description == last)
  }

  @Test(arguments: [
    ("10.0.0.1/8", LiteralError.hostBits("10.0.0.1/8", meant: "10.0.0.0/8")),
    ("2001:db8::1/32", .hostBits("2001:db8::1/32", meant: "2001:db8::/32")),
    ("255.255.255.255/0", .hostBits("255.255.255.255/0", meant: "0.0.0.0/0")),
    ("10.0.0.0/33", .prefixLength("33", maximum: 32)),
    ("2001:db8::/129", .prefixLength("129", maximum: 128)),
    ("10.0.0.0/08", .prefixLength("08", maximum: 32)),
    ("10.0.0.0/", .prefixLength("", maximum: 32)),
    ("10.0.0.0/+8", .prefixLength("+8", maximum: 32)),
    ("10.0.0.0/-1", .prefixLength("-1", maximum: 32)),
    ("10.0.0.0/8/8", .prefixLength("8/8", maximum: 32)),
    ("/8", .notAnAddress("/8")), ("10.0.0.1 -", .notAnAddress("10.0.0.1 -")),
    ("10.0.0.9-10.0.0.1", .reversedRange("10.0.0.9-10.0.0.1", meant: "10.0.0.1 - 10.0.0.9")),
    ("10.0.0.1-::1", .mixedFamilies("10.0.0.1-::1")),
    ("010.0.0.1-10.0.0.9", .leadingZero(octet: "010")),
  ])
  func `a block that says two things is refused with its reason`(
    text: String, reason: LiteralError
  ) {
    #expect(throws: reason) { try AddressBlock(strict: text) }
  }

  @Test(arguments: 0..<300 as Range<UInt64>)
  func `property: a block reads back as printed`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let one = generator.address()
    let bits = one.family == .ipv4 ? 32 : 128
    let prefix = Prefix(containing: one, length: .random(in: 0...bits, using: &generator))
    #expect(try Prefix(strict: prefix.description) == prefix)
    #expect(try AddressBlock(strict: prefix.description) == prefix.block)
    #expect(try AddressBlock(strict: prefix.block.description) == prefix.block)
    let other = generator.address()
    if let block = AddressBlock(min(one, other), max(one, other)) {
      #expect(try AddressBlock(strict: block.description) == block)
    } else {
      #expect(one.family != other.family)
    }
  }

  @Test func `blocks merge into a set and come back sorted`() throws {
    let texts = ["10.0.0.128/25", "2001:db8::/33", "10.0.0.0/25", "2001:db8:8000::/33", "1.1.1.1"]
    let set = AddressSet(try texts.map { try AddressBlock(strict: $0) })
    #expect(set.blocks.map(\.description) == ["1.1.1.1", "10.0.0.0/24", "2001:db8::/32"])
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func `property: overlap and cover agree with intersection and subset`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    func set() -> IntervalSet<UInt8> {
      IntervalSet(
        (0..<Int.random(in: 0...4, using: &generator)).map { _ in
          let first = UInt8.random(in: 0...60, using: &generator)
          return Interval(first, first + UInt8.random(in: 0...8, using: &generator))
        })
    }
    let (a, b) = (set(), set())
    #expect(a.intersects(b) == !a.intersection(b).isEmpty)
    #expect(b.intersects(a) == a.intersects(b))
    #expect(a.covers(b) == b.isSubset(of: a))
  }
}
