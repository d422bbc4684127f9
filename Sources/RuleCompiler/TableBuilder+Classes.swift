import Bytecode
import NetworkTypes
import PolicyLanguage

// From the class of an address by name, link fact and port to a verdict.

/// Identifies a class chain: its family's number and its terms.
struct ClassKey: Hashable {
  var family: Family
  var terms: [Int]
}

extension TableBuilder {
  mutating func addClassifier4() {
    addBlocks4()
    addNat64()
  }

  /// 64:ff9b::a.b.c.d is judged by a.b.c.d: the same classes over the last four bytes.
  mutating func addNat64() {
    var elements: [SetElement] = []
    for addressClass in plan.v4.small {
      let verdict = classVerdict(.ipv4, addressClass.terms)
      elements += addressClass.intervals.map { SetElement(v4: $0, verdict: verdict) }
    }
    elements.sort { $0.key.lexicographicallyPrecedes($1.key) }
    elements.append(.catchAll(classVerdict(.ipv4, plan.v4.fallback)))
    let load = PayloadLoad(
      .network, offsetBytes: 36, lengthBytes: 4, into: Match.register)
    addDestinationMap("destination64", .integer, elements, typeof: load)
    var rules = addBlocks64()
    rules.append(Rule([.payload(load), Match.verdictFrom(name("destination64"))]))
    addChain("nat64", rules)
  }

  mutating func addDestinationMap(
    _ suffix: String, _ key: KeyType, _ elements: [SetElement], typeof: PayloadLoad?
  ) {
    sets.append(
      NamedSet(
        name: name(suffix), flags: [.map, .interval], key: [key], isVerdictMap: true,
        typeof: typeof, content: .elements(elements)))
  }

  /// Where packets of a class go: straight to a verdict, or to a chain of their own.
  mutating func classVerdict(_ family: Family, _ terms: [Int]) -> Verdict {
    let key = ClassKey(family: family, terms: terms)
    if let known = classVerdicts[key] { return known }
    let groups = protocolGroups(terms)
    let verdict: Verdict
    if groups.count == 1, let constant = constantTerm(groups[0].steps) {
      verdict = self.verdict(of: plan.terms[constant])
    } else {
      let suffix = chainSuffix(family, terms)
      addClassChain(suffix, groups, family)
      verdict = .goto(name(suffix))
    }
    classVerdicts[key] = verdict
    return verdict
  }

  /// `to4/google`, `to6/default`, by the clauses whose addresses make the class.
  private func chainSuffix(_ family: Family, _ terms: [Int]) -> String {
    var labels: [String] = []
    for index in terms {
      guard case .fixed = plan.terms[index].addresses else { continue }
      if !labels.contains(plan.terms[index].clause) { labels.append(plan.terms[index].clause) }
    }
    let base =
      "to\(family.digit)/" + (labels.isEmpty ? "default" : labels.joined(separator: "."))
    let isTaken = chainNames.contains(name(base))
    return isTaken || base.utf8.count > 100
      ? "to\(family.digit)/\(classVerdicts.count)" : base
  }
}

/// Protocols for which a class decides alike.
private struct ProtocolGroup {
  var protocols: [IPProtocol]
  var steps: [PortStep]
}

extension TableBuilder {
  private func protocolGroups(_ terms: [Int]) -> [ProtocolGroup] {
    var groups: [ProtocolGroup] = []
    for ipProtocol in policy.protocols.value {
      let steps = decide(ipProtocol, terms: terms, of: plan.terms)
      if let index = groups.firstIndex(where: { $0.steps == steps }) {
        groups[index].protocols.append(ipProtocol)
      } else {
        groups.append(ProtocolGroup(protocols: [ipProtocol], steps: steps))
      }
    }
    return groups
  }

  private func constantTerm(_ steps: [PortStep]) -> Int? {
    steps.count == 1 && !plan.terms[steps[0].term].isDynamic ? steps[0].term : nil
  }

  private mutating func addClassChain(
    _ suffix: String, _ groups: [ProtocolGroup], _ family: Family
  ) {
    if groups.count == 1 {
      addGroupChain(suffix, groups[0].steps, family)
      return
    }
    var elements: [SetElement] = []
    for group in groups {
      let verdict: Verdict
      if let constant = constantTerm(group.steps) {
        verdict = self.verdict(of: plan.terms[constant])
      } else {
        let names = group.protocols.map(\.description).joined(separator: ".")
        addGroupChain("\(suffix)/\(names)", group.steps, family)
        verdict = .goto(name("\(suffix)/\(names)"))
      }
      elements += group.protocols.map { SetElement(key: [$0.rawValue], verdict: verdict) }
    }
    let map = anonymousMap(.inetProtocol, isInterval: false, elements)
    addChain(
      suffix,
      [Rule([.meta(MetaLoad(.l4proto, into: Match.register)), Match.verdictFrom(map)])])
  }

  /// Rules in the order of the terms; the widest of the last fixed terms needs no test.
  private mutating func addGroupChain(
    _ suffix: String, _ steps: [PortStep], _ family: Family
  ) {
    var rules: [Rule] = []
    var pending: [PortStep] = []
    for step in steps {
      let term = plan.terms[step.term]
      guard term.isDynamic else {
        pending.append(step)
        continue
      }
      rules += portRules(pending)
      pending = []
      let verdict = verdict(of: term)
      for test in addressTests(term.addresses, family) {
        // An anonymous set belongs to one rule, so each rule gets a test of its own.
        let ports = step.ports == .full ? [] : [Match.destinationPort] + portTest(step.ports)
        rules.append(
          Rule(ports + test + [Match.verdict(verdict)], provenance: term.provenance))
      }
    }
    if let rest = pending.max(by: { $0.width < $1.width }) {
      rules += portRules(pending.filter { $0.term != rest.term })
      let term = plan.terms[rest.term]
      rules.append(Rule([Match.verdict(verdict(of: term))], provenance: term.provenance))
    }
    addChain(suffix, rules)
  }

