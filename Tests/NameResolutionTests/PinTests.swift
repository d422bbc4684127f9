import NetworkTypes
import Testing

@testable import NameResolution

@Suite struct PinTests {
  @Test func `a pin has its name and its addresses in order`() throws {
    let pin = try Pin(argument: "SMTP.gmail.com.=2001:db8::25,192.0.2.25,192.0.2.25")
    #expect(pin.name.text == "smtp.gmail.com")
    #expect(pin.addresses == [.v4(0xc000_0219), .v6(0x2001_0db8 << 96 | 0x25)])
    #expect(pin.applies(to: "smtp.GMAIL.com"))
    #expect(!pin.applies(to: "gmail.com"))
    #expect(!pin.applies(to: "not a name"))
  }

  @Test func `a pinned answer leaves out the family that has no address`() throws {
    let answer = try Pin(argument: "a.example=192.0.2.1").answer
    #expect(answer.name == "a.example")
    #expect(try answer.v4.get().addresses == [.v4(0xc000_0201)])
    #expect(try answer.v4.get().timeToLive == 86_400)
    #expect(answer.v6 == .failure(.noAddress))
  }

  @Test(arguments: [
    ("a.example", "the = is missing"),
    ("=192.0.2.1", "'' is not a host name"),
    ("8.8.8.8=192.0.2.1", "'8.8.8.8' is not a host name"),
    ("a.example=", "``"), ("a.example=192.0.2.1,", "``"),
    ("a.example=010.0.0.1", "`010` has a leading zero"), ("a.example=0x7f.1", "`0x7f.1`"),
    ("a.example=127.1", "`127.1`"), ("a.example= 192.0.2.1", "` 192.0.2.1`"),
    ("a.example=192.0.2.0/24", "`192.0.2.0/24`"), ("a.example=192.0.2.256", "`256` is above"),
    ("a.example=fe80::1%lo", "zone `%lo`"), ("a.example=::ffff:192.0.2.1", "write 192.0.2.1"),
    ("a.example=192.0.2.1\u{0}", "`192.0.2.1\u{0}`"),
  ])
  func `what is no pin is refused with the offending part`(text: String, part: String) {
    #expect {
      try Pin(argument: text)
    } throws: { error in
      guard case NameResolutionError.pin(let shown, let reason) = error else { return false }
      return shown == text && reason.contains(part)
    }
  }

  @Test func `a pin holds at most as many addresses as an answer`() throws {
    let most = (0..<64).map { "192.0.2.\($0)" }.joined(separator: ",")
    #expect(try Pin(argument: "a.example=\(most)").addresses.count == 64)
    #expect(throws: NameResolutionError.self) { try Pin(argument: "a.example=\(most),192.0.2.64") }
  }
}
