import NetworkTypes
import Testing

@testable import NameResolution

@Suite struct DomainNameTests {
  @Test func `a host name and a message's name compare without regard to case`() throws {
    let name = try #require(HostName("SMTP.Example.test."))
    let sent = DomainName(labels: ["smtp", "eXample", "TEST"].map { Array($0.utf8) })
    #expect(DomainName(name) == sent)
    #expect(sent.description == "smtp.example.test")
  }

  @Test func `bytes that no host name has are escaped`() {
    let name = DomainName(labels: [[0x1b, UInt8(ascii: "."), UInt8(ascii: "A")], [0xff]])
    #expect(name.description == "\\027\\046a.\\255")
  }

  @Test func `a dot inside of a label makes another name`() throws {
    let name = try #require(HostName("a.test"))
    #expect(DomainName(labels: [Array("a.test".utf8)]) != DomainName(name))
  }
}
