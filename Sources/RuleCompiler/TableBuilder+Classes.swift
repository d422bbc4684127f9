import Bytecode
import NetworkTypes
import PolicyLanguage

// From a new flow to the class of its address, and from there by name, link fact and port.

/// Identifies a class chain: its family's number and its terms.
struct ClassKey: Hashable {
  var family: Family
  var terms: [Int]
}

extension TableBuilder {
  /// `g/new-tcp4`, `g/new4` and the same for IPv6: opening packets only, from an allowed port.
  mutating func addNewFlowChains() {
    let noFlow = deny("no-flow")
    for family in Family.allCases {
      let digit = family.digit
      if policy.protocols.value.contains(.tcp) {
        // FIN, SYN, RST, ACK: SYN alone opens a connection.
        addChain(
          "new-tcp\(digit)",
          [
            rule(
              [Match.layer4(.tcp), [Match.load(.transport, 13, 1)]]
                + [Match.masked([0x17], .equal, [0x02])], .goto(name("new\(digit)"))),
            rule([], noFlow),
          ])
      }
      addChain("new\(digit)", newFlowRules(family))
    }
  }

  private mutating func newFlowRules(_ family: Family) -> [Rule] {
    var rules: [Rule] = []
    if family == .ipv6 {
      rules.append(
        rule([Match.family(.ipv6), Self.hasExtensionHeader(43)], deny("routing-header")))
    }
    let judge = judgeExpressions(family)
    guard let ports = policy.sourcePorts.value else { return rules + judge.map { Rule($0) } }
    let portless = policy.protocols.value.filter { !$0.hasPorts }
    if !portless.isEmpty {
      let map = anonymousMap(
        .inetProtocol, isInterval: false,
        portless.map {
          SetElement(key: [$0.rawValue], verdict: .goto(name("judge\(family.digit)")))
        })
      rules.append(
        Rule([.meta(MetaLoad(.l4proto, into: Match.register)), Match.verdictFrom(map)]))
    }
    let needsJudgeChain = judge.count > 1 || !portless.isEmpty
    let inPorts = sourcePortTest(ports)
    if needsJudgeChain {
      addChain("judge\(family.digit)", judge.map { Rule($0) })
      rules.append(rule([inPorts], .goto(name("judge\(family.digit)"))))
    } else {
      rules += judge.map { Rule(inPorts + $0) }
    }
    return rules + [rule([], deny("bind", at: policy.sourcePorts.location))]
  }

  private mutating func sourcePortTest(_ ports: PortSet) -> [Expression] {
    [Match.sourcePort] + portTest(ports)
  }

  /// Tests the port in the register against a set that is not empty.
  private mutating func portTest(_ ports: PortSet) -> [Expression] {
    if ports.intervals.count == 1, let only = ports.intervals.first { return Match.inPorts(only) }
    let isInterval = ports.intervals.contains { $0.first != $0.last }
    let set = anonymousSet(
      .inetService, isInterval: isInterval, ports.intervals.map { SetElement(ports: $0) })
    return [Match.isIn(set)]
  }

  /// The lookups that find the class of the destination; the last always gives a verdict.
  private func judgeExpressions(_ family: Family) -> [[Expression]] {
    switch family {
    case .ipv4:
      return [blockKey(isNat64: false, level: .first) + [Match.verdictFrom(name("blocks4"))]]
    case .ipv6:
      let load = Match.family(.ipv6) + [Match.loadDestination(.ipv6)]
      let maps = plan.v6.large.isEmpty ? ["destination6"] : ["shards6", "destination6"]
      return maps.map { load + [Match.verdictFrom(name($0))] }
    }
  }

  mutating func addClassifier4() {
    addBlocks4()
    addNat64()
  }

  mutating func addClassifier6() {
    var elements = [
      SetElement(
        v6: Interval(UInt128(0x64_ff9b) << 96, UInt128(0x64_ff9b) << 96 + 0xffff_ffff),
        verdict: .goto(name("nat64")))
    ]
    for addressClass in plan.v6.small {
      let verdict = classVerdict(.ipv6, addressClass.terms)
      elements += addressClass.intervals.map { SetElement(v6: $0, verdict: verdict) }
    }
    elements.sort { $0.key.lexicographicallyPrecedes($1.key) }
    elements.append(.catchAll(classVerdict(.ipv6, plan.v6.fallback)))
    addDestinationMap("destination6", .ipv6Address, elements, typeof: nil)
    addShards6()
  }

  /// 64:ff9b::a.b.c.d is judged by a.b.c.d: the same classes over the last four bytes.
  private mutating func addNat64() {
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
    var rules: [Rule] = []
    if !plan.v4.large.isEmpty {
      addBlocks64()
      rules.append(
        Rule(blockKey(isNat64: true, level: .first) + [Match.verdictFrom(name("blocks64"))]))
    }
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
    if groups.count == 1, let constant = constantTerm(groups[0].decisions) {
      verdict = self.verdict(of: plan.terms[constant])
    } else {
      let suffix = chainSuffix(family, terms)
      addClassChain(suffix, groups)
      verdict = .goto(name(suffix))
    }
    classVerdicts[key] = verdict
    return verdict
  }

