import Bytecode
import NetworkTypes
import PolicyLanguage

// New flows: opening packets only, from an allowed port, then to the class of their address.

extension TableBuilder {
  /// `g/new4` and `g/new6`: one rule takes a plain packet to the class of its address.
  ///
  /// What these rules do not take, they do not deny either: `g/rare4` and `g/rare6` judge it by
  /// the policy's order. So the tests of the first rules may be as narrow as they are cheap.
  mutating func addNewFlowChains() {
    for family in Family.allCases {
      let ported = [IPProtocol.udp, .tcp].filter(policy.protocols.value.contains)
      var rules = ported.flatMap {
        essentialRules(out: family, $0)
      }
      rules += ported.map {
        Rule(
          openingTest($0, family) + sourcePortTest() + idleStatement($0) + shortCut(family))
      }
      if ported.contains(.tcp) {
        rules.append(
          rule([Match.layer4(.tcp)] + [Self.isOpening(.notEqual)], deny("no-flow")))
      }
      let listed = policy.protocols.value.filter { $0.families.contains(family) }
      if !listed.isEmpty {
        let map = anonymousMap(
          .inetProtocol, isInterval: false,
          listed.map { SetElement(key: [$0.rawValue], verdict: .goto(name("rare\(family.digit)"))) }
        )
        rules.append(
          Rule([.meta(MetaLoad(.l4proto, into: Match.register)), Match.verdictFrom(map)]))
        addChain("rare\(family.digit)", rareFlowRules(family, listed))
      }
      rules.append(rule([], deny("protocols", at: policy.protocols.location)))
      addChain("new\(family.digit)", rules)
    }
  }

  /// Whether SYN alone of FIN, SYN, RST and ACK opens the connection, or not.
  static func isOpening(_ operation: CompareOperator) -> [Expression] {
    [Match.load(.transport, 13, 1)] + Match.masked([0x17], operation, [0x02])
  }

  /// A plain opening packet; of IPv6 one without an extension header, by the first next header.
  private func openingTest(_ ipProtocol: IPProtocol, _ family: Family) -> [Expression] {
    let flags = ipProtocol == .tcp ? Self.isOpening(.equal) : []
    if family == .ipv4 { return Match.layer4(ipProtocol) + flags }
    let nextHeader = Compare(Match.register, .equal, [ipProtocol.rawValue])
    return [Match.load(.network, 6, 1), .compare(nextHeader)]
      + (flags.isEmpty ? [] : Match.layer4(ipProtocol) + flags)
  }

  private mutating func sourcePortTest() -> [Expression] {
    policy.sourcePorts.value.map { [Match.sourcePort] + portTest($0) } ?? []
  }

  /// Tests the port in the register against a set that is not empty.
  mutating func portTest(_ ports: PortSet) -> [Expression] {
    if ports.intervals.count == 1, let only = ports.intervals.first { return Match.inPorts(only) }
    let isInterval = ports.intervals.contains { $0.first != $0.last }
    let set = anonymousSet(
      .inetService, isInterval: isInterval, ports.intervals.map { SetElement(ports: $0) })
    return [Match.isIn(set)]
  }

  /// Everything else that opens a flow: extension headers (IPv6), local port, address.
  private mutating func rareFlowRules(_ family: Family, _ listed: [IPProtocol]) -> [Rule] {
    var rules =
      (family == .ipv6 ? extensionHeaderDenials() : []) + essentialRules(out: family, nil)
      + idleRules(listed)
    let judge = judgement(family)
    guard policy.sourcePorts.value != nil else { return rules + [Rule(judge)] }
    let portless = listed.filter { !$0.hasPorts }
    if !portless.isEmpty {
      addChain("judge\(family.digit)", [Rule(judge)])
      let map = anonymousMap(
        .inetProtocol, isInterval: false,
        portless.map {
          SetElement(key: [$0.rawValue], verdict: .goto(name("judge\(family.digit)")))
        })
      rules.append(
        Rule([.meta(MetaLoad(.l4proto, into: Match.register)), Match.verdictFrom(map)]))
    }
    return rules + [
      Rule(sourcePortTest() + judge), rule([], deny("bind", at: policy.sourcePorts.location)),
    ]
  }
}

extension IPProtocol {
  /// The families that a protocol is spoken in: ICMP has one for each.
  var families: [Family] {
    switch self {
    case .icmp: [.ipv4]
    case .icmpv6: [.ipv6]
    default: Family.allCases
    }
  }
}
