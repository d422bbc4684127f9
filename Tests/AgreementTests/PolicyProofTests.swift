import Bytecode
import BytecodeInterpreter
import NetworkTypes
import PacketSets
import PolicyLanguage
import PolicyMeaning
import RandomPolicies
import RuleCompiler
import SeededRandom
import SymbolicAnalysis
import Testing

/// Compiled policies: all packets at once against the policy's packet set and the interpreter.
@Suite struct PolicyProofTests {
  private static let names = NameAnswers([
    "n0.example": [.v4(0x0102_0304), .v4(0x0808_0808), .v6(0x64_ff9b << 96 | 0x0808_0808)],
    "n1.example": [.v4(0x0a00_0001), .v6(0x2001_0db8 << 96 | 1), .v6(0xff02 << 112 | 1)],
    "smtp.gmail.com": [.v4(0x8efa_0001), .v6(0x2a00_1450 << 96 | 1)],
  ])

  @Test(arguments: BuiltIn.policies.keys.sorted())
  func `a built-in policy's rules let out what the policy allows, and nothing else`(
    name: String
  ) throws {
    let parsed = PolicyParser.parse(path: "builtin:\(name)", source: BuiltIn.source)
    try prove(try #require(parsed.policy), .egress, seed: 1, packets: 600)
    try prove(try #require(parsed.policy), .ingress, seed: 2, packets: 150)
  }

  @Test(arguments: 0..<12 as Range<UInt64>)
  func `property: a random policy's rules let out what the policy allows, and nothing else`(
    seed: UInt64
  ) throws {
    try prove(RandomPolicy.make(seed: seed), .egress, seed: seed, packets: 150)
  }

  @Test(arguments: 0..<6 as Range<UInt64>)
  func `property: a random policy's rules let in what the policy allows, and nothing else`(
    seed: UInt64
  ) throws {
    try prove(RandomPolicy.make(seed: seed), .ingress, seed: seed, packets: 150)
  }

  private func prove(
    _ policy: Policy, _ way: PacketWay, seed: UInt64, packets: Int
  ) throws {
    var usable = NameAnswers()
    for reference in (policy.allow + policy.deny).flatMap({ $0.destination?.names ?? [] }) {
      let accepted = Self.names.addresses[reference.name]?.filter(reference.accepts) ?? []
      usable.addresses[reference.name, default: []].formUnion(accepted)
    }
    let table = compile(policy).table(answers: usable.addresses.mapValues { $0.sorted() })
    let ruleset = Ruleset(tables: [table])
    var facts = AnalysisFacts()
    facts.hasLoneFragments = false
    var analyzer = SymbolicAnalyzer(ruleset, facts)
    let analysis = try analyzer.analyze(way)
    #expect(analysis.causes == [])
    #expect(analysis.undecided == .nothing)
    let agreement = try Agreement(ruleset, way)
    var maker = PointMaker(random: SeededGenerator(seed: seed))
    let compared = try agreement.check(&analyzer, analysis, &maker, packets: packets)
    #expect(compared > packets / 10)

    let meaning = try policy.packetSet(
      way == .egress ? .outbound : .inbound, names: usable, in: &analyzer.diagrams)
    let judged = try meaning.packets(in: &analyzer.diagrams) { _ in true }
    let allowed = try meaning.packets(in: &analyzer.diagrams) { $0.decision == .allow }
    // What comes over the loopback link has been judged when it left.
    let remote = try analyzer.diagrams.complement(
      analyzer.diagrams.set(.inputInterface, analyzer.loopbackValue))
    let claim = try analyzer.diagrams.intersection([analysis.possible, allowed, remote])
    let passing = try analyzer.diagrams.intersection([analysis.mayPass, judged, remote])
    let leaks = try analyzer.diagrams.difference(passing, claim)
    let blocked = try analyzer.diagrams.difference(claim, analysis.mustPass)
    let leaking = analyzer.diagrams.regions(leaks, limit: 5).regions.map(\.description)
    let missing = analyzer.diagrams.regions(blocked, limit: 5).regions.map(\.description)
    #expect(leaking == [])
    #expect(missing == [])
  }
}
