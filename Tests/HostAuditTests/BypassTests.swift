import Bytecode
import HostAudit
import HostFacts
import NetworkTypes
import Testing

/// One case for each way past the rules: what makes it present, and what makes it unknown.
struct BypassCase: Sendable, CustomTestStringConvertible {
  var bypass: Bypass
  var words: String
  var present: @Sendable (inout HostState, inout Ruleset) -> Void
  var unknown: @Sendable (inout HostState, inout Ruleset) -> Void

  var testDescription: String { bypass.rawValue }
}

@Suite struct BypassTests {
  /// Rules that ask for the state of every packet, and nothing else.
  static let asking = ruleset([.ct(ConntrackLoad(.state, into: Register(word: 0)))])

  static func ruleset(
    _ expressions: [Expression], chain: String = "output", hook: Hook = .output
  ) -> Ruleset {
    Ruleset(tables: [
      Table(
        family: .inet, name: "t",
        chains: [
          Chain(
            name: chain, hook: HookBinding(hook: hook, priority: 0, policy: .accept),
            rules: [Rule(expressions, handle: 7)])
        ])
    ])
  }

  private static func adding(_ expression: Expression)
    -> @Sendable (
      inout HostState, inout Ruleset
    ) -> Void
  {
    { _, rules in rules.tables[0].chains[0].rules[0].expressions.append(expression) }
  }

  private static let strange = adding(.unknown(name: "later", bytes: [1]))

  private static func links(_ links: HostLink...)
    -> @Sendable (inout HostState, inout Ruleset) ->
    Void
  {
    { state, _ in state.links = state.links.map { $0 + links } }
  }

  private static let noLinks: @Sendable (inout HostState, inout Ruleset) -> Void = { state, _ in
    state.links = .unknown("not permitted")
  }

  private static func setting(
    _ name: String, _ text: String
  ) -> @Sendable (inout HostState, inout Ruleset) -> Void {
    { state, _ in state = state.with(name, .known(.init(text: text))) }
  }

  private static func noSetting(
    _ name: String
  ) -> @Sendable (inout HostState, inout Ruleset) -> Void {
    { state, _ in state = state.with(name, .unknown("not permitted")) }
  }