  /// `to4/google`, `to6/default`: by the clauses whose addresses make the class.
  private func chainSuffix(_ family: Family, _ terms: [Int]) -> String {
    var labels: [String] = []
    for index in terms {
      guard case .fixed = plan.terms[index].addresses else { continue }
      if !labels.contains(plan.terms[index].clause) { labels.append(plan.terms[index].clause) }
    }
    let base =
      "to\(family.digit)/" + (labels.isEmpty ? "default" : labels.joined(separator: "+"))
    let isTaken = chains.contains { $0.name == name(base) }
    return isTaken || base.utf8.count > 100
      ? "to\(family.digit)/\(classVerdicts.count)" : base
  }
}

/// Protocols for which a class decides alike.
private struct ProtocolGroup {
  var protocols: [IPProtocol]
  var decisions: ProtocolDecisions
}

extension TableBuilder {
  private func protocolGroups(_ terms: [Int]) -> [ProtocolGroup] {
    var groups: [ProtocolGroup] = []
    for ipProtocol in policy.protocols.value {
      let decisions = decide(ipProtocol, terms: terms, of: plan.terms)
      if let index = groups.firstIndex(where: { $0.decisions == decisions }) {
        groups[index].protocols.append(ipProtocol)
      } else {
        groups.append(ProtocolGroup(protocols: [ipProtocol], decisions: decisions))
      }
    }
    return groups
  }

  private func constantTerm(_ decisions: ProtocolDecisions) -> Int? {
    decisions.dynamic.isEmpty && decisions.fixed.parts.count == 1
      ? decisions.fixed.parts[0].term : nil
  }

  private mutating func addClassChain(_ suffix: String, _ groups: [ProtocolGroup]) {
    if groups.count == 1 {
      addGroupChain(suffix, groups[0].decisions)
      return
    }
    var elements: [SetElement] = []
    for group in groups {
      let verdict: Verdict
      if let constant = constantTerm(group.decisions) {
        verdict = self.verdict(of: plan.terms[constant])
      } else {
        let names = group.protocols.map(\.description).joined(separator: "+")
        addGroupChain("\(suffix)/\(names)", group.decisions)
        verdict = .goto(name("\(suffix)/\(names)"))
      }
      elements += group.protocols.map { SetElement(key: [$0.rawValue], verdict: verdict) }
    }
    let map = anonymousMap(.inetProtocol, isInterval: false, elements)
    addChain(
      suffix,
      [Rule([.meta(MetaLoad(.l4proto, into: Match.register)), Match.verdictFrom(map)])])
  }

  private mutating func addGroupChain(_ suffix: String, _ decisions: ProtocolDecisions) {
    var rules: [Rule] = []
    for part in decisions.dynamic {
      let term = plan.terms[part.term]
      let ports = part.ports == .full ? [] : [Match.destinationPort] + portTest(part.ports)
      let verdict = verdict(of: term)
      rules += addressTests(term.addresses).map {
        Rule(
          ports + $0 + [Match.verdict(verdict)],
          provenance: Provenance(clause: term.clause, location: term.location))
      }
    }
    rules += portRules(decisions.fixed)
    addChain(suffix, rules)
  }

  /// Ports that differ from the rest by one lookup, then the verdict of the rest.
  private mutating func portRules(_ decisions: PortDecisions) -> [Rule] {
    func width(_ part: PortDecisions.Part) -> Int {
      part.ports.intervals.reduce(0) { $0 + Int($1.last - $1.first) + 1 }
    }
    guard let rest = decisions.parts.max(by: { width($0) < width($1) }) else { return [] }
    let others = decisions.parts.filter { $0.term != rest.term }
    var rules: [Rule] = []
    if others.count == 1, let only = others.first, only.ports.intervals.count == 1,
      let interval = only.ports.intervals.first
    {
      let verdict = verdict(of: plan.terms[only.term])
      rules.append(rule([[Match.destinationPort], Match.inPorts(interval)], verdict))
    } else if !others.isEmpty {
      var elements: [SetElement] = []
      for part in others {
        let verdict = verdict(of: plan.terms[part.term])
        elements += part.ports.intervals.map { SetElement(ports: $0, verdict: verdict) }
      }
      elements.sort { $0.key.lexicographicallyPrecedes($1.key) }
      let isInterval = elements.contains { $0.keyEnd != nil }
      let map = anonymousMap(.inetService, isInterval: isInterval, elements)
      rules.append(Rule([Match.destinationPort, Match.verdictFrom(map)]))
    }
    return rules + [rule([], verdict(of: plan.terms[rest.term]))]
  }

  /// The tests of a dynamic term: one rule for each.
  private mutating func addressTests(_ test: Term.AddressTest) -> [[Expression]] {
    switch test {
    case .any, .fixed:
      return []
    case .name(let host, _):
      return Family.allCases.map {
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

  init(v4 interval: Interval<UInt32>, verdict: Verdict) {
    self.init(
      key: interval.first.networkOrder,
      keyEnd: interval.first == interval.last ? nil : interval.last.networkOrder,
      verdict: verdict)
  }

  init(v6 interval: Interval<UInt128>, verdict: Verdict) {
    self.init(
      key: interval.first.networkOrder,
      keyEnd: interval.first == interval.last ? nil : interval.last.networkOrder,
      verdict: verdict)
  }
}
