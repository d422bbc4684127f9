import Bytecode
import NetworkTypes
import PacketSets
import PolicyLanguage
import PolicyMeaning
import RandomPolicies
import RuleCompiler
import SeededRandom
import SymbolicAnalysis
import Testing

/// An analysis of few addresses that stand for all says what the analysis of all addresses says.
@Suite struct SamplingTests {
  private struct Answer: Equatable {
    var leaks: Bool
    var blocks: Bool
    var mayPass: Bool
    var mustPass: Bool
    var isUndecided: Bool
  }

  /// What is found of a policy in rules; nil when a sample is of no use.
  private func answer(
    _ ruleset: Ruleset, _ policy: Policy, _ way: PacketWay, samples: Bool
  ) throws -> Answer? {
    var sampling = samples ? AddressSampling(leastIntervals: 0) : nil
    for _ in 0..<6 {
      var facts = AnalysisFacts()
      facts.hasLoneFragments = false
      var analyzer = SymbolicAnalyzer(ruleset, facts, sampling: sampling)
      let analysis = try analyzer.analyze(way)
      let meaning = try policy.packetSet(
        way == .ingress ? .inbound : .outbound, in: &analyzer.diagrams)
      let judged = try meaning.packets(in: &analyzer.diagrams) { _ in true }
      let allowed = try meaning.packets(in: &analyzer.diagrams) { $0.decision == .allow }
      let passing = try analyzer.diagrams.intersection(analysis.mayPass, judged)
      let claim = try analyzer.diagrams.intersection(analysis.possible, allowed)
      let answer = Answer(
        leaks: try analyzer.diagrams.difference(passing, claim) != .nothing,
        blocks: try analyzer.diagrams.difference(claim, analysis.mustPass) != .nothing,
        mayPass: analysis.mayPass != .nothing, mustPass: analysis.mustPass != .nothing,
        isUndecided: analysis.undecided != .nothing)
      guard let used = analyzer.diagrams.sampling, !used.isFaithful else { return answer }
      sampling = used.refined()
      if sampling == nil { return nil }
    }
    Issue.record("a sample that never becomes faithful")
    return nil
  }

  @Test(arguments: 0..<30 as Range<UInt64>)
  func `property: an element or a rule that is missing shows in the sample as it does in all`(
    seed: UInt64
  ) throws {
    let policy = RandomPolicy.make(seed: seed)
    var random = SeededGenerator(seed: seed)
    var table = compile(policy).table()
    for round in 0..<3 {
      if round > 0 { table.spoil(&random) }
      let ruleset = Ruleset(tables: [table])
      let whole = try answer(ruleset, policy, .egress, samples: false)
      let few = try answer(ruleset, policy, .egress, samples: true)
      #expect(few == nil || few == whole)
      if round == 0 { #expect(few != nil) }
    }
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func `property: the sample of random rules shows what all addresses show`(seed: UInt64) throws {
    var generator = RandomRuleset(seed: seed + 5000, hooks: [.output])
    let ruleset = generator.make()
    let policy = RandomPolicy.make(seed: seed)
    let whole = try answer(ruleset, policy, .egress, samples: false)
    let few = try answer(ruleset, policy, .egress, samples: true)
    #expect(few == nil || few == whole)
  }
}

extension Table {
  /// Takes an element out of a set, or a rule out of a chain.
  fileprivate mutating func spoil(_ random: inout SeededGenerator) {
    if random.next(upperBound: 3) > 0, !sets.isEmpty {
      let place = random.next(upperBound: sets.count)
      switch sets[place].content {
      case .ipv4(let set) where !set.isEmpty:
        var kept = Array(set.intervals)
        kept.remove(at: random.next(upperBound: kept.count))
        sets[place].content = .ipv4(IntervalSet(kept))
      case .ipv6(let set) where !set.isEmpty:
        var kept = Array(set.intervals)
        kept.remove(at: random.next(upperBound: kept.count))
        sets[place].content = .ipv6(IntervalSet(kept))
      case .elements(var elements) where !elements.isEmpty:
        elements.remove(at: random.next(upperBound: elements.count))
        sets[place].content = .elements(elements)
      default: break
      }
    } else {
      let place = random.next(upperBound: chains.count)
      guard !chains[place].rules.isEmpty else { return }
      chains[place].rules.remove(at: random.next(upperBound: chains[place].rules.count))
    }
  }
}