  static let cases: [BypassCase] =
    [
      BypassCase(bypass: .packetSockets, words: "packet socket 5 on lo, EtherType 0x0003, by curl")
      {
        state, _ in
        state.packetSockets = .known([
          PacketSocket(
            inode: 5, type: 3, etherType: 3, link: 1, owners: .known([HostStates.curl]))
        ])
      } unknown: { state, _ in
        state.packetSockets = .unknown("not permitted")
      },
      BypassCase(bypass: .xdpSockets, words: "XDP socket 6, by curl (pid 42, user 1000)") {
        state, _ in
        state.xdpSockets = .known([XDPSocket(inode: 6, owners: .known([HostStates.curl]))])
      } unknown: { state, _ in
        state.xdpSockets = .unknown("not permitted")
      },
      BypassCase(bypass: .capabilities, words: "CAP_NET_RAW, in this namespace, by curl") {
        state, _ in
        state.processes = .known(
          ProcessSurvey(privileged: [
            PrivilegedProcess(
              process: HostStates.curl, effective: 1 << 13, permitted: 0,
              userNamespace: HostStates.ownUsers, networkNamespaces: [HostStates.own])
          ]))
      } unknown: { state, _ in
        state.processes = .known(ProcessSurvey(processCount: 4, unreadableCount: 1))
      },
      BypassCase(
        bypass: .userNamespaces, words: "max_user_namespaces is 100",
        present: setting("user/max_user_namespaces", "100"),
        unknown: noSetting("user/max_user_namespaces")),
      BypassCase(
        bypass: .xdpPrograms, words: "eth0: program 9, driver mode",
        present: links(
          HostLink(index: 2, name: "eth0", xdp: [AttachedXDP(mode: "driver", program: 9)])),
        unknown: noLinks),
      BypassCase(bypass: .trafficControl, words: "lo egress: u32, priority 3, mirred") { state, _ in
        state.trafficFilters = .known([
          TrafficFilter(
            link: 1, parent: 0xffff_fff3, kind: "u32", priority: 3, actions: ["mirred"])
        ])
      } unknown: { state, _ in
        state.bpf.devices = .unknown("not permitted")
      },
      BypassCase(
        bypass: .netfilterPrograms, words: "program 4 (drop_all), IPv4 output, priority -5"
      ) {
        state, _ in
        state.bpf.programs = .known([BPFProgram(id: 4, type: 32, name: "drop_all")])
        state.bpf.links = .known([
          BPFLink(
            id: 1, type: 10, program: 4,
            netfilter: NetfilterAttachment(family: 2, hook: 3, priority: -5))
        ])
      } unknown: { state, _ in
        state.bpf.links = .unknown("not permitted")
      },
      BypassCase(bypass: .cgroupPrograms, words: "/ connect4: program 3") { state, _ in
        state.bpf.cgroups = .known([CgroupAttachment(path: "/", attachType: 10, programs: [3])])
      } unknown: { state, _ in
        state.bpf.cgroups = .unknown("not permitted")
      },
      BypassCase(bypass: .legacyTables, words: "ip6tables table filter") { state, _ in
        state.legacyTables.ip6 = .known(["filter"])
      } unknown: { state, _ in
        state.legacyTables.bridge = .unknown("the kernel does not list them")
      },
      BypassCase(bypass: .flowtables, words: "flowtable f on eth0, eth1") { _, rules in
        rules.tables[0].flowtables = [
          Flowtable(name: "f", priority: 0, devices: ["eth0", "eth1"])
        ]
      } unknown: { state, rules in
        strange(&state, &rules)
      },
      BypassCase(
        bypass: .forwarding, words: "IPv6 is forwarded (all): no rule judges it",
        present: setting("net/ipv6/conf/all/forwarding", "1"),
        unknown: noSetting("net/ipv4/conf/all/forwarding")),
      BypassCase(bypass: .bridges, words: "br0 with p0: no inet rule sees what is IPv6") {
        state, _ in
        state = state.with("net/bridge/bridge-nf-call-ip6tables", .known(.init(text: "0")))
        state.links = .known([
          HostLink(index: 2, name: "br0", kind: "bridge"),
          HostLink(index: 3, name: "p0", kind: "veth", master: 2),
        ])
      } unknown: { state, _ in
        state.links = .unknown("not permitted")
      },
      BypassCase(
        bypass: .childLinks, words: "m0 (macvlan) on lo",
        present: links(HostLink(index: 5, name: "m0", kind: "macvlan", peer: 1))
      ) { state, _ in
        state.namespaces = .known([
          OtherNamespace(id: NamespaceID(device: 4, inode: 9), links: .unknown("not permitted"))
        ])
      },
      BypassCase(
        bypass: .tunDevices, words: "t0 (tap, for user 7), by curl",
        present: links(
          HostLink(
            index: 2, name: "t0", kind: "tun",
            tun: TunOwner(user: 7, isTap: true, processes: .known([HostStates.curl])))),
        unknown: noLinks),
      BypassCase(
        bypass: .tunnels, words: "wg0 (wireguard)",
        present: links(HostLink(index: 2, name: "wg0", kind: "wireguard")), unknown: noLinks),
      BypassCase(bypass: .ipsec, words: "out: from 0.0.0.0/0 to 10.0.0.0/8, transformed") {
        state, _ in
        state.transformPolicies = .known([
          TransformPolicy(
            direction: 1, action: 0, source: .v4(0), sourcePrefixLength: 0,
            destination: .v4(0x0a00_0000), destinationPrefixLength: 8)
        ])
      } unknown: { state, _ in
        state.transformPolicies = .unknown("not permitted")
      },
      BypassCase(bypass: .routeEncapsulation, words: "::/0, table 254: segment routing") {
        state, _ in
        state.routes = .known([
          HostRoute(
            destination: .v6(0), prefixLength: 0, hops: [NextHop(link: 1, encapsulation: 5)])
        ])
      } unknown: { state, _ in
        state.routes = .known([
          HostRoute(destination: .v6(0), prefixLength: 0, nextHopObject: 4)
        ])
      },
      BypassCase(bypass: .otherNamespaces, words: "namespace 9: named blue, 3 processes, joined") {
        state, _ in
        state.links = .known([
          HostLink(index: 2, name: "v0", kind: "veth", peer: 2, peerNamespace: 0)
        ])
        state.namespaces = .known([
          OtherNamespace(
            id: NamespaceID(device: 4, inode: 9), number: 0, names: ["blue"],
            processes: [HostStates.curl], processCount: 3)
        ])
      } unknown: { state, _ in
        state.processes = .known(ProcessSurvey(blindness: "a PID namespace of its own"))
      },
      BypassCase(
        bypass: .marks, words: "table inet t, chain output, handle 7: meta mark",
        present: adding(.meta(MetaLoad(.mark, into: Register(word: 0)))), unknown: strange),
      BypassCase(
        bypass: .identity, words: "handle 7: meta skuid",
        present: adding(.meta(MetaLoad(.skuid, into: Register(word: 0)))), unknown: strange),
      BypassCase(
        bypass: .destinationRewriting, words: "handle 7: redir",
        present: adding(.redirect(Redirect(port: nil))), unknown: strange),
      BypassCase(
        bypass: .packetRewriting, words: "handle 7: target TEE",
        present: adding(.target(ExtensionTarget("TEE", revision: 1, info: []))), unknown: strange),
      BypassCase(
        bypass: .untracked, words: "handle 7: notrack", present: adding(.notrack), unknown: strange),
      BypassCase(bypass: .fragments, words: "no rule asks conntrack about IPv6") { _, rules in
        rules = ruleset([])
      } unknown: { state, _ in
        state = state.with(.raw, .unknown("not permitted"))
      },
      BypassCase(
        bypass: .helpers, words: "nf_conntrack_helper is 1",
        present: setting("net/netfilter/nf_conntrack_helper", "1")
      ) { state, _ in
        state.conntrack = .unknown("not permitted")
      },
      BypassCase(
        bypass: .loosePickup, words: "nf_conntrack_tcp_loose is on",
        present: setting("net/netfilter/nf_conntrack_tcp_loose", "1"),
        unknown: noSetting("net/netfilter/nf_conntrack_tcp_loose")),
      BypassCase(bypass: .loopbackProxies, words: "udp 127.0.0.53:53, a resolver, by curl") {
        state, _ in
        state = state.with(.udp, .known([.listening(.v4(0x7f00_0035), 53, .udp)]))
      } unknown: { state, _ in
        state.unixListeners = .unknown("not permitted")
      },
      BypassCase(bypass: .otherProtocols, words: "AF_VSOCK socket 8, by curl (pid 42, user 1000)") {
        state, _ in
        state.unlistedSockets = .known([
          UnlistedSocket(
            protocolName: "AF_VSOCK", inode: 8, isHere: true, owners: [HostStates.curl])
        ])
      } unknown: { state, _ in
        state.processes = .known(ProcessSurvey(processCount: 4, unreadableCount: 1))
      },
      BypassCase(
        bypass: .kernelPackets, words: "eth0 is up and resolves neighbours",
        present: links(HostLink(index: 2, name: "eth0", flags: 0x1043)), unknown: noLinks),
    ]

