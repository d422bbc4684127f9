import Bytecode
import NetworkTypes
import PacketSets
import RuleCompiler
import SymbolicAnalysis
import Testing

/// The meter, for every packet at once.
@Suite struct MeterTests {
  private static let links = [Link(index: 1, name: "lo"), Link(index: 2, name: "eth0")]

  /// The packets on a way that rules count: those that a drop in the counter's place stops.
  private func counted(
    on way: PacketWay, _ analyzer: inout SymbolicAnalyzer
  ) throws -> Diagram {
    let analysis = try analyzer.analyze(way)
    #expect(analysis.undecided == .nothing)
    return try analyzer.diagrams.difference(analysis.possible, analysis.mustPass)
  }

  private func table(dropping rule: Int, of chain: String) throws -> Table {
    var table = meterTable(named: "weir-meter")
    let place = try #require(table.chains.firstIndex { $0.name == chain })
    let last = table.chains[place].rules[rule].expressions.removeLast()
    #expect(last.kindOfObject == 1)
    table.chains[place].rules[rule].expressions.append(.immediate(.verdict(.drop)))
    return table
  }

  @Test(arguments: [("egress", PacketWay.egress), ("egress", .forwarding), ("ingress", .ingress)])
  func `every packet that leaves or enters is counted, and by one rule`(
    chain: String, way: PacketWay
  ) throws {
    var facts = AnalysisFacts(links: Self.links)
    facts.hasLoneFragments = false
    // Both rules together count all that leaves, and each alone what is of its family: so none counts
    // what the other does.
    var both = SymbolicAnalyzer(
      Ruleset(tables: [try table(dropping: 0, of: chain, and: 1)]), facts)
    let all = try counted(on: way, &both)
    let field: PacketField = way == .ingress ? .inputInterface : .outputInterface
    let onLoopback = try both.diagrams.set(field, both.loopbackValue)
    let possible = try both.possiblePackets(way)
    #expect(all == (try both.diagrams.difference(possible, onLoopback)))
    for rule in 0...1 {
      var analyzer = SymbolicAnalyzer(
        Ruleset(tables: [try table(dropping: rule, of: chain)]), facts)
      let one = try counted(on: way, &analyzer)
      let family = try analyzer.diagrams.set(.family, UInt32(rule))
      let outside = try analyzer.diagrams.complement(
        analyzer.diagrams.set(field, analyzer.loopbackValue))
      let expected = try analyzer.diagrams.intersection([
        analyzer.possiblePackets(way), family, outside,
      ])
      #expect(one == expected)
      #expect(one != .nothing)
    }
  }

  private func table(dropping first: Int, of chain: String, and second: Int) throws -> Table {
    var table = try table(dropping: first, of: chain)
    let other = try self.table(dropping: second, of: chain)
    let place = try #require(table.chains.firstIndex { $0.name == chain })
    table.chains[place].rules[second] = other.chains[place].rules[second]
    return table
  }
}

extension Expression {
  /// The type of the object that it refers to; nil for anything else.
  fileprivate var kindOfObject: UInt32? {
    if case .objectReference(let reference) = self { return reference.type }
    return nil
  }
}
