import Bytecode
import NetworkTypes
import PolicyLanguage

// How packets enter: base chains, generation maps, and the dispatch by family, state and protocol.

extension TableBuilder {
  /// Base chains pass known flows, look the generation up for the rest, and drop explicitly.
  ///
  /// They and their two maps are the same in every generation: an update swaps the maps' catch-all
  /// elements and nothing else; a trial lays elements that expire above them. Known flows come first because most packets belong to one; an IPv6
  /// packet with an extension header takes the long way, where routing headers are denied. The
  /// final drop is a rule because a chain's own policy is not yet in force while the kernel
  /// registers a new base chain.
  mutating func addBaseChains() {
    for direction in ["out", "in"] {
      sets.append(
        NamedSet(
          name: "generation/\(direction)", flags: [.map, .timeout], key: [.nfproto],
          isVerdictMap: true, content: .elements([.catchAll(.goto(name(direction)))])))
    }
    for (hook, direction) in [(Hook.output, "out"), (.forward, "out"), (.input, "in")] {
      let lookup = Rule([
        .meta(MetaLoad(.nfproto, into: Match.register)),
        Match.verdictFrom("generation/\(direction)"),
      ])
      chains.append(
        Chain(
          name: "\(hook)", hook: HookBinding(hook: hook, priority: 0, policy: .drop),
          rules: (hook == .input ? knownFlowsIn : knownFlowsOut())
            + [lookup, Rule([.counter(Counter()), Match.verdict(.drop)])]))
    }
  }

  private var knownFlowsIn: [Rule] { [rule([Match.state(.established)], .accept)] }

  private mutating func knownFlowsOut() -> [Rule] {
    let plain = anonymousSet(
      .inetProtocol, isInterval: false,
      [IPProtocol.tcp, .udp, .icmpv6].map { SetElement(key: [$0.rawValue]) })
    return [
      rule([Match.family(.ipv4), Match.state(.established)], .accept),
      rule(
        [
          Match.state(.established), Match.family(.ipv6),
          [Match.load(.network, 6, 1), Match.isIn(plain)],
        ], .accept),
    ]
  }

  /// What leaves: new flows to their judge, strays to a denial by name.
  ///
  /// New flows by two comparisons: a lookup takes as long as ten of them.
  mutating func addOutEntry() {
    var cases: [DispatchCase] = []
    addErrorChains()
    let control = addOutControlChain()
    let established6 = addEstablished6Chain()
    for ipProtocol in policy.protocols.value {
      cases.append(DispatchCase(.ipv6, .established, ipProtocol, established6))
    }
    cases += errorCases(.goto(addRelated6Chain()))
    cases.append(DispatchCase(.ipv6, .untracked, .icmpv6, control))
    addDispatch("dispatch-out", cases)
    let fragment = deny("fragment")
    addChain(
      "out", comment: entryComment,
      [
        rule([Match.family(.ipv4), Match.state(.new)], .goto(name("new4"))),
        rule([Match.family(.ipv6), Match.state(.new)], .goto(name("new6"))),
        dispatchRule("dispatch-out"),
        rule(
          [Match.family(.ipv4), [Match.load(.network, 6, 2)]]
            + [Match.masked([0x3f, 0xff], .notEqual, [0, 0])], fragment),
        rule([Match.family(.ipv6), Self.hasExtensionHeader(44)], fragment),
        rule([], deny("no-flow")),
      ])
  }

