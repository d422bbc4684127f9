import NetworkTypes
import PolicyLanguage
import Testing

@Suite struct DestinationTests {
  private func destination(_ to: String) throws -> Destination {
    let text = "policy: p\ndefault: allow\ndeny:\n  - {clause: c, to: \(to)}\n"
    let (policy, diagnostics) = PolicyParser.parse(
      path: "p.yaml", source: MemorySource(["p.yaml": text]))
    return try #require(policy?.deny.first?.destination, "\(diagnostics.render())")
  }

  @Test(arguments: [
    ("10.0.0.0/8", "10.1.2.3", true), ("10.0.0.0/8", "11.0.0.0", false),
    // NAT64 is judged by the IPv4 address inside, and by nothing else.
    ("10.0.0.0/8", "64:ff9b::a01:203", true), ("10.0.0.0/8", "64:ff9b::b00:0", false),
    ("'::/0'", "64:ff9b::a01:203", false), ("'::/0'", "64:ff9b:0:0:0:1::", true),
    ("global", "64:ff9b::808:808", true), ("global", "64:ff9b::a01:203", false),
    ("private", "64:ff9b::a01:203", true), ("private", "64:ff9b:1::808:808", true),
    ("multicast", "64:ff9b::e000:1", true), ("broadcast", "64:ff9b::ffff:ffff", true),
    // ISATAP, with either value of the universal/local bit, and not one bit further.
    ("private", "2606:2800::5efe:a00:1", true), ("private", "2606:2800::200:5efe:a00:1", true),
    ("private", "2606:2800::100:5efe:a00:1", false), ("private", "2606:2800::5eff:a00:1", false),
    ("private", "2606:2800::5efe:808:808", false), ("private", "2606:2800::5efe:e000:1", true),
    ("10.0.0.0/8", "2606:2800::5efe:a00:1", false),
    // 6to4 and Teredo are private whatever they carry.
    ("private", "2002:808:808::", true), ("private", "2001:0:808:808::", true),
    ("private", "::808:808", true), ("private", "::ffff:0:808:808", true),
  ])
  func `an address belongs or does not`(to: String, address: String, belongs: Bool) throws {
    #expect(try destination(to).contains(IPAddress(strict: address)) == belongs)
  }

  @Test func `an answer for a name must lie within, NAT64 by what it carries`() throws {
    let text = """
      policy: p
      default: deny
      allow:
        - {clause: a, to: {name: mail.example.org, within: 192.0.2.0/24}}
        - {clause: b, to: {name: www.example.org}}
      """
    let policy = try #require(
      PolicyParser.parse(path: "p.yaml", source: MemorySource(["p.yaml": text])).policy)
    let names = policy.allow.compactMap { $0.destination?.names.first }
    #expect(names.map(\.name) == ["mail.example.org", "www.example.org"])
    #expect(names.map(\.withinText) == ["192.0.2.0/24", "global"])
    func accepted(_ text: String) throws -> [Bool] {
      let address = try IPAddress(strict: text)
      return names.map { $0.accepts(address) }
    }
    #expect(try accepted("192.0.2.7") == [true, false])
    #expect(try accepted("64:ff9b::c000:207") == [true, false])
    #expect(try accepted("8.8.8.8") == [false, true])
    #expect(try accepted("64:ff9b::808:808") == [false, true])
    #expect(try accepted("10.0.0.1") == [false, false])
    #expect(try accepted("2606:2800::1") == [false, true])
    #expect(try accepted("fd00::1") == [false, false])
  }
}
