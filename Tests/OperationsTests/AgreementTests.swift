import Bytecode
import PolicyMeaning
import RandomPolicies
import RuleCompiler
import Testing

@testable import Operations

/// The compiler against the meaning of policies, through readers that share no code with it.
@Suite struct AgreementTests {
  @Test(arguments: 0..<200 as Range<UInt64>)
  func `property: compiled policies decide like the reference, clause by clause`(
    seed: UInt64
  ) throws {
    let (plan, table) = subject(seed, cap: 1500)
    let report = plan.interpreterRung(table, clock: { 0 })
    #expect(report.disagreements.first.map { "\($0)" } == nil)
    #expect(report.undecided.first == nil)
    #expect(report.tried > 100)
  }

  @Test(arguments: [40, 300, 1500, 4000], 0..<6 as Range<UInt64>)
  func `property: lists of every size decide like the reference`(
    count: Int, seed: UInt64
  ) throws {
    let policy = RandomPolicy.make(seed: seed, listing: count)
    let plan = VerifyPlan(policy, pins: NamePins(), cap: 8000)
    let table = compile(policy).table(answers: plan.names.addresses.mapValues { $0.sorted() })
    #expect(table.sets.contains { $0.name.hasPrefix("addresses/4/") } == (count >= 300))
    let report = plan.interpreterRung(table, clock: { 0 })
    #expect(report.disagreements.first.map { "\($0)" } == nil)
    #expect(report.undecided.first == nil)
    #expect(report.tried > 100)
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func `property: every compiled table has an nft text, and compiling is deterministic`(
    seed: UInt64
  ) throws {
    let first = compile(RandomPolicy.make(seed: seed))
    let second = compile(RandomPolicy.make(seed: seed))
    #expect(first.digest == second.digest)
    #expect(first.table() == second.table())
    let text = try Ruleset(tables: [first.table()]).nftText()
    #expect(text.hasPrefix("table inet weir {\n\tcomment \"managed by weir\"\n"))
  }

  @Test(
    .enabled(if: Kernel.canMakeNamespaces, Kernel.reason),
    arguments: 0..<20 as Range<UInt64>)
  func `kernel: property: the kernel decides random policies like the reference`(
    seed: UInt64
  ) throws {
    let (plan, table) = subject(seed, cap: 1500)
    let report = try plan.packetRung(loading: Kernel.load, table: table) { _, _ in }
    #expect(report.disagreements.first.map { "\($0)" } == nil)
    #expect(report.tried > 100)
  }

  private func subject(_ seed: UInt64, cap: Int) -> (VerifyPlan, Table) {
    let policy = RandomPolicy.make(seed: seed)
    let plan = VerifyPlan(policy, pins: NamePins(), cap: cap)
    let table = compile(policy).table(answers: plan.names.addresses.mapValues { $0.sorted() })
    return (plan, table)
  }
}
