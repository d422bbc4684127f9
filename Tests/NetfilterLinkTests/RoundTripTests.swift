import Bytecode
import NetfilterLink
import Testing

@testable import NetfilterLink

@Suite(.enabled(if: Kernel.isThere, Kernel.reason))
struct RoundTripTests {
  /// Loads text with nft and reads it back.
  private func read(_ text: String) throws -> (table: Table, listing: String) {
    try Kernel.inNamespace {
      _ = try Kernel.nft("-f", "-", input: text)
      var session = try Kernel.session()
      let table = try #require(try session.readTable(family: .inet, name: "sample"))
      return (table, try Kernel.nft("list", "ruleset"))
    }
  }

  private func write(_ table: Table) throws -> (table: Table, listing: String) {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      try session.commit(
        [.addTable(table)] + Change.filling(table), to: table.family, table.name)
      let again = try #require(try session.readTable(family: .inet, name: "sample"))
      return (again, try Kernel.nft("list", "ruleset"))
    }
  }

  @Test func `kernel: a table loaded from text and the same one written by us list byte for byte`()
    throws
  {
    let loaded = try read(SampleText.everything)
    let written = try write(loaded.table)
    expectSameText(withoutExpiry(written.listing), withoutExpiry(loaded.listing))
    #expect(loaded.listing.count > 3000)
  }

  /// The listing without the time left of timed elements, which no two listings share.
  private func withoutExpiry(_ listing: String) -> String {
    listing.replacing(#/ expires [0-9a-z]+/#, with: "")
  }

  @Test func `kernel: nothing in the sample is unknown to the reader`() throws {
    let table = try read(SampleText.everything).table
    #expect(table.unknown == [])
    for rule in table.chains.flatMap(\.rules) {
      for expression in rule.expressions {
        if case .unknown(let name, let bytes) = expression {
          Issue.record("\(name) \(bytes)")
        }
      }
    }
  }
}