  /// Verdicts by port: a comparison for each range while they are few, else one lookup.
  ///
  /// Measured on Linux 6.18: a rule that compares a port takes 10 ns, a verdict map 110.
  private mutating func portRules(_ steps: [PortStep]) -> [Rule] {
    let count = steps.reduce(0) { $0 + $1.ports.intervals.count }
    if count <= 8 {
      return steps.flatMap { step -> [Rule] in
        let term = plan.terms[step.term]
        let verdict = Match.verdict(verdict(of: term))
        return step.ports.intervals.map {
          Rule(
            [Match.destinationPort] + Match.inPorts($0) + [verdict], provenance: term.provenance)
        }
      }
    }
    var elements: [SetElement] = []
    for step in steps {
      let verdict = verdict(of: plan.terms[step.term])
      elements += step.ports.intervals.map { SetElement(ports: $0, verdict: verdict) }
    }
    elements.sort { $0.key.lexicographicallyPrecedes($1.key) }
    let isInterval = elements.contains { $0.keyEnd != nil }
    let map = anonymousMap(.inetService, isInterval: isInterval, elements)
    return [Rule([Match.destinationPort, Match.verdictFrom(map)])]
  }

  /// The tests of a dynamic term: one rule for each.
  ///
  /// IPv4 classes judge NAT64 packets too; no IPv4 packet meets an IPv6 class.
  private mutating func addressTests(
    _ test: Term.AddressTest, _ family: Family
  ) -> [[Expression]] {
    switch test {
    case .any, .fixed:
      return []
    case .name(let host, _):
      return (family == .ipv4 ? Family.allCases : [.ipv6]).map {
        Match.family($0) + [
          Match.loadDestination($0), Match.isIn(name("name\($0.digit)/\(host)")),
        ]
      }
    case .linkBroadcast:
      return [
        [
          .fib(FibLoad(result: 3, flags: 2, into: Match.register)),
          .compare(Compare(Match.register, .equal, UInt32(3).hostOrder)),
        ]
      ]
    case .isatap(let embedded):
      let set = isatapSet(embedded)
      // Bytes 8…11 of the address, with the universal/local bit masked out.
      return [
        Match.family(.ipv6) + [Match.load(.network, 32, 4)]
          + Match.masked([0xfd, 0xff, 0xff, 0xff], .equal, [0x00, 0x00, 0x5e, 0xfe])
          + [Match.load(.network, 36, 4), Match.isIn(set)]
      ]
    }
  }

  private mutating func isatapSet(_ embedded: IntervalSet<UInt32>) -> String {
    let content = SetContent.ipv4(embedded)
    let prefix = name("isatap")
    if let known = sets.first(where: { $0.name.hasPrefix(prefix) && $0.content == content }) {
      return known.name
    }
    let count = sets.count { $0.name.hasPrefix(prefix) }
    let name = count == 0 ? prefix : "\(prefix)-\(count)"
    sets.append(
      NamedSet(
        name: name, flags: .interval, key: [.integer],
        typeof: PayloadLoad(.network, offsetBytes: 36, lengthBytes: 4, into: Match.register),
        content: content))
    return name
  }

  /// Two sets for every name, filled with its answers and refreshed in place.
  mutating func addNameSets() {
    var seen: Set<String> = []
    for entry in policy.allow + policy.deny {
      for reference in entry.destination?.names ?? []
      where seen.insert(reference.name).inserted {
        let known = Set(answers[reference.name] ?? []).sorted()
        for family in Family.allCases {
          sets.append(
            NamedSet(
              name: name("name\(family.digit)/\(reference.name)"),
              key: [family == .ipv4 ? .ipv4Address : .ipv6Address], size: 128,
              isRuntimeState: true,
              content: .elements(
                known.filter { $0.family == family }.map {
                  SetElement(key: $0.networkOrderBytes)
                }),
              provenance: Provenance(clause: entry.clause, location: reference.location)))
        }
      }
    }
  }
}

extension PortStep {
  /// How many ports the step takes.
  fileprivate var width: Int {
    ports.intervals.reduce(0) { $0 + Int($1.last - $1.first) + 1 }
  }
}

extension Term {
  fileprivate var provenance: Provenance { Provenance(clause: clause, location: location) }
}

extension Family {
  /// 4 or 6, for names.
  var digit: String { self == .ipv4 ? "4" : "6" }
}

extension SetElement {
  init(ports: Interval<UInt16>, verdict: Verdict? = nil) {
    self.init(
      key: ports.first.networkOrder,
      keyEnd: ports.first == ports.last ? nil : ports.last.networkOrder, verdict: verdict)
  }

  init(v4 interval: Interval<UInt32>, verdict: Verdict? = nil) {
    self.init(
      key: interval.first.networkOrder,
      keyEnd: interval.first == interval.last ? nil : interval.last.networkOrder,
      verdict: verdict)
  }

  init(v6 interval: Interval<UInt128>, verdict: Verdict? = nil) {
    self.init(
      key: interval.first.networkOrder,
      keyEnd: interval.first == interval.last ? nil : interval.last.networkOrder,
      verdict: verdict)
  }
}
