import Bytecode
import NetfilterLink
import TestSupport
import Testing

@Suite(.enabled(if: Kernel.isThere, Kernel.reason))
struct ExtensionValueTests {
  /// Loads rules with the real iptables and reads them back, in the order of the cases.
  private func readBack(
    _ cases: [ExtensionCase], with program: String, _ family: TableFamily
  ) throws -> [Rule] {
    let text = ExtensionCase.saveFile(cases)
    let tables = try Kernel.inNamespace {
      try run(["ipset", "create", "bl", "hash:ip"])
      try run(["ipset", "create", "pp", "hash:ip,port", "counters"])
      try run([program], input: text)
      var session = try Kernel.session()
      return try session.readSnapshot().ruleset.tables
    }
    #expect(tables.allSatisfy { $0.family == family && $0.allUnknown.isEmpty })
    var rules: [Rule] = []
    for name in ["filter", "mangle", "raw", "nat"] {
      let table = tables.first { $0.name == name }
      // Of each chain in turn, since the kernel keeps rules by chain.
      var next: [String: Int] = [:]
      for item in cases where item.table == name {
        let chain = String(item.rule.prefix { $0 != " " })
        let all = try #require(table?.chains.first { $0.name == chain }).rules
        rules.append(all[next[chain, default: 0]])
        next[chain, default: 0] += 1
      }
    }
    return rules
  }

  private func run(_ words: [String], input: String = "") throws {
    let outcome = try Program.run(words, input: input)
    try #require(outcome.ending == .exit(0), "\(words) \(outcome.error)")
  }

  private func check(_ cases: [ExtensionCase], with program: String, _ family: TableFamily) throws {
    let rules = try readBack(cases, with: program, family)
    let ordered = ["filter", "mangle", "raw", "nat"].flatMap { name in
      cases.filter { $0.table == name }
    }
    try #require(rules.count == ordered.count)
    for (rule, item) in zip(rules, ordered) {
      var matches: [MatchValue?] = []
      var target: TargetValue?
      for expression in rule.expressions {
        if case .match(let match) = expression { matches.append(match.value(in: family)) }
        if case .target(let found) = expression {
          target = found.value(in: family)
          #expect(target != nil, "\(item.rule): \(found)")
        }
        if case .unknown = expression { Issue.record("\(item.rule): \(expression)") }
      }
      // A match whose value the case leaves out (`-m tcp` beside a target) is only known.
      let expected = item.matches.map(Optional.some)
      #expect(matches.allSatisfy { $0 != nil }, "\(item.rule)")
      if !expected.isEmpty { #expect(matches == expected, "\(item.rule)") }
      #expect(target == item.target, "\(item.rule)")
    }
  }

  @Test func `kernel: what iptables wrote reads as what it was told`() throws {
    try check(ExtensionCase.ipv4, with: "iptables-nft-restore", .ip)
    #expect(ExtensionCase.ipv4.count > 70)
  }

  @Test func `kernel: what ip6tables wrote reads as what it was told`() throws {
    try check(ExtensionCase.ipv6, with: "ip6tables-nft-restore", .ip6)
  }
}
