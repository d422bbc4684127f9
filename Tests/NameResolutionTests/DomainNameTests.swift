import Testing

@testable import NameResolution

@Suite struct DomainNameTests {
  @Test func `case and a final dot make no difference`() {
    #expect(DomainName("SMTP.Gmail.COM.") == DomainName("smtp.gmail.com"))
    #expect(DomainName("SMTP.Gmail.COM.")?.description == "smtp.gmail.com")
  }

  @Test(arguments: [
    "a", "localhost", "_dmarc.example.com", "xn--bcher-kva.example", "1a.example", "8.8.8.8a",
    String(repeating: "a", count: 63) + ".example",
  ])
  func `a host name is read`(text: String) {
    #expect(DomainName(text)?.description == text)
  }

  @Test(arguments: [
    "", ".", "a..b", ".a", "a.b..", "8.8.8.8", "2001:db8::1", "a b", "-a.example", "a-.example",
    "bücher.example", "a\\.b", "a/b", "a\u{0}", String(repeating: "a", count: 64) + ".example",
    String(repeating: "abcdefg.", count: 31) + "toolong",
  ])
  func `what is no host name is refused`(text: String) {
    #expect(DomainName(text) == nil)
  }

  @Test func `bytes that no host name has are escaped`() {
    let name = DomainName(labels: [[0x1b, UInt8(ascii: "."), UInt8(ascii: "A")], [0xff]])
    #expect(name.description == "\\027\\046a.\\255")
  }
}
