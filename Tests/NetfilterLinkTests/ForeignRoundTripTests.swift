import Bytecode
import NetfilterLink
import Testing

@testable import NetfilterLink

@Suite(.enabled(if: Kernel.isThere, Kernel.reason))
struct ForeignRoundTripTests {
  /// A table as far as it is written again: without chains that belong to one rule.
  private func writable(_ table: Table) -> Table {
    var table = table
    let bound = Set(table.chains.filter { $0.flags & 4 != 0 }.map(\.name))
    table.chains.removeAll { bound.contains($0.name) }
    for index in table.chains.indices {
      table.chains[index].rules.removeAll { rule in
        rule.expressions.contains { expression in
          guard case .immediate(.verdict(let verdict)) = expression else { return false }
          return verdict.chain.map(bound.contains) ?? false
        }
      }
    }
    return table
  }

  @Test func `kernel: what nft loaded, read and written by us, reads the same`() throws {
    let tables = try ForeignRuleset.loaded.get().ruleset.tables.map(writable)
    let again = try Kernel.inNamespace {
      try ForeignRuleset.addDevices()
      var session = try Kernel.session()
      for table in tables {
        try session.commit([.addTable(table)] + Change.filling(table), to: table.family, table.name)
      }
      return try session.readSnapshot().ruleset.tables
    }
    for table in tables {
      let found = try #require(
        again.first { $0.family == table.family && $0.name == table.name })
      let differences = found.differences(from: table).map(\.description)
      #expect(differences == [], "\(table.name)")
    }
    #expect(tables.flatMap(\.chains).flatMap(\.rules).count > 220)
  }
}
