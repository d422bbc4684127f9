import Bytecode
import NetworkTypes
import RulesetExamples
import Testing

/// Lookups with sets in the rule, masks and several fields.
@Suite struct NftTextLookupTests {
  static let destination = [Expression].load(.network, 16, 4)
  static let ports = [Expression].load(.transport, 2, 2)

  static func set(
    _ name: String, _ key: [KeyType], flags: SetFlags = [], _ keys: [[UInt8]],
    _ verdicts: [Verdict]? = nil
  ) -> NamedSet {
    let elements = keys.enumerated().map { index, key in
      SetElement(key: key, verdict: verdicts?[index])
    }
    return NamedSet(
      name: name, flags: flags.union(name.hasPrefix("__") ? [.anonymous, .constant] : []),
      key: key, isVerdictMap: verdicts != nil, content: .elements(elements))
  }

  static let cases: [(rule: Rule, text: String)] = [
    (
      Rule(destination + .vmap("__map0")), "@nh,128,32 vmap { 5 : accept, 167772160 : drop }"
    ),
    (
      Rule(.ipv4 + destination + .mask([255, 0, 0, 0]) + .vmap("__map1")),
      "ip daddr & 255.0.0.0 vmap { 10.0.0.0 : accept, 11.0.0.0 : drop }"
    ),
    (
      Rule(.ipv4 + destination + .mask([255, 255, 0, 0]) + .isIn("__set0") + .accept),
      "ip daddr & 255.255.0.0 == { 10.0.0.0, 10.1.0.0 } accept"
    ),
    (
      Rule(.ipv4 + destination + .mask([255, 255, 0, 0]) + .isIn("named") + .accept),
      "ip daddr & 255.255.0.0 == @named accept"
    ),
    (
      Rule(.ipv4 + destination + .isIn("named", isInverted: true) + .drop),
      "ip daddr != @named drop"
    ),
    (
      Rule(destination + .isIn("__set1", isInverted: true) + .drop),
      "@nh,128,32 != { 0x5, 0xa000000 } drop"
    ),
    (
      Rule(
        [.meta(MetaLoad(.l4proto, into: Register(word: 0)))]
          + .load(.transport, 2, 2, into: 1) + .isIn("__set2", isInverted: true) + .drop),
      "meta l4proto . th dport != { udp . 53, tcp . 80 } drop"
    ),
    (
      Rule(.transport(6) + .load(.transport, 13, 1) + .isIn("__set3") + .accept),
      "tcp flags { syn, ack } accept"
    ),
    (
      Rule([.ct(ConntrackLoad(.state, into: Register(word: 0)))] + .vmap("__map2")),
      "ct state vmap { established : accept, new : drop }"
    ),
  ]

  static var ruleset: Ruleset {
    let sets = [
      set("named", [.ipv4Address], [[10, 1, 0, 0]]),
      set("__map0", [.integer], [[10, 0, 0, 0], [0, 0, 0, 5]], [.drop, .accept]),
      set("__map1", [.ipv4Address], [[10, 0, 0, 0], [11, 0, 0, 0]], [.accept, .drop]),
      set("__set0", [.ipv4Address], [[10, 0, 0, 0], [10, 1, 0, 0]]),
      set("__set1", [.integer], [[10, 0, 0, 0], [0, 0, 0, 5]]),
      set(
        "__set2", [.inetProtocol, .inetService],
        [[6, 0, 0, 0, 0, 80, 0, 0], [17, 0, 0, 0, 0, 53, 0, 0]]),
      set("__set3", [.integer], [[2], [16]]),
      set("__map2", [.ctState], [[8, 0, 0, 0], [2, 0, 0, 0]], [.drop, .accept]),
    ]
    let chain = Chain(name: "rules", rules: cases.map(\.rule))
    return Ruleset(tables: [
      Table(family: .inet, name: "lookups", sets: sets, chains: [chain])
    ])
  }

  static var text: String {
    let lines = cases.map { "\t\t\($0.text)\n" }.joined()
    return "table inet lookups {\n\tset named {\n\t\ttype ipv4_addr\n\t\telements = { 10.1.0.0 }\n"
      + "\t}\n\n\tchain rules {\n\(lines)\t}\n}\n"
  }

  @Test func `lookups are written with their sets`() throws {
    #expect(Golden.firstDifference(try Self.ruleset.nftText(), Self.text) == nil)
  }

  @Test(.enabled(if: NftTool.isAvailable, "needs nft 1.0.6 and user namespaces"))
  func `kernel: nft lists lookups so, from text and from JSON, and makes the same bytecode`() throws
  {
    let listing = try #require(NftTool.listing(ofText: Self.text))
    #expect(Golden.firstDifference(listing, Self.text) == nil)
    let fromJSON = try #require(NftTool.listing(ofJSON: try Self.ruleset.nftJSON()))
    #expect(Golden.firstDifference(fromJSON, Self.text) == nil)
    let bytecode = try #require(NftTool.bytecode(ofText: Self.text))
    #expect(Golden.firstDifference(bytecode, Self.ruleset.bytecodeListing()) == nil)
  }
}
