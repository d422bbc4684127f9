import Bytecode
import NetworkTypes
import RulesetExamples
import Testing

/// Rules whose own listing by nft would not load to the same rules again: the text says more.
@Suite struct NftTextFaithTests {
  static let first = Register(word: 0)
  static let counter: [Expression] = [.counter(Counter())]

  static func item(
    _ text: String, _ parts: [Expression]...
  ) -> (expressions: [Expression], text: String) { (parts.flatMap { $0 }, text) }

  static let rules = [
    item("meta nfproto ipv6 meta l4proto ipv6-icmp accept", .ipv6, .transport(58), .accept),
    item(
      "meta l4proto ipv6-icmp icmpv6 type echo-request accept", .transport(58),
      .load(.transport, 0, 1), .compare(.equal, [128]), .accept),
    item(
      "meta l4proto tcp ip daddr 1.2.3.4 tcp dport 5 accept", .transport(6), .ipv4,
      .load(.network, 16, 4), .compare(.equal, [1, 2, 3, 4]), .load(.transport, 2, 2),
      .compare(.equal, [0, 5]), .accept),
    item(
      "meta nfproto ipv4 counter packets 0 bytes 0 ip daddr 1.2.3.4 accept", .ipv4, counter,
      .load(.network, 16, 4), .compare(.equal, [1, 2, 3, 4]), .accept),
    item(
      "meta nfproto ipv4 th dport 5 ip saddr 1.2.3.4 accept", .ipv4, .load(.transport, 2, 2),
      .compare(.equal, [0, 5]), .load(.network, 12, 4), .compare(.equal, [1, 2, 3, 4]), .accept),
    item(
      "meta l4proto tcp @th,0,8 0x5 accept", .transport(6), .load(.transport, 0, 1),
      .compare(.equal, [5]), .accept),
    item("iif 1 accept", .meta(.iif, [1, 0, 0, 0]), .accept),
    item(
      "icmpv6 type echo-request reject with icmpv6 port-unreachable", .ipv6, .transport(58),
      .load(.transport, 0, 1), .compare(.equal, [128]), [.reject(Reject(type: 0, code: 4))]),
    item(
      "meta l4proto udp reject with icmp host-unreachable", .ipv4, .transport(17),
      [.reject(Reject(type: 0, code: 1))]),
    item(
      "meta l4proto udp meta nfproto ipv4 counter packets 0 bytes 0 "
        + "reject with icmp host-unreachable", .transport(17), .ipv4, counter,
      [.reject(Reject(type: 0, code: 1))]),
  ]

  static var ruleset: Ruleset {
    let chain = Chain(name: "rules", rules: rules.map { Rule($0.expressions) })
    return Ruleset(tables: [Table(family: .inet, name: "faith", chains: [chain])])
  }

  @Test func `no dependency is lost that nft would not put back`() throws {
    let lines = Self.rules.map { "\t\t\($0.text)\n" }.joined()
    let text = "table inet faith {\n\tchain rules {\n\(lines)\t}\n}\n"
    #expect(Golden.firstDifference(try Self.ruleset.nftText(), text) == nil)
  }

  @Test(.enabled(if: NftTool.isAvailable, "needs nft 1.0.6 and user namespaces"))
  func `kernel: the text loads to the same bytecode`() throws {
    let bytecode = try #require(NftTool.bytecode(ofText: try Self.ruleset.nftText()))
    #expect(Golden.firstDifference(bytecode, Self.ruleset.bytecodeListing()) == nil)
  }

  static let headerLoad = ExtensionHeaderLoad(
    operation: 0, type: 43, offsetBytes: 0, lengthBytes: 1, isPresence: true, into: first)

  static let refused = [
    item("not modelled", [.unknown(name: "xfrm", bytes: [])]),
    item("a loaded register is never used", .load(.network, 0, 4)),
    item("register 1 holds nothing", .compare(.equal, [1])),
    item("compares 1 bytes of a load of 4", .load(.network, 0, 4), .compare(.equal, [1])),
    item("the table has no such set", .load(.network, 0, 4), .isIn("absent")),
    item("needs `meta nfproto ipv6` before it", [.extensionHeader(headerLoad)]),
    item("needs `meta nfproto` before it", [.reject(Reject(type: 0, code: 1))]),
    item("needs `meta l4proto tcp` before it", [.reject(.tcpReset)]),
    item(
      "only counters and conntrack timeouts are modelled",
      [.objectReference(ObjectReference(type: 2, name: "q"))]),
    item(
      "only `fib … type` is modelled", [.fib(FibLoad(result: 1, flags: 34, into: first))]),
    item("no faithful spelling of its values", .meta(.priority, [0, 0, 0, 0])),
    item(
      "the order of a value in host order needs a byteorder before it",
      [.meta(MetaLoad(.mark, into: first))], .compare(.less, [1, 0, 0, 0])),
    item(
      "nft 1.0.6 merges neighbouring `!=` matches", .load(.transport, 0, 2),
      .compare(.notEqual, [0, 5]), .load(.transport, 2, 2), .compare(.notEqual, [0, 6])),
  ]

  @Test(arguments: refused.indices)
  func `what has no faithful text is refused with the reason`(index: Int) {
    let item = Self.refused[index]
    let chain = Chain(name: "c", rules: [Rule(item.expressions)])
    let ruleset = Ruleset(tables: [Table(family: .inet, name: "t", chains: [chain])])
    do {
      let text = try ruleset.nftText()
      Issue.record("written: \(text)")
    } catch {
      guard case .inexpressible(let chain, let rule, _, let reason) = error else {
        Issue.record("another error: \(error)")
        return
      }
      #expect(chain == "c")
      #expect(rule == 1)
      #expect(reason == item.text)
    }
  }
}
