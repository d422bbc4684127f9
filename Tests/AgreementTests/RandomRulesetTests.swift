import Bytecode
import NetworkTypes
import PacketSets
import SeededRandom
import SymbolicAnalysis
import Testing

/// Random rulesets: the interpreter's outcome is among the symbolic ones, for every packet tried.
@Suite struct RandomRulesetTests {
  private static let links = [
    Link(index: 1, name: "lo"), Link(index: 2, name: "eth0"), Link(index: 3, name: "br0"),
  ]

  @Test(arguments: 0..<40 as Range<UInt64>)
  func `property: at one hook the interpreter's outcome is among the symbolic ones`(
    seed: UInt64
  ) throws {
    let sent = try compare(seed, hooks: [.output], .egress)
    let received = try compare(seed + 1000, hooks: [.input], .ingress)
    #expect(sent > 0)
    #expect(received > 0)
  }

  @Test(arguments: 0..<25 as Range<UInt64>)
  func `property: along a way the interpreter agrees`(seed: UInt64) throws {
    let sent = try compare(seed + 2000, hooks: [.output, .postrouting], .egress, isRich: true)
    let forwarded = try compare(
      seed + 3000, hooks: [.prerouting, .forward, .postrouting], .forwarding, isRich: true)
    #expect(sent + forwarded > 0)
  }

  private func compare(
    _ seed: UInt64, hooks: [Hook], _ way: PacketWay, isRich: Bool = false
  ) throws -> Int {
    var generator = RandomRuleset(seed: seed, hooks: hooks, isRich: isRich)
    let ruleset = generator.make()
    var analyzer = SymbolicAnalyzer(ruleset, AnalysisFacts(links: Self.links))
    let analysis = try analyzer.analyze(way)
    let agreement = try Agreement(ruleset, way)
    var maker = PointMaker(
      random: SeededGenerator(seed: seed), interesting: generator.interesting)
    let compared = try agreement.check(&analyzer, analysis, &maker, packets: 60)
    let isVague = ruleset.tables.contains { table in
      table.chains.contains { chain in
        chain.rules.contains { rule in rule.expressions.contains { Self.isVague($0) } }
      }
    }
    // What reassembly keeps of lone IPv6 fragments is not a matter of rules.
    let causes = analysis.causes.filter { !$0.reason.contains("reassembly") }
    if !isVague && !isRich { #expect(causes == [], "\(seed)") }
    return compared
  }

  /// Marks copied from conntrack and what lies behind an IPv4 header are not followed exactly.
  private static func isVague(_ expression: Expression) -> Bool {
    switch expression {
    case .metaSet: true
    case .payload(let load):
      load.base == .network
        && (load.offsetBytes + load.lengthBytes > 20
          || load.offsetBytes == 8 && load.lengthBytes > 2)
    default: false
    }
  }
}
