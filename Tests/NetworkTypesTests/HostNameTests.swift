import NetworkTypes
import Testing

@Suite struct HostNameTests {
  @Test(arguments: [
    ("smtp.gmail.com", "smtp.gmail.com"), ("SMTP.Gmail.com.", "smtp.gmail.com"),
    ("localhost", "localhost"), ("_dmarc.example.org", "_dmarc.example.org"),
    ("1password.com", "1password.com"), ("xn--bcher-kva.example", "xn--bcher-kva.example"),
  ])
  func `a name is lower case without a final dot`(text: String, name: String) {
    #expect(HostName(text)?.text == name)
  }

  @Test(arguments: [
    "", ".", "a..b", "-a.example", "a-.example", "bücher.example", "a b", "192.0.2.1", "127.1",
    "a.0x10", "a.1", "a/b", "a:1", String(repeating: "a", count: 64) + ".example",
    String(repeating: "a.", count: 126) + "ab",
  ])
  func `what is no name, or an address to some program, is refused`(text: String) {
    #expect(HostName(text) == nil)
  }
}
