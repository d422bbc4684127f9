import NetworkTypes
import PolicyLanguage
import PolicyMeaning
import Testing

@Suite struct BuiltInTests {
  private func set(_ texts: String...) throws -> AddressSet {
    AddressSet(try texts.map { try AddressBlock(strict: $0) })
  }

  private func group(_ name: String) throws -> Destination {
    try #require(BuiltIn.groups[name], "no group \(name)")
  }

  // MARK: Policies

  @Test(arguments: BuiltIn.policies.keys.sorted())
  func `a built-in policy parses without a diagnostic`(name: String) throws {
    let (policy, diagnostics) = PolicyParser.parse(
      path: "builtin:\(name)", source: BuiltIn.source)
    #expect(diagnostics.render() == "")
    let parsed = try #require(policy)
    #expect(parsed.name == name)
    #expect(parsed.tests.count >= 24)
    #expect(parsed.about != nil)
  }

  @Test(arguments: BuiltIn.policies.keys.sorted())
  func `a built-in policy decides its own tests as they say`(name: String) throws {
    let policy = try #require(
      PolicyParser.parse(path: "builtin:\(name)", source: BuiltIn.source).policy)
    // Google's addresses are answers that every `within:` of these policies takes; one a name.
    let names = Set(policy.allow.flatMap { $0.destination?.names.map(\.name) ?? [] }).sorted()
    let addresses = (0..<UInt32(names.count)).map { IPAddress.v4(0x8efa_7100 + $0) }
    let answer = Dictionary(uniqueKeysWithValues: zip(names, addresses))
    let answers = NameAnswers(answer.mapValues { [$0] })
    for test in policy.tests {
      var flow = test.flow
      if let name = test.remoteName { flow.remoteAddress = try #require(answer[name]) }
      let ruling = policy.decision(for: flow, names: answers)
      #expect(ruling.decision == test.expected, "\(test.location) \(flow)")
      if let clause = test.clause { #expect(ruling.clause == clause, "\(test.location) \(flow)") }
    }
  }

  @Test(arguments: BuiltIn.policies.keys.sorted())
  func `every clause of a built-in policy is cited and tested in both families`(
    name: String
  ) throws {
    let policy = try #require(
      PolicyParser.parse(path: "builtin:\(name)", source: BuiltIn.source).policy)
    for entry in policy.allow + policy.deny {
      #expect(entry.citation != nil, "\(entry.clause)")
      let tests = policy.tests.filter { $0.clause == entry.clause }
      #expect(!tests.isEmpty, "\(entry.clause)")
      let isByName = entry.destination?.names.isEmpty == false
      if !isByName, entry.clause != "broadcast" {
        #expect(Set(tests.map(\.flow.remoteAddress.family)).count == 2, "\(entry.clause)")
      }
    }
  }

