import Bytecode
import RulesetExamples
import Testing

@Suite struct NftJSONTests {
  /// A table without what JSON of nft 1.0.6 does not load: raw keys, a dormant flag, comments of
  /// tables, chains and sets.
  static func reduced(_ table: Table) -> Table {
    var table = table
    table.comment = nil
    table.flags = 0
    let raw = Set(table.sets.filter { $0.typeof != nil }.map(\.name))
    table.sets.removeAll { raw.contains($0.name) }
    for index in table.sets.indices { table.sets[index].comment = nil }
    for index in table.chains.indices {
      table.chains[index].comment = nil
      table.chains[index].rules.removeAll { rule in
        rule.expressions.contains {
          if case .lookup(let lookup) = $0 { raw.contains(lookup.set) } else { false }
        }
      }
    }
    return table
  }

  @Test(
    .enabled(if: NftTool.isAvailable, "needs nft 1.0.6 and user namespaces"),
    arguments: ["weir", "sets", "corpus"])
  func `kernel: JSON and text load to the same ruleset`(name: String) throws {
    let tables = NftTextRuleTests.captured.tables + [EgressTable.table, NftTextSetTests.table]
    let table = try #require(tables.first { $0.name == name })
    let ruleset = Ruleset(tables: [Self.reduced(table)])
    let text = try ruleset.nftText()
    let listing = try #require(NftTool.listing(ofJSON: try ruleset.nftJSON()))
    #expect(Golden.firstDifference(listing, text) == nil)
  }

  @Test func `the reduced example table is written as it was`() throws {
    let json = try Ruleset(tables: [Self.reduced(EgressTable.table)]).nftJSON()
    #expect(Golden.difference(json, from: "egress/ruleset.json") == nil)
  }

  @Test func `keys of raw bytes and dormant tables are an error`() {
    #expect(
      throws: BytecodeError.inexpressibleSet(
        set: "addresses/4/00112233445566ff",
        reason: "JSON of nft 1.0.6 has no typeof, so no keys of raw bytes")
    ) { try EgressTable.ruleset.nftJSON() }
    #expect(
      throws: BytecodeError.inexpressibleObject(
        name: "t", reason: "JSON of nft 1.0.6 would load a dormant table awake")
    ) { try Ruleset(tables: [Table(family: .ip, name: "t", flags: 1)]).nftJSON() }
  }

  @Test func `text is escaped`() throws {
    let table = Table(
      family: .inet, name: "t", comment: "a\\b",
      chains: [Chain(name: "c", comment: "é"), Chain(name: "d")])
    #expect(
      try Ruleset(tables: [table]).nftJSON()
        == #"{"nftables":[{"metainfo":{"json_schema_version":1}},"#
        + #"{"add":{"table":{"family":"inet","name":"t","comment":"a\\b"}}},"#
        + #"{"add":{"chain":{"family":"inet","table":"t","name":"c","comment":"é"}}},"#
        + #"{"add":{"chain":{"family":"inet","table":"t","name":"d"}}}]}"# + "\n")
  }
}
