import HostAudit
import HostFacts
import NetworkTypes
import SeededRandom
import Testing

@testable import Operations

@Suite struct HostCodingTests {
  /// A state with something in every list.
  private static var full: HostState {
    var state = HostState(unknown: "not permitted")
    let process = HostProcess(pid: 7, name: "a \"name\" \u{1}\u{e9}", program: "/bin/x", user: 0)
    state.namespace = .known(NamespaceID(device: 4, inode: 4_026_531_840))
    state.userNamespaces = .known([NamespaceID(device: 4, inode: 4_026_531_837)])
    state.kernelRelease = .known("6.18.44")
    state.links = .known([
      HostLink(
        index: 2, name: "t0", kind: "tun", xdp: [AttachedXDP(mode: "generic", program: 9)],
        tun: TunOwner(user: 1000, isTap: true, processes: .known([process])))
    ])
    state.addresses = .known([
      HostAddress(
        link: 2, address: .v4(0xc000_0201), prefixLength: 24, broadcast: .v4(0xc000_02ff)),
      HostAddress(link: 2, address: .v6(0xffff << 32 | 0x0102_0304), prefixLength: 128),
    ])
    state.routes = .known([
      HostRoute(
        destination: .v6(0), prefixLength: 0,
        hops: [NextHop(link: 2, gateway: .v6(1), encapsulation: 5)])
    ])
    state.routingRules = .known([
      RoutingRule(
        family: .ipv6, priority: 5, table: 254, users: 0...7, ipProtocol: .tcp,
        unknownAttributes: [23])
    ])
    state.settings = [
      KernelSetting(name: "net/ipv4/ip_forward", text: "0"),
      KernelSetting(name: "net/none", text: nil),
    ]
    state.conntrack = .known([
      ConntrackEntry(
        ipProtocol: .tcp,
        original: ConntrackTuple(source: .v4(1), destination: .v4(2), sourcePort: 3),
        reply: ConntrackTuple(source: .v4(2), destination: .v4(1)), helper: "ftp",
        counters: ConntrackCounters(
          originalPackets: .max, originalBytes: .max - 1, replyPackets: 0, replyBytes: 1))
    ])
    state.sockets[0].sockets = .known([
      HostSocket(
        ipProtocol: .tcp, state: 10, localAddress: .v6(1), localPort: 22, remoteAddress: .v6(0),
        inode: .max, cgroup: .max, isIPv6Only: true, owners: .known([process]))
    ])
    state.packetSockets = .known([PacketSocket(inode: 1, type: 3, etherType: 3)])
    state.xdpSockets = .known([XDPSocket(inode: 2, link: 1)])
    state.unlistedSockets = .known([
      UnlistedSocket(protocolName: "AF_VSOCK", inode: 9, isHere: nil, owners: [process])
    ])
    state.socketCounts = .known([SocketCount(name: "XDP", count: -1)])
    state.unixListeners = .known([UnixListener(path: "/run/docker.sock", inode: 3)])
    state.processes = .known(
      ProcessSurvey(
        privileged: [
          PrivilegedProcess(
            process: process, effective: .max, permitted: 0,
            userNamespace: NamespaceID(device: 4, inode: 1),
            networkNamespaces: [NamespaceID(device: 4, inode: 2)])
        ], processCount: 3, unreadableCount: 1, blindness: "hidden"))
    state.legacyTables.ip = .known(["filter"])
    state.bpf = BPFState(
      programs: .known([BPFProgram(id: 1, type: 3, name: "p")]),
      links: .known([
        BPFLink(
          id: 1, type: 10, program: 1, target: .max,
          netfilter: NetfilterAttachment(family: 2, hook: 3, priority: -1))
      ]),
      cgroups: .known([CgroupAttachment(path: "/", attachType: 10, programs: [1])]),
      devices: .known([DeviceAttachment(link: 2, attachType: 46, programs: [1])]))
    state.trafficFilters = .known([
      TrafficFilter(link: 2, parent: 0xffff_fff3, kind: "u32", actions: ["mirred"])
    ])
    state.transformPolicies = .known([
      TransformPolicy(
        direction: 1, action: 0, source: .v4(0), sourcePrefixLength: 0, destination: .v4(0),
        destinationPrefixLength: 32)
    ])
    state.namespaces = .known([
      OtherNamespace(
        id: NamespaceID(device: 4, inode: 9), number: 0, ownNumber: 1,
        links: .known([HostLink(index: 1, name: "lo")]), names: ["blue"], processes: [process],
        processCount: 12)
    ])
    state.packetGenerators = .known(["pktgen"])
    return state
  }

  private func decode(_ text: String) throws -> DecodedHostState {
    try HostCoding.decode(Array(text.utf8))
  }

  private static func text(_ state: HostState = full) -> String {
    String(decoding: HostCoding.encode(state), as: UTF8.self)
  }

  @Test(arguments: [full, HostState(unknown: "not permitted")])
  func `a state that is written reads back as itself, and writes the same bytes`(
    state: HostState
  ) throws {
    let bytes = HostCoding.encode(state)
    let decoded = try HostCoding.decode(bytes)
    #expect(decoded.state == state)
    #expect(decoded.unknownKeys == [])
    #expect(HostCoding.encode(decoded.state) == bytes)
  }