  @Test func `the App Engine policy names every limit that a packet can break`() throws {
    let policy = try #require(
      PolicyParser.parse(path: "builtin:app-engine-sockets", source: BuiltIn.source).policy)
    #expect(
      policy.allow.map(\.clause) == ["google-dns", "gmail-smtp", "gmail-pop", "gmail-imap"])
    #expect(
      policy.deny.map(\.clause) == ["private", "broadcast", "multicast", "google", "ftp", "smtp"])
    #expect(policy.protocols.value == [.tcp, .udp])
    #expect(policy.inbound.value == .deny)
    #expect(policy.sourcePorts.value == PortSet([Interval(32768, 60999)]))
    #expect(policy.idleSeconds.value == 600)
    #expect(policy.onDeny.value == .reject)
    #expect(policy.defaultDecision.value == .allow)
    for clause in ["protocols", "listen", "bind", "idle", "transfer", "billing", "sockopt"] {
      #expect(policy.citations[clause] != nil, "\(clause)")
    }
  }

  // MARK: Groups

  @Test func `every address is private, multicast, broadcast or global, and only one of them`()
    throws
  {
    let parts = try ["private", "multicast", "broadcast", "global"].map { try group($0).addresses }
    #expect(parts.reduce(AddressSet()) { $0.union($1) } == .full)
    for (index, part) in parts.enumerated() {
      for other in parts[(index + 1)...] { #expect(part.intersection(other).isEmpty) }
    }
  }

  @Test func `private IPv4 is the registry's list by longest match, without broadcast`() throws {
    let expected = try set(
      "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
      "172.16.0.0/12", "192.0.0.0 - 192.0.0.8", "192.0.0.11 - 192.0.0.255", "192.0.2.0/24",
      "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
      "240.0.0.0 - 255.255.255.254")
    #expect(try group("private").addresses.v4 == expected.v4)
  }

  @Test func `private IPv6 is all but global unicast, NAT64 and multicast`() throws {
    let expected = try set(
      "::-64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff",
      "64:ff9b::1:0:0-1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
      "2001::-2001:1::", "2001:1::4-2001:2:ffff:ffff:ffff:ffff:ffff:ffff",
      "2001:4::-2001:4:111:ffff:ffff:ffff:ffff:ffff",
      "2001:4:113::-2001:1f:ffff:ffff:ffff:ffff:ffff:ffff",
      "2001:40::-2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
      "2001:db8::/32", "2002::/16", "3fff::/20",
      "4000::-feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
    #expect(
      try group("private").addresses.v6.intervals.map { AddressBlock.v6($0).description }
        == expected.v6.intervals.map { AddressBlock.v6($0).description })
  }

  @Test(arguments: [
    ("private-use", ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]),
    ("private-use-10", ["10.0.0.0/8"]), ("shared-address-space", ["100.64.0.0/10"]),
    ("loopback", ["127.0.0.0/8", "::1"]), ("link-local", ["169.254.0.0/16", "fe80::/10"]),
    (
      "documentation",
      ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"]
    ),
    ("unique-local", ["fc00::/7"]), ("teredo", ["2001::/32"]), ("6to4", ["2002::/16"]),
    ("ipv4-mapped", ["::ffff:0:0/96"]), ("ipv4-compatible", ["::/96"]),
    ("ipv4-translated", ["::ffff:0:0:0/96"]), ("nat64-local", ["64:ff9b:1::/48"]),
    ("site-local", ["fec0::/10"]), ("multicast", ["224.0.0.0/4", "ff00::/8"]),
    ("broadcast", ["255.255.255.255"]), ("nat64-discovery", ["192.0.0.170/31"]),
  ])
  func `a block has its name`(name: String, blocks: [String]) throws {
    #expect(
      try group(name).addresses == AddressSet(blocks.map { try AddressBlock(strict: $0) }))
  }

  @Test func `only broadcast means the links' directed broadcasts as well`() {
    #expect(BuiltIn.groups.filter { $0.value.includesLinkBroadcast }.map(\.key) == ["broadcast"])
  }

  @Test func `only private means ISATAP forms, those of every IPv4 address that is not global`()
    throws
  {
    #expect(BuiltIn.groups.filter { !$0.value.isatapEmbedded.isEmpty }.map(\.key) == ["private"])
    let embedded = try group("private").isatapEmbedded
    #expect(embedded == (try group("global").addresses.v4.complement))
  }

  @Test func `google is goog without google-cloud, and the API addresses`() throws {
    let api = try set(
      "199.36.153.4/30", "199.36.153.8/30", "2600:2d00:2:1000::/64", "2600:2d00:2:2000::/64")
    let goog = try group("goog").addresses
    let cloud = try group("google-cloud").addresses
    #expect(try group("google").addresses == goog.subtracting(cloud).union(api))
    #expect(cloud.v4.isSubset(of: goog.v4) && cloud.v6.isSubset(of: goog.v6))
    #expect(goog.intersection(api).isEmpty)
  }

  @Test func `metadata addresses are private but for Azure's`() throws {
    let metadata = try group("metadata").addresses
    #expect(metadata.v4.intervals.count == 7)
    #expect(metadata.v6.intervals.count == 4)
    #expect(metadata.subtracting(try group("private").addresses) == (try set("168.63.129.16")))
  }

  // MARK: Files

  @Test func `the embedded rules equal the files`() throws {
    var lines = [
      "// Made from rules/ by the test `the embedded rules equal the files`; change those files"
        + " instead.",
      "// swift-format-ignore-file", "",
      "/// The files of rules/, so that the binary works from any directory.",
      "enum EmbeddedRules {", "  /// Path below rules/ → text, by path.",
      "  static let files: [(path: String, text: String)] = [",
    ]
    for path in try Repository.files("rules") {
      lines.append("    (\"\(path)\", #\"\"\"\n\(try Repository.text("rules/\(path)"))\n\"\"\"#),")
    }
    lines += ["  ]", "}", ""]
    try Repository.expectGolden(
      lines.joined(separator: "\n"), "Sources/PolicyLanguage/EmbeddedRulesTable.swift")
  }

  @Test func `every range file says where it comes from`() throws {
    for path in try Repository.files("rules") where path.hasSuffix(".txt") {
      let text = try Repository.text("rules/\(path)")
      let list = AddressList(Array(text.utf8).span)
      #expect(list.problemCount == 0, "\(path)")
      #expect(!list.addresses.isEmpty, "\(path)")
      #expect(text.hasPrefix("# "), "\(path)")
      #expect(text.contains("RFC ") || text.contains("Source: "), "\(path)")
    }
  }
}
