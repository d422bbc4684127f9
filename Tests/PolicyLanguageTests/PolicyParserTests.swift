import NetworkTypes
import PolicyLanguage
import Testing

@Suite struct PolicyParserTests {
  private func parse(
    _ text: String, limits: ParserLimits = ParserLimits()
  ) -> (policy: Policy?, codes: [DiagnosticCode]) {
    let result = PolicyParser.parse(
      path: "p.yaml", source: MemorySource(["p.yaml": text]), limits: limits)
    return (result.policy, result.diagnostics.map(\.code))
  }

  @Test func `locations are those of the values and of the entries`() throws {
    let text = """
      policy: p
      protocols: [udp, tcp]
      default: deny
      allow:
        - clause: web
          to: 192.0.2.1
        - {clause: dns, port: 53}
      tests:
        - {allow: "udp 1.1.1.1:53", clause: dns}
      """
    let policy = try #require(parse(text).policy)
    #expect(policy.protocols.location?.description == "p.yaml:2:12")
    #expect(policy.protocols.value == [.tcp, .udp])
    #expect(policy.defaultDecision.location?.description == "p.yaml:3:10")
    #expect(policy.allow.map(\.location.description) == ["p.yaml:5:5", "p.yaml:7:5"])
    #expect(policy.tests.map(\.location.description) == ["p.yaml:9:5"])
    #expect(policy.inbound.location == nil)
  }

  @Test func `what is not written has a default, and the default denies`() throws {
    let policy = try #require(
      parse("policy: p\ndefault: allow\ndeny: [{clause: a, port: 25}]").policy)
    #expect(policy.protocols.value == [.tcp, .udp])
    #expect(policy.inbound.value == .deny)
    #expect(policy.sourcePorts.value == nil)
    #expect(policy.idleSeconds.value == 600)
    #expect(policy.onDeny.value == .reject)
  }

  @Test(arguments: [
    ("90s", 90), ("10m", 600), ("2h", 7200), ("30d", 2_592_000), ("1s", 1), ("off", nil),
  ])
  func `idle is a duration`(text: String, seconds: Int?) throws {
    let policy = try #require(parse("policy: p\ndefault: deny\nidle: \(text)").policy)
    #expect(policy.idleSeconds.value == seconds)
    #expect(policy.idleSeconds.location != nil)
  }

  @Test(arguments: ["0s", "31d", "10", "010m", "-1m", "1.5h", "10 m", "10M", "inf"])
  func `a duration without a clear length is refused`(text: String) {
    #expect(parse("policy: p\ndefault: deny\nidle: \(text)").policy == nil)
  }

  @Test func `ports merge per protocol, and a protocol alone is all of it`() throws {
    let text = """
      policy: p
      protocols: [tcp, udp, icmp]
      default: deny
      allow:
        - {clause: a, port: [tcp/465, 25, tcp/466, tcp/600-700, 24, udp, icmp, udp/53]}
        - {clause: b, port: 0-65535}
      """
    let ports = try #require(parse(text).policy).allow.compactMap(\.ports)
    #expect(
      ports[0] == [
        PortMatch(ipProtocol: .tcp, ports: PortSet([Interval(465, 466), Interval(600, 700)])),
        PortMatch(ipProtocol: nil, ports: PortSet([Interval(24, 25)])),
        PortMatch(ipProtocol: .udp, ports: nil), PortMatch(ipProtocol: .icmp, ports: nil),
      ])
    #expect(ports[1] == [PortMatch(ipProtocol: nil, ports: .full)])
  }

  @Test func `a part that is wrong never widens its entry`() {
    for part in ["to: privat", "port: https", "to: [10.0.0.0/8, 10.0.0.1/8]", "to:", "port: []"] {
      #expect(parse("policy: p\ndefault: deny\nallow:\n  - clause: a\n    \(part)\n").policy == nil)
    }
  }

  @Test func `a file beyond its limit is refused, by bytes, values, depth and number`() {
    var limits = ParserLimits()
    limits.policyBytes = 10
    #expect(parse("policy: p\ndefault: deny\n", limits: limits).codes == [.fileTooLarge])
    limits = ParserLimits()
    limits.nodes = 20
    let many =
      "policy: p\ndefault: deny\nprotocols: [\((0..<30).map(String.init).joined(separator: ","))]"
    #expect(parse(many, limits: limits).codes.contains(.tooManyNodes))
    limits = ParserLimits()
    limits.listBytes = 10
    let listed = MemorySource([
      "p.yaml": "policy: p\ndefault: deny\ngroups: {a: {file: a.txt}}", "a.txt": "192.0.2.0/24\n",
    ])
    let result = PolicyParser.parse(path: "p.yaml", source: listed, limits: limits)
    #expect(result.diagnostics.map(\.code) == [.fileTooLarge])
    limits = ParserLimits()
    limits.files = 2
    let files = MemorySource([
      "p.yaml": "policy: p\ndefault: deny\ninclude: [a.yaml, b.yaml]", "a.yaml": "about: a",
      "b.yaml": "about: b",
    ])
    #expect(
      PolicyParser.parse(path: "p.yaml", source: files, limits: limits).diagnostics.map(\.code)
        == [.fileTooLarge])
  }

  @Test func `no more diagnostics are kept than asked for`() {
    var limits = ParserLimits()
    limits.diagnostics = 7
    let text = "policy: p\ndefault: deny\nprotocols: [\(String(repeating: "x,", count: 99))]"
    #expect(parse(text, limits: limits).codes == Array(repeating: .invalidProtocol, count: 7))
  }

  @Test func `a source that says no is quoted`() {
    struct Refusing: PolicySource {
      func contents(of path: String, maximumBytes: Int) throws(PolicySourceError) -> [UInt8] {
        throw .unreadable("permission denied")
      }
    }
    let (policy, diagnostics) = PolicyParser.parse(path: "p.yaml", source: Refusing())
    #expect(policy == nil)
    #expect(diagnostics.map(\.code) == [.fileUnreadable])
    #expect(
      diagnostics.render() == "p.yaml: error: cannot read the file: permission denied\n1 error\n")
  }

  @Test func `many entries are compared only as far as that is cheap`() throws {
    func text(_ entry: (Int) -> String) -> String {
      "policy: p\ndefault: deny\nallow:\n" + (0..<2000).map { "  - \(entry($0))\n" }.joined()
    }
    let apart = text { "{clause: c-\($0), to: 11.\($0 / 256).\($0 % 256).0/24}" }
    #expect(parse(apart).codes.isEmpty)
    let together = text { "{clause: c-\($0), port: \($0)}" }
    #expect(parse(together).codes == [.notCompared])
    #expect(parse(together).policy != nil)
  }

  @Test func `a path inside the policy's directory is found from where it is written`() throws {
    let source = MemorySource([
      "rules/p.yaml":
        "policy: p\ndefault: deny\ninclude: sub/deep/a.yaml\nallow: [{clause: x, to: g}]",
      "rules/sub/deep/a.yaml": "groups:\n  g: [{file: ../list.txt}]",
      "rules/sub/list.txt": "192.0.2.1\n",
    ])
    let (policy, diagnostics) = PolicyParser.parse(path: "rules/p.yaml", source: source)
    #expect(diagnostics.render() == "")
    #expect(policy?.groups.first?.items == ["{file: sub/list.txt}"])
    #expect(policy?.allow.first?.destination?.contains(.v4(0xc000_0201)) == true)
  }
}
