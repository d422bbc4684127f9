import Bytecode

/// Finds rules by what is in them.
struct RuleSearch {
  private let rules: Ruleset?

  /// Searches `rules`; nil when nobody read any.
  init(_ rules: Ruleset?) { self.rules = rules }

  /// A finding of the rules with an expression that `isMeant`, one piece of evidence each.
  ///
  /// An expression that is not modelled could be any: it is an unknown of the finding.
  /// O(expressions).
  func finding(
    _ bypass: Bypass, also evidence: [Evidence] = [], where isMeant: (Expression) -> Bool
  ) -> BypassFinding {
    var finding = BypassFinding(bypass: bypass, evidence: evidence, unknowns: [])
    guard let rules else {
      finding.unknowns.append("the rules were not read")
      return finding
    }
    for table in rules.tables {
      for chain in table.chains {
        for (index, rule) in chain.rules.enumerated() {
          let place = RuleSearch.place(table, chain, rule, index)
          for expression in rule.expressions {
            if isMeant(expression) {
              finding.evidence.append(Evidence("\(place): \(RuleSearch.word(expression))"))
            } else if case .unknown(let name, _) = expression {
              finding.unknowns.append("\(place): expression \(name) is not modelled")
            }
          }
        }
      }
    }
    return finding
  }

  /// Whether any expression of any rule `isMeant`; nil when nobody read rules.
  func contains(where isMeant: (Table, Expression) -> Bool) -> Bool? {
    rules.map { rules in
      rules.tables.contains { table in
        table.chains.contains { chain in
          chain.rules.contains { $0.expressions.contains { isMeant(table, $0) } }
        }
      }
    }
  }

  /// The base chains at a hook for packets of IPv4 or IPv6, as text; nil when nobody read rules.
  func chains(at hook: Hook, families: Set<TableFamily>) -> [String]? {
    rules.map { rules in
      rules.tables.filter { families.contains($0.family) }.flatMap { table in
        table.chains.filter { $0.hook?.hook == hook }.map {
          "table \(table.family.keyword) \(table.name), chain \($0.name)"
        }
      }
    }
  }

  private static func place(_ table: Table, _ chain: Chain, _ rule: Rule, _ index: Int) -> String {
    let which = rule.handle.map { "handle \($0)" } ?? "rule \(index + 1)"
    return "table \(table.family.keyword) \(table.name), chain \(chain.name), \(which)"
  }

  private static func word(_ expression: Expression) -> String {
    switch expression {
    case .match(let match): "match \(match.name)"
    case .target(let target): "target \(target.name)"
    case .meta(let load): "meta \(load.key)"
    case .ct(let load): "ct \(load.key.keyword)"
    case .socket(let load): "socket \(load.key.keyword)"
    default: expression.name
    }
  }
}
