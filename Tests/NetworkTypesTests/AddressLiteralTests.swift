import NetworkTypes
import SeededRandom
import Testing

@Suite struct AddressLiteralTests {
  @Test(arguments: [
    ("0.0.0.0", IPAddress.v4(0)), ("255.255.255.255", .v4(.max)), ("8.8.4.4", .v4(0x0808_0404)),
    ("::", .v6(0)), ("::1", .v6(1)), ("1::", .v6(1 << 112)),
    ("2001:DB8::a", .v6(0x2001_0db8 << 96 | 10)),
    ("1:2:3:4:5:6:7:8", .v6(0x0001_0002_0003_0004_0005_0006_0007_0008)),
    ("1:2:3:4:5:6:7::", .v6(0x0001_0002_0003_0004_0005_0006_0007_0000)),
    ("::2:3:4:5:6:7:8", .v6(0x0002_0003_0004_0005_0006_0007_0008)),
    ("0000:0000:0000:0000:0000:0000:0000:0001", .v6(1)),
  ])
  func `a strict spelling is read`(text: String, address: IPAddress) throws {
    #expect(try IPAddress(strict: text) == address)
  }

  @Test(arguments: [
    ("010.0.0.1", LiteralError.leadingZero(octet: "010")),
    ("10.0.0.00", .leadingZero(octet: "00")), ("10.0.0.08", .leadingZero(octet: "08")),
    ("127.1", .notDottedQuad("127.1")), ("2130706433", .notDottedQuad("2130706433")),
    ("0x7f.1", .notDottedQuad("0x7f.1")), ("0x7f.0.0.1", .notDottedQuad("0x7f.0.0.1")),
    ("256.0.0.1", .octetOutOfRange("256")), ("1.2.3.99999", .octetOutOfRange("99999")),
    ("1.2.3.4.5", .notAnAddress("1.2.3.4.5")), ("1.2.3.", .notAnAddress("1.2.3.")),
    ("", .notAnAddress("")), (" 1.2.3.4", .notAnAddress(" 1.2.3.4")),
    ("1.2.3.4 ", .notAnAddress("1.2.3.4 ")), ("+1.2.3.4", .notAnAddress("+1.2.3.4")),
    ("fe80::1%eth0", .zone("eth0")), ("fe80::1%", .zone("")),
    ("::ffff:192.0.2.1", .embeddedIPv4("::ffff:192.0.2.1", write: "192.0.2.1")),
    ("::192.0.2.1", .embeddedIPv4("::192.0.2.1", write: "::c000:201")),
    ("64:ff9b::8.8.8.8", .embeddedIPv4("64:ff9b::8.8.8.8", write: "8.8.8.8")),
    ("1:2:3:4:5:6:7", .notAnAddress("1:2:3:4:5:6:7")),
    ("1:2:3:4:5:6:7:8:9", .notAnAddress("1:2:3:4:5:6:7:8:9")),
    ("1:2:3:4:5:6:7:8::", .notAnAddress("1:2:3:4:5:6:7:8::")),
    ("1:2:3:4::5:6:7:8", .notAnAddress("1:2:3:4::5:6:7:8")),
    ("1::2::3", .notAnAddress("1::2::3")), (":::", .notAnAddress(":::")),
    (":1", .notAnAddress(":1")), ("1:", .notAnAddress("1:")), ("12345::", .notAnAddress("12345::")),
    ("g::", .notAnAddress("g::")), ("[::1]", .notAnAddress("[::1]")),
  ])
  func `an ambiguous or broken spelling is refused with its reason`(
    text: String, reason: LiteralError
  ) {
    #expect(throws: reason) { try IPAddress(strict: text) }
  }

  @Test(arguments: 0..<500 as Range<UInt64>)
  func `property: an address reads back as printed`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let address = generator.address()
    #expect(try IPAddress(strict: address.description) == address)
    #expect(try IPAddress(strict: address.description.uppercased()) == address)
  }

  @Test func `only 64:ff9b::/96 holds an IPv4 address that counts`() throws {
    #expect(try IPAddress(strict: "64:ff9b::808:808").nat64Embedded == 0x0808_0808)
    #expect(try IPAddress(strict: "64:ff9b::").nat64Embedded == 0)
    #expect(try IPAddress(strict: "64:ff9b::ffff:ffff").nat64Embedded == .max)
    #expect(try IPAddress(strict: "64:ff9b::1:0:0").nat64Embedded == nil)
    #expect(try IPAddress(strict: "64:ff9b:1::808:808").nat64Embedded == nil)
    #expect(IPAddress.v4(0x0808_0808).nat64Embedded == nil)
  }
}
