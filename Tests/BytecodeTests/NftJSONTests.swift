import Bytecode
import NetworkTypes
import RulesetExamples
import Testing

@Suite struct NftJSONTests {
  /// The table as JSON of nft 1.0.6 loads it: sets of raw keys inline, no comments of table,
  /// chains and sets, awake.
  static func loaded(_ table: Table) -> Table {
    var table = table
    table.comment = nil
    table.flags = 0
    for index in table.chains.indices { table.chains[index].comment = nil }
    for index in table.sets.indices {
      table.sets[index].comment = nil
      if table.sets[index].typeof != nil { table.sets[index].flags.insert(.anonymous) }
    }
    return table
  }

  @Test(
    .enabled(if: NftTool.isAvailable, "needs nft 1.0.6 and user namespaces"),
    arguments: ["weir", "sets", "corpus"])
  func `kernel: JSON and text load to the same ruleset`(name: String) throws {
    let tables = try NftTextRuleTests.captured.tables + [EgressTable.table, NftTextSetTests.table]
    let table = try #require(tables.first { $0.name == name })
    let text = try Ruleset(tables: [Self.loaded(table)]).nftText()
    var awake = table
    awake.flags = 0
    let json = try Ruleset(tables: [awake]).nftJSON()
    let listing = try #require(NftTool.listing(ofJSON: json))
    #expect(Golden.firstDifference(listing, text) == nil)
  }

  @Test func `the example table is written as it was`() throws {
    let json = try EgressTable.ruleset.nftJSON()
    #expect(Golden.difference(json, from: "egress/ruleset.json") == nil)
  }

  @Test func `what would be lost is an error`() {
    var table = EgressTable.table
    for content in [SetContent.ipv4(IntervalSet()), table.sets[5].content] {
      table.sets[5].content = content
      table.sets[5].isRuntimeState = true
      #expect(
        throws: BytecodeError.inexpressibleSet(
          set: "addresses/4/00112233445566ff",
          reason: "JSON of nft 1.0.6 has no named sets of raw bytes")
      ) { try Ruleset(tables: [table]).nftJSON() }
    }
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