  @Test func `keys that are not known are named with their place, and the rest is read`() throws {
    let text = Self.text().replacing("\"index\":2", with: "\"colour\":\"red\",\"index\":2")
      .replacing("\"version\":1", with: "\"version\":1,\"later\":{\"more\":[1]}")
    let decoded = try decode(text)
    #expect(decoded.state == Self.full)
    #expect(
      decoded.unknownKeys == ["later", "state.links.known[].colour"])
  }

  @Test(arguments: [
    ("\"index\":2", "\"index\":\"2\"", "state.links.known[0].index"),
    (
      "\"index\":2", "\"index\":2147483648",
      "state.links.known[0].index: expected a number from -2147483648 to 2147483647"
    ),
    ("\"index\":2", "\"index\":2.5", "expected a whole number"),
    ("\"index\":2,", "", "there is no 'index'"),
    ("\"192.0.2.1\"", "\"192.0.2.256\"", "state.addresses.known[0].address"),
    ("\"192.0.2.1\"", "\"010.0.2.1\"", "state.addresses.known[0].address"),
    ("\"prefixLength\":24", "\"prefixLength\":33", "state.addresses: 192.0.2.1/33"),
    ("\"broadcast\":\"192.0.2.255\"", "\"broadcast\":\"::1\"", "state.addresses: ::1"),
    ("\"ipv6\"", "\"ipv5\"", "state.routingRules.known[0].family"),
    ("[0,7]", "[7,0]", "state.routingRules.known[0].users"),
    ("\"family\":\"ipv6\"", "\"family\":\"ipv4\",\"source\":\"::1\"", "state.routingRules: ::1"),
    ("\"kind\":\"tcp\"", "\"kind\":\"udp\"", "state.sockets: a kind twice"),
    ("\"net/none\"", "\"net/ipv4/ip_forward\"", "state.settings: a name twice"),
    ("{\"known\":\"6.18.44\"}", "{\"known\":\"x\",\"unknown\":\"y\"}", "state.kernelRelease"),
    ("{\"known\":\"6.18.44\"}", "{}", "state.kernelRelease"),
    ("{\"known\":\"6.18.44\"}", "null", "state.kernelRelease"),
  ])
  func `a wrong value is an error with its place`(old: String, new: String, words: String) {
    let text = Self.text()
    #expect(text.contains(old))
    let error = #expect(throws: HostCodingError.self) {
      try decode(text.replacing(old, with: new, maxReplacements: 1))
    }
    #expect("\(error.map { "\($0)" } ?? "")".contains(words))
  }

  @Test func `a key that stands twice is refused, however its values look`() {
    let text = Self.text().replacing("\"index\":2", with: "\"index\":2,\"index\":2")
    let escaped = Self.text().replacing("\"index\":2", with: "\"index\":2,\"\\u0069ndex\":3")
    for text in [text, escaped] {
      let error = #expect(throws: HostCodingError.self) { try decode(text) }
      guard case .duplicateKey("index", _) = error else {
        Issue.record("expected a duplicate key, got \(String(describing: error))")
        continue
      }
    }
  }

  @Test func `escapes are read as the characters they stand for`() throws {
    let name = "\"\\\u{8}\u{c}\n\r\t/é€𝄞"
    let escaped = #"\"\\\b\f\n\r\t\/\u00e9\u20ac\ud834\udd1e"#
    let decoded = try decode(Self.text().replacing("\"6.18.44\"", with: "\"\(escaped)\""))
    #expect(decoded.state.kernelRelease == .known(name))
  }

  @Test func `bytes that are no UTF-8 are refused`() {
    var bytes = HostCoding.encode(Self.full)
    let place = bytes.count / 2
    bytes.insert(0xff, at: place)
    #expect(throws: HostCodingError.self) { try HostCoding.decode(bytes) }
  }

  @Test func `another version is refused before anything else is looked at`() {
    #expect(throws: HostCodingError.version(2)) { try decode(#"{"version":2,"state":7}"#) }
  }

  @Test(arguments: [
    "", "7", "[]", "{", "{\"a\"", "{\"a\":}", "{\"a\":1,}", "{} {}", "{\"a\":\"", "{\"a\":[1,]}",
    "{\"a\":tru}", "{'a':1}", "\u{feff}{}", "{\"a\":01}", "{\"a\":-}", "{\"a\":\"\\ud800\"}",
    "{\"a\":\"\\x\"}", "{\"a\":\"\n\"}", "{\"a\":18446744073709551616}", "{\"a\":\"\\u00g0\"}",
  ])
  func `what is no JSON object is refused`(text: String) {
    #expect(throws: HostCodingError.self) { try decode(text) }
  }

  @Test func `what is nested too deep is refused before it is read`() {
    let deep = "{\"a\":" + String(repeating: "[", count: 100_000)
    let error = #expect(throws: HostCodingError.self) { try decode(deep) }
    guard case .tooDeep = error else {
      Issue.record("expected too deep, got \(String(describing: error))")
      return
    }
  }

  @Test func `UTF-16 is refused`() {
    let bytes = Self.text().utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
    #expect(throws: HostCodingError.self) { try HostCoding.decode(bytes) }
  }

  @Test(arguments: 0..<60 as Range<UInt64>)
  func `property: damaged facts are read or refused, never a crash`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var bytes = HostCoding.encode(Self.full)
    for _ in 0..<Int.random(in: 1...6, using: &random) {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<3, using: &random) {
      case 0: bytes[place] = UInt8.random(in: 0x20...0x7e, using: &random)
      case 1: bytes.insert(UInt8(ascii: "9"), at: place)
      default: bytes.removeSubrange(place..<min(bytes.count, place + 3))
      }
    }
    guard let decoded = try? HostCoding.decode(bytes) else { return }
    #expect(decoded.state.firstImplausibility == nil)
    // No judge stops at what it says.
    let findings = decoded.state.bypasses(rules: nil, acceptsMidStream: nil)
    #expect(findings.map(\.bypass) == Bypass.allCases)
    #expect(try HostCoding.decode(HostCoding.encode(decoded.state)).state == decoded.state)
  }
}