  /// What arrives: errors of known flows, link control, and nothing unsolicited.
  ///
  /// Packets that a local socket sent to another over the loopback were judged when they left.
  mutating func addInEntry() {
    var cases: [DispatchCase] = []
    for ipProtocol in policy.protocols.value {
      for family in ipProtocol.families {
        cases.append(DispatchCase(family, .new, ipProtocol, .goto(name("inbound"))))
      }
    }
    cases += errorCases()
    cases.append(DispatchCase(.ipv6, .untracked, .icmpv6, addInControlChain()))
    addDispatch("dispatch-in", cases)
    let loopback = Array("lo".utf8) + [UInt8](repeating: 0, count: 14)
    addChain(
      "inbound",
      [
        rule(
          [
            [
              .meta(MetaLoad(.iifname, into: Match.register)),
              .compare(Compare(Match.register, .equal, loopback)),
            ]
          ], .accept)
      ] + fragmentDenialsIn() + essentialRulesIn()
        + (policy.inbound.value == .allow ? idleRules(policy.protocols.value) : [])
        + [rule([], inboundVerdict())])
    addChain(
      "in",
      [
        dispatchRule("dispatch-in"),
        rule(
          [Match.state(.new)], denyInbound("protocols", at: policy.protocols.location)),
        rule([], denyInbound("no-flow")),
      ])
  }

  /// What a scope's sockets answer to flows that others opened, elsewhere than on the loopback.
  mutating func addReplyEntry() {
    addChain(
      "reply",
      fragmentDenialsIn() + essentialRulesIn(areAnswers: true) + [rule([], inboundVerdict())])
  }

  /// What becomes of flows that others open, but for essentials.
  private mutating func inboundVerdict() -> Verdict {
    policy.inbound.value == .allow
      ? .accept : denyInbound("listen", at: policy.inbound.location)
  }

  /// No piece of an IPv6 packet opens a flow from outside: conntrack takes a first fragment that cannot
  /// be put together for one.
  private mutating func fragmentDenialsIn() -> [Rule] {
    let letsIn = policy.essentials.contains { $0.flows.contains { $0.direction == .inbound } }
    guard letsIn || policy.inbound.value == .allow else { return [] }
    return [rule([Match.family(.ipv6), Self.hasExtensionHeader(44)], denyInbound("fragment"))]
  }

  /// ICMP errors and resets that conntrack ties to a known flow; a helper's expectations are not
  /// among them, so no data channel opens beside a control connection.
  ///
  /// Those of IPv6 may go by way of another chain.
  private func errorCases(_ first6: Verdict? = nil) -> [DispatchCase] {
    [
      DispatchCase(.ipv4, .related, .icmp, .goto(name("errors4"))),
      DispatchCase(.ipv6, .related, .icmpv6, first6 ?? .goto(name("errors6"))),
      DispatchCase(.ipv4, .related, .tcp, .goto(name("resets"))),
      DispatchCase(.ipv6, .related, .tcp, first6 ?? .goto(name("resets"))),
    ]
  }

  /// What leaves as related over IPv6: no routing header may send it on to somebody else.
  private mutating func addRelated6Chain() -> String {
    addChain(
      "related6",
      extensionHeaderDenials() + [
        rule([Match.layer4(.tcp)], .goto(name("resets"))),
        rule([], .goto(name("errors6"))),
      ])
    return name("related6")
  }

  private mutating func addErrorChains() {
    let noFlow = deny("no-flow")
    addChain(
      "errors4",
      [
        rule([Match.family(.ipv4), icmpTypes([3, 11, 12], .icmp)], .accept),
        rule([], noFlow),
      ])
    addChain(
      "errors6",
      [
        rule([Match.family(.ipv6), icmpTypes([1, 2, 3, 4], .icmpv6)], .accept),
        rule([], noFlow),
      ])
    addChain(
      "resets",
      [
        rule(
          [Match.layer4(.tcp), [Match.load(.transport, 13, 1)]]
            + [Match.masked([0x04], .notEqual, [0])], .accept),
        rule([], noFlow),
      ])
  }

  /// Known IPv6 flows whose packet has an extension header.
  private mutating func addEstablished6Chain() -> Verdict {
    addChain("established6", extensionHeaderDenials() + [rule([], .accept)])
    return .goto(name("established6"))
  }

