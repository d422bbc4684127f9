import Bytecode
import RulesetExamples
import Testing

/// The text of chains at the egress of a device: what nft has faithful text for, and no more.
@Suite struct NftTextDeviceTests {
  private static func order(_ key: MetaKey, _ value: [UInt8]) -> [Expression] {
    let register = Register(word: 0)
    return [
      .meta(MetaLoad(key, into: register)),
      .byteorder(
        Byteorder(
          source: register, destination: register, operation: 1, lengthBytes: 4, sizeBytes: 4)),
    ] + .compare(.lessOrEqual, value)
  }

  private static let every: [UInt8] = [0xff, 0xff, 0xff, 0xff]

  private static let udp: [Expression] = .transport(17)
  private static let ipv4: [Expression] = .meta(.protocol, [8, 0])
  private static let destination: [Expression] =
    .load(.network, 16, 4) + .compare(.equal, [192, 0, 2, 1])
  private static let ports: [Expression] =
    .load(.transport, 0, 4) + .compare(.equal, [0, 68, 0, 67])
  private static let port: [Expression] = .load(.transport, 2, 2) + .compare(.equal, [0, 67])
  private static let group: [UInt8] = [0xff, 2] + [UInt8](repeating: 0, count: 13) + [1]

  private static func item(
    _ text: String, _ parts: [Expression]...
  ) -> (text: String, expressions: [Expression]) { (text, parts.flatMap { $0 }) }

  static let rules = [
    item("meta rtclassid <= 4294967295 accept", order(.rtclassid, every), .accept),
    item("meta pkttype host drop", .meta(.pkttype, [0]), .drop),
    item("meta skuid <= 4294967295 drop", order(.skuid, every), .drop),
    item(
      "ip daddr 192.0.2.1 udp sport 68 udp dport 67 accept", ipv4, destination, udp, ports,
      .accept),
    item(
      "ip6 daddr ff02::1 accept", .meta(.protocol, [0x86, 0xdd]), .load(.network, 24, 16),
      .compare(.equal, group), .accept),
    item(
      "meta l4proto udp ip daddr 192.0.2.1 udp dport 67 accept", udp, ipv4, destination, port,
      .accept),
    item("udp dport 67 drop", udp, port, .drop),
  ]

  static let refused = [
    item("a realm may be listed by a name", .meta(.rtclassid, [0, 0, 0, 0])),
    item("a realm may be listed by a name", order(.rtclassid, [0, 0, 0, 1])),
    item(
      "an ethertype is only modelled before a field of an IP header",
      .meta(.protocol, [0x88, 0xcc]), .drop),
    item("an ethertype is only modelled before a field of an IP header", ipv4, udp, port),
    item("not modelled", ipv4, [.reject(Reject(type: 2, code: 3))]),
  ]

  private static func ruleset(
    _ rules: [[Expression]], devices: [String] = ["eth0"], hook: Hook = .egress
  ) -> Ruleset {
    let binding = HookBinding(hook: hook, priority: .min, policy: .accept, devices: devices)
    let chain = Chain(name: "link/eth0", hook: binding, rules: rules.map { Rule($0) })
    return Ruleset(tables: [Table(family: .netdev, name: "t", chains: [chain])])
  }

  private static let text =
    """
    table netdev t {
    \tchain link/eth0 {
    \t\ttype filter hook egress device "eth0" priority -2147483648; policy accept;

    """ + rules.map { "\t\t\($0.text)\n" }.joined() + "\t}\n}\n"

  @Test func `a chain at a device's egress is written with its device`() throws {
    let written = try Self.ruleset(Self.rules.map(\.expressions)).nftText()
    #expect(Golden.firstDifference(written, Self.text) == nil)
  }

  @Test(.enabled(if: NftTool.isAvailable, "needs nft 1.0.6 and user namespaces"))
  func `kernel: the text of a device's chain loads to the same bytecode`() throws {
    let bytecode = try #require(NftTool.bytecode(ofText: Self.text, links: ["eth0"]))
    let expected = Self.ruleset(Self.rules.map(\.expressions)).bytecodeListing()
    #expect(Golden.firstDifference(bytecode, expected) == nil)
  }

  @Test(arguments: refused.indices)
  func `what nft lists otherwise at a device is refused`(index: Int) {
    let (reason, rule) = Self.refused[index]
    do {
      let text = try Self.ruleset([rule]).nftText()
      Issue.record("written: \(text)")
    } catch .inexpressible(_, _, _, let found) {
      #expect(found == reason)
    } catch {
      Issue.record("another error: \(error)")
    }
  }

  @Test(
    arguments: [
      ([], Hook.egress, "one device, or none, is modelled"),
      (["eth0", "eth1"], .egress, "one device, or none, is modelled"),
      (["eth:0"], .egress, "the device's name has no text"),
      (["eth0"], .ingress, "its hook or type is not modelled"),
    ] as [([String], Hook, String)])
  func `devices without faithful text are refused`(
    devices: [String], hook: Hook, reason: String
  ) {
    #expect(throws: BytecodeError.inexpressibleObject(name: "link/eth0", reason: reason)) {
      try Self.ruleset([], devices: devices, hook: hook).nftText()
    }
  }

  @Test func `a table of devices has no JSON`() {
    #expect(
      throws: BytecodeError.inexpressibleObject(
        name: "t", reason: "family netdev has no JSON here")
    ) { try Self.ruleset([]).nftJSON() }
  }
}