  private func finding(
    _ bypass: Bypass, _ state: HostState, _ rules: Ruleset?
  ) throws -> BypassFinding {
    let acceptsMidStream = true
    return try #require(
      state.bypasses(rules: rules, acceptsMidStream: acceptsMidStream).first { $0.bypass == bypass }
    )
  }

  @Test func `every way has a case, once`() {
    #expect(Self.cases.map(\.bypass) == Bypass.allCases)
    let words = Bypass.allCases.flatMap { [$0.consequence, $0.remedy] }
    #expect(words.allSatisfy { $0.hasSuffix(".") && $0.count > 20 })
  }

  @Test func `a quiet host has none of them, and each has a row`() {
    let findings = HostStates.quiet.bypasses(rules: Self.asking, acceptsMidStream: false)
    #expect(findings.map(\.bypass) == Bypass.allCases)
    for finding in findings {
      #expect(finding.status == .absent, "\(finding.bypass): \(finding)")
    }
  }

  @Test func `a host of which nothing is known has none that is absent, and none that is present`()
  {
    let findings = HostState(unknown: "no snapshot").bypasses(rules: nil, acceptsMidStream: nil)
    for finding in findings {
      #expect(finding.status == .unknown, "\(finding.bypass): \(finding)")
    }
  }

  @Test(
    arguments: [
      (["eth0": false], nil, ["not sealed: eth1"]),
      (["eth0": false, "eth1": false], [""], []),
      (["eth0": false, "eth1": true], [" but DHCP questions of root by eth1"], []),
      ([:], nil, []),
    ] as [([String: Bool], [String]?, [String])])
  func `a packet socket is no way out where every link but the loopback is sealed`(
    sealed: [String: Bool], exceptions: [String]?, remarks: [String]
  ) throws {
    var state = HostStates.quiet
    let links = ["eth0", "eth1"].enumerated().map { HostLink(index: Int32($0 + 2), name: $1) }
    state.links = .known((state.links.value ?? []) + links)
    state.packetSockets = .known([PacketSocket(inode: 5, type: 3, etherType: 0, link: 2)])
    state.xdpSockets = .known([XDPSocket(inode: 6)])
    let findings = state.bypasses(
      rules: Self.asking, sealedLinks: sealed, acceptsMidStream: false)
    let finding = try #require(findings.first { $0.bypass == .packetSockets })
    let socket =
      "packet socket 5 on eth0, receives nothing, owner unknown: not looked for"
    #expect(finding.status == (exceptions == nil ? .present : .absent))
    #expect(
      finding.remarks == exceptions?.map { "\(socket): sends nothing\($0), every link is sealed" }
        ?? remarks)
    #expect(findings.first { $0.bypass == .xdpSockets }?.status == .present)
    // Which links there are must be known.
    state.links = .unknown("not permitted")
    let open = state.bypasses(rules: Self.asking, sealedLinks: sealed, acceptsMidStream: false)
    #expect(open.first { $0.bypass == .packetSockets }?.status == .present)
  }

  @Test(arguments: cases)
  func `what is there is found and named`(item: BypassCase) throws {
    var state = HostStates.quiet
    var rules = Self.asking
    item.present(&state, &rules)
    let finding = try finding(item.bypass, state, rules)
    #expect(finding.status == .present)
    let text = finding.evidence.map { "\($0)" }.joined(separator: "\n")
    #expect(text.contains(item.words), "\(text)")
  }

  @Test(arguments: cases)
  func `what cannot be seen is unknown, never absent`(item: BypassCase) throws {
    var state = HostStates.quiet
    var rules = Self.asking
    item.unknown(&state, &rules)
    let finding = try finding(item.bypass, state, rules)
    #expect(finding.status == .unknown, "\(finding)")
    #expect(!finding.unknowns.isEmpty)
  }

  @Test(arguments: [
    (
      Fact<[NamespaceID]>.known([HostStates.ownUsers]), Optional(HostStates.ownUsers),
      BypassFinding.Status.present
    ),
    (.known([HostStates.ownUsers]), nil, .unknown),
    (.unknown("not permitted"), HostStates.ownUsers, .unknown),
    (
      .known([NamespaceID(device: 4, inode: 9), HostStates.ownUsers]), HostStates.ownUsers, .present
    ),
    (.known([HostStates.ownUsers]), NamespaceID(device: 4, inode: 8), .absent),
    // Made by a user: whoever that is counts, whatever is known of the others.
    (.known([NamespaceID(device: 4, inode: 9), HostStates.ownUsers]), nil, .present),
  ])
  func `a capability counts in the owning user namespace and in its ancestors only`(
    owners: Fact<[NamespaceID]>, user: NamespaceID?, status: BypassFinding.Status
  ) throws {
    var state = HostStates.quiet
    state.userNamespaces = owners
    state.processes = .known(
      ProcessSurvey(privileged: [
        PrivilegedProcess(
          process: HostStates.curl, effective: 1 << 21, permitted: 0, userNamespace: user)
      ]))
    #expect(try finding(.capabilities, state, Self.asking).status == status)
  }

  @Test func `a child link in another namespace is found on its parent here, and only on that`()
    throws
  {
    var state = HostStates.quiet
    let child = HostLink(index: 2, name: "m0", kind: "macvlan", peer: 1, peerNamespace: 3)
    for (number, status) in [(Int32(3), BypassFinding.Status.present), (4, .absent)] {
      state.namespaces = .known([
        OtherNamespace(
          id: NamespaceID(device: 4, inode: 9), ownNumber: number, links: .known([child]))
      ])
      let finding = try finding(.childLinks, state, Self.asking)
      #expect(finding.status == status)
      #expect(finding.evidence.allSatisfy { $0.text == "m0 (macvlan) in namespace 9, on lo" })
    }
  }

  @Test func `a namespace without links but a loopback is said to have no way out`() throws {
    var state = HostStates.quiet
    state.namespaces = .known([
      OtherNamespace(
        id: NamespaceID(device: 4, inode: 9),
        links: .known([HostLink(index: 1, name: "lo", flags: 9)]))
    ])
    let text = try finding(.otherNamespaces, state, Self.asking).evidence.map(\.text)
    #expect(text == ["namespace 9: no way out"])
  }

  @Test func `a target that is not known may rewrite anything`() throws {
    let rules = Self.ruleset([.target(ExtensionTarget("NEWER", revision: 0, info: []))])
    let finding = try finding(.packetRewriting, HostStates.quiet, rules)
    #expect(finding.status == .unknown)
    #expect(finding.unknowns == ["what target NEWER does is not known"])
  }

  @Test func `a reader inside a user namespace does not call capabilities from above absent`()
    throws
  {
    var state = HostStates.quiet
    let inner = NamespaceID(device: 4, inode: 9)
    state.userNamespaces = .known([inner])
    state.processes = .known(
      ProcessSurvey(privileged: [
        PrivilegedProcess(
          process: HostStates.curl, effective: 1 << 21, permitted: 0,
          userNamespace: HostStates.ownUsers)
      ]))
    let finding = try finding(.capabilities, state, Self.asking)
    #expect(finding.status == .present)
    #expect(finding.unknowns.contains { $0.contains("curl") })
  }

  @Test func `a bridge whose packets meet the rules of both families is no way around`() throws {
    var state = HostStates.quiet
    state.links = .known([
      HostLink(index: 2, name: "br0", kind: "bridge"), HostLink(index: 3, name: "p0", master: 2),
    ])
    #expect(try finding(.bridges, state, Self.asking).status == .absent)
  }

  @Test func `forwarding names the chains that judge it, or says that none does`() throws {
    let state = HostStates.quiet.with(
      "net/ipv4/conf/all/forwarding", .known(.init(text: "1")))
    let rules = Self.ruleset([], chain: "forward", hook: .forward)
    let judged = try finding(.forwarding, state, rules).evidence.map(\.text)
    #expect(judged == ["IPv4 is forwarded (all): judged by table inet t, chain forward"])
    let unread = try finding(.forwarding, state, nil).evidence.map(\.text)
    #expect(unread == ["IPv4 is forwarded (all): which rules judge it is not known"])
  }

  @Test func `a loose conntrack is no way around where the rules want a SYN`() {
    let state = HostStates.quiet.with(
      "net/netfilter/nf_conntrack_tcp_loose", .known(.init(text: "1")))
    for (accepts, status) in [
      (false, BypassFinding.Status.absent), (nil, .unknown), (true, .present),
    ] {
      let findings = state.bypasses(rules: Self.asking, acceptsMidStream: accepts)
      #expect(findings.first { $0.bypass == .loosePickup }?.status == status)
    }
  }

  @Test func `a process's name cannot forge a line of the report`() {
    let process = HostProcess(pid: 1, name: "x\n[31mroot\u{202e}", user: nil)
    let text = Evidence("packet socket 1", processes: .known([process])).description
    #expect(text == "packet socket 1, by x?[31mroot? (pid 1)")
  }
}
