import Bytecode
import NetworkTypes
import RulesetExamples
import Testing

@Suite struct NftTextSetTests {
  static func set(
    _ name: String, _ key: [KeyType], flags: SetFlags = [], size: UInt32? = nil,
    _ elements: [SetElement]
  ) -> NamedSet {
    NamedSet(name: name, flags: flags, key: key, size: size, content: .elements(elements))
  }

  static func raw(_ offset: UInt32, _ length: UInt32) -> PayloadLoad {
    PayloadLoad(
      .network, offsetBytes: offset, lengthBytes: length, into: Register(word: 0))
  }

  static let table = Table(
    family: .inet, name: "sets", flags: 1, comment: "every kind of set",
    sets: [
      NamedSet(
        name: "ports", key: [.inetService], isVerdictMap: true,
        content: .elements(
          [7, 6, 5, 4, 3, 2, 1].map { .key([0, $0], nil, $0 == 3 ? .drop : .accept) }
            + [
              .catchAll(.drop, comment: "any"),
              SetElement(key: [0, 80], verdict: .jump("other"), comment: "www"),
            ])),
      set(
        "ranges", [.inetService], flags: .interval, size: 9,
        [
          .key([0, 1]), .key([0, 5], [0, 10]), .key([1, 187]), .key([0x1f, 0x90], [255, 255]),
          .key([0, 100]), .key([0, 200]), .key([1, 44]),
        ]),
      set("protocols", [.inetProtocol], [6, 17, 1, 99, 132, 33, 58, 0, 41].map { .key([$0]) }),
      set(
        "marks", [.mark], [.key([0, 0, 0, 1]), .key([1, 0, 0, 0]), .key([255, 255, 255, 255])]),
      set("states", [.ctState], [.key([8, 0, 0, 0]), .key([2, 0, 0, 0]), .key([64, 0, 0, 0])]),
      set("icmp-types", [.icmpType], [.key([8]), .key([77]), .key([3])]),
      set("icmp6-types", [.icmpv6Type], [.key([135]), .key([200]), .key([1])]),
      set("families", [.nfproto], [.key([10]), .key([2])]),
      set("empty", [.ipv4Address], flags: [.interval], []),
      set("fixed", [.ipv4Address], flags: [.constant], [.key([1, 1, 1, 1])]),
      set("waiting", [.ipv4Address], flags: [.interval, .timeout], size: 20, []),
      NamedSet(
        name: "data", key: [.ipv4Address], dataType: .ipv6Address, comment: "a map",
        content: .elements([
          SetElement(
            key: [1, 1, 1, 2], data: [UInt8](repeating: 0, count: 15) + [5], comment: "k")
        ])),
      set(
        "pairs", [.ipv4Address, .inetService], flags: [.interval, .concatenation],
        [
          .key([10, 0, 0, 0, 0, 80, 0, 0], [10, 255, 255, 255, 0, 80, 0, 0]),
          .key([1, 2, 3, 4, 1, 187, 0, 0], [1, 2, 3, 9, 1, 189, 0, 0]),
        ]),
      set(
        "exact-pairs", [.ipv4Address, .inetService],
        [.key([1, 2, 3, 4, 1, 187, 0, 0]), .key([9, 2, 3, 4, 0, 80, 0, 0])]),
      NamedSet(
        name: "whole4", flags: .interval, key: [.ipv4Address], content: .ipv4(.full)),
      NamedSet(
        name: "mixed4", flags: .interval, key: [.ipv4Address],
        content: .ipv4(
          IntervalSet([
            Interval(0, 5), Interval(0x0a00_0000, 0x0aff_ffff), Interval(0xffff_ffff, 0xffff_ffff),
          ]))),
      NamedSet(
        name: "six", flags: .interval, key: [.ipv6Address], comment: "notation",
        content: .ipv6(
          IntervalSet([
            Interval(0x1_0002, 0x1_0002), Interval(0x0102_0304, 0x0102_0304),
            Interval(0xffff_0102_0304, 0xffff_0102_0304), Interval(1, 1),
            Interval(1 << 80, 1 << 80), Interval(1 << 112 | 2 << 48 | 3, 1 << 112 | 2 << 48 | 3),
            Interval(0xfd << 120, 0xfd << 120 | (1 << 120 - 1)),
            Interval(0x2001 << 112 | 5, 0x2001 << 112 | 9),
          ]))),
      NamedSet(
        name: "raw6", flags: .interval, key: [.integer], typeof: raw(24, 16),
        content: .ipv6(IntervalSet([Interval(5, 9), Interval(1 << 127, 1 << 127)]))),
      NamedSet(
        name: "raw1", key: [.integer], typeof: raw(8, 1), content: .elements([.key([1])])),
    ], chains: [Chain(name: "other")])

  @Test func `every kind of set is written as it was`() throws {
    let text = try Ruleset(tables: [Self.table]).nftText()
    #expect(Golden.difference(text, from: "sets/ruleset.nft") == nil)
  }

  @Test(.enabled(if: NftTool.isAvailable, "needs nft 1.0.6 and user namespaces"))
  func `kernel: nft lists every kind of set with the same bytes`() throws {
    let text = Golden.text("sets/ruleset.nft")
    let listing = try #require(NftTool.listing(ofText: text))
    #expect(Golden.firstDifference(listing, text) == nil)
  }

  @Test func `the order in which elements were added does not show`() throws {
    var table = Self.table
    for index in table.sets.indices where table.sets[index].key.count == 1 {
      guard case .elements(let elements) = table.sets[index].content else { continue }
      table.sets[index].content = .elements(elements.reversed())
    }
    let text = try Ruleset(tables: [table]).nftText()
    #expect(Golden.difference(text, from: "sets/ruleset.nft") == nil)
  }

  @Test func `what nft cannot say is an error that names it`() {
    func error(_ change: (inout Table) -> Void) -> String {
      var table = Self.table
      change(&table)
      do {
        _ = try Ruleset(tables: [table]).nftText()
        return "written"
      } catch { return String(describing: error) }
    }
    #expect(error { _ in } == "written")
    #expect(error { $0.family = .bridge }.contains("family bridge"))
    #expect(error { $0.flags = 4 }.contains("persist"))
    #expect(error { $0.chains[0].name = "a b" }.hasPrefix("a b: cannot be written"))
    #expect(error { $0.chains[0].name = "drop" }.contains("a word of nft(8)"))
    #expect(error { $0.comment = "\"" }.contains("no quote"))
    #expect(
      error { $0.unknown = [UnknownItem(kind: "flowtable", bytes: [])] }.contains("flowtable"))
    #expect(error { $0.sets[0].flags = .evaluated }.hasPrefix("set ports: cannot be written"))
    #expect(error { $0.sets[1].flags = [] }.contains("a range needs the flag interval"))
    #expect(error { $0.sets[15].flags = [] }.contains("a range needs the flag interval"))
    #expect(error { $0.sets[3].flags = .interval }.contains("host order"))
    #expect(error { $0.sets[18].typeof = nil }.contains("needs a typeof"))
    let unknown = Rule([.unknown(name: "xfrm", bytes: [1])])
    #expect(
      error { $0.chains[0].rules = [unknown] }
        == "chain other, rule 1: cannot write [ xfrm ?? 1:01 ]: not modelled")
  }
}

extension SetElement {
  /// A key, or a range of keys, with a verdict.
  fileprivate static func key(
    _ low: [UInt8], _ high: [UInt8]? = nil, _ verdict: Verdict? = nil
  ) -> SetElement {
    SetElement(key: low, keyEnd: high, verdict: verdict)
  }
}