  /// Neighbour discovery (never forwarded: hop limit 255) and multicast listener reports.
  private mutating func addOutControlChain() -> Verdict {
    addChain(
      "control-out",
      [
        rule([Match.family(.ipv6), Self.hasExtensionHeader(44)], deny("fragment")),
        rule(
          [Match.family(.ipv6), icmpTypes([133, 135, 136], .icmpv6), Self.hopLimit(255)], .accept),
        rule(
          [Match.family(.ipv6), icmpTypes([131, 132, 143], .icmpv6), Self.hopLimit(1)]
            + [[Match.load(.network, 24, 2)]]
            + [[.compare(Compare(Match.register, .equal, [0xff, 0x02]))]], .accept),
        rule([], deny("no-flow")),
      ])
    return .goto(name("control-out"))
  }

  private mutating func addInControlChain() -> Verdict {
    addChain(
      "control-in",
      [
        rule([Match.family(.ipv6), Self.hasExtensionHeader(44)], denyInbound("fragment")),
        rule(
          [Match.family(.ipv6), icmpTypes([134, 135, 136], .icmpv6), Self.hopLimit(255)], .accept),
        rule(
          [Match.family(.ipv6), icmpTypes([130, 131, 132, 143], .icmpv6), Self.hopLimit(1)],
          .accept),
        rule([], denyInbound("no-flow")),
      ])
    return .goto(name("control-in"))
  }

  private mutating func icmpTypes(_ types: [UInt8], _ ipProtocol: IPProtocol) -> [Expression] {
    let set = anonymousSet(
      ipProtocol == .icmp ? .icmpType : .icmpv6Type, isInterval: false,
      types.map { SetElement(key: [$0]) })
    return Match.layer4(ipProtocol) + [Match.load(.transport, 0, 1), Match.isIn(set)]
  }

  private static func hopLimit(_ limit: UInt8) -> [Expression] {
    [Match.load(.network, 7, 1), .compare(Compare(Match.register, .equal, [limit]))]
  }

  /// No IPv6 packet leaves with a routing header, or as a piece of one.
  ///
  /// The kernel strips the fragment header of a whole packet before rules see it, and passes a first
  /// fragment that cannot be put together, which conntrack takes for part of its flow.
  mutating func extensionHeaderDenials() -> [Rule] {
    [(43, "routing-header"), (44, "fragment")].map { type, clause in
      rule([Match.family(.ipv6), Self.hasExtensionHeader(type)], deny(clause))
    }
  }

  /// Whether an IPv6 extension header of a type is in the packet.
  static func hasExtensionHeader(_ type: UInt8) -> [Expression] {
    [
      .extensionHeader(
        ExtensionHeaderLoad(
          operation: 0, type: type, offsetBytes: 0, lengthBytes: 1, isPresence: true,
          into: Match.register)),
      .compare(Compare(Match.register, .equal, [1])),
    ]
  }
}

/// One element of a dispatch map: packets of a family, conntrack state and protocol.
struct DispatchCase {
  let key: [UInt8]
  let verdict: Verdict

  init(
    _ family: Family, _ state: ConntrackState, _ ipProtocol: IPProtocol, _ verdict: Verdict
  ) {
    key =
      [family.rawValue, 0, 0, 0] + state.rawValue.hostOrder + [ipProtocol.rawValue, 0, 0, 0]
    self.verdict = verdict
  }
}

extension TableBuilder {
  fileprivate mutating func addDispatch(_ suffix: String, _ cases: [DispatchCase]) {
    sets.append(
      NamedSet(
        name: name(suffix), flags: .map, key: [.nfproto, .ctState, .inetProtocol],
        isVerdictMap: true, size: UInt32(exactly: cases.count),
        content: .elements(cases.map { SetElement(key: $0.key, verdict: $0.verdict) })))
  }

  fileprivate func dispatchRule(_ suffix: String) -> Rule {
    Rule([
      .meta(MetaLoad(.nfproto, into: Register(word: 0))),
      .ct(ConntrackLoad(.state, into: Register(word: 1))),
      .meta(MetaLoad(.l4proto, into: Register(word: 2))),
      Match.verdictFrom(name(suffix)),
    ])
  }
}
