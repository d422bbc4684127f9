import Bytecode
import NetworkTypes
import RulesetExamples
import Testing

@Suite struct NftTextTests {
  @Test func `the example table is written as it was`() throws {
    let text = try EgressTable.ruleset.nftText()
    #expect(Golden.difference(text, from: "egress/ruleset.nft") == nil)
  }

  @Test(.enabled(if: NftTool.isAvailable, "needs nft 1.0.6 and user namespaces"))
  func `kernel: nft lists the example table with the same bytes`() throws {
    let text = try EgressTable.ruleset.nftText()
    let listing = try #require(NftTool.listing(ofText: text))
    #expect(Golden.firstDifference(listing, text) == nil)
  }

  @Test(.enabled(if: NftTool.isAvailable, "needs nft 1.0.6 and user namespaces"))
  func `kernel: nft compiles the example table to the same bytecode`() throws {
    let text = try EgressTable.ruleset.nftText()
    let bytecode = try #require(NftTool.bytecode(ofText: text))
    #expect(Golden.firstDifference(bytecode, EgressTable.ruleset.bytecodeListing()) == nil)
  }
}

/// Two hundred rules that nft itself compiled: its bytecode, printed, must be its own listing.
@Suite struct NftTextRuleTests {
  /// The bytecode that nft made of `rules/ruleset.nft`, as a ruleset again.
  static var captured: Ruleset {
    get throws {
      var ruleset = try Ruleset(bytecodeListing: Golden.text("rules/bytecode.txt"))
      ruleset.tables[0].counters = [NamedCounter(name: "x")]
      ruleset.tables[0].chains.insert(Chain(name: "e"), at: 0)
      return ruleset
    }
  }

  @Test func `rules that nft compiled are written as nft lists them`() throws {
    let written = try Self.captured.nftText()
    #expect(Golden.difference(written, from: "rules/ruleset.nft") == nil)
  }

  @Test func `the bytecode listing of captured rules is what nft printed`() throws {
    let golden = Golden.text("rules/bytecode.txt")
    let lines = golden.split(separator: "\n", omittingEmptySubsequences: false).dropFirst()
    #expect(try Self.captured.bytecodeListing() == lines.joined(separator: "\n"))
  }

  @Test(.enabled(if: NftTool.isAvailable, "needs nft 1.0.6 and user namespaces"))
  func `kernel: nft still makes the captured bytecode`() throws {
    let text = Golden.text("rules/ruleset.nft")
    let bytecode = try #require(NftTool.bytecode(ofText: text))
    let source = "# nft 1.0.6, Linux 6.18.44: nft --debug=netlink list ruleset, handles removed\n"
    #expect(Golden.difference(source + bytecode, from: "rules/bytecode.txt") == nil)
    let listing = try #require(NftTool.listing(ofText: text))
    #expect(Golden.firstDifference(listing, text) == nil)
  }
}
