import Foundation
import LinuxSystem
import Operations
import TestSupport
import Testing

/// `weir diff` between policies, snapshots and live namespaces.
struct DiffTests {
  private static func policy(ports: String) -> String {
    """
    policy: sides
    about: One web service, in both families
    inbound: deny
    source-ports: any
    idle: off
    on-deny: drop
    default: deny
    allow:
      - {clause: web, to: [192.0.2.0/24, 2001:db8:1::/48], port: \(ports)}
    tests:
      - {allow: "tcp 192.0.2.1:443", clause: web}
    """
  }

  private let folder: TemporaryFolder
  private let old: String
  private let new: String

  init() throws {
    folder = try TemporaryFolder()
    old = try folder.file("old.yaml", Self.policy(ports: "tcp/443"))
    new = try folder.file("new.yaml", Self.policy(ports: "[tcp/443, tcp/8080]"))
  }

  /// What a policy differs in from a fresh namespace where weir installed `old`, after nft commands;
  /// live, and by a snapshot file.
  private func installed(
    against other: String, after changes: String...
  ) throws -> (live: DiffReport, file: DiffReport) {
    try ThrowAwayNamespace.run {
      try HostPlant.run("ip link add eth0 type veth peer name eth1")
      try HostPlant.run("ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up")
      _ = try apply(ApplyRequest(policy: try loadPolicy(old)))
      for change in changes { try HostPlant.run("nft \(change)") }
      let file = folder.url.appending(path: "host.weir").path
      try writeSnapshot(try takeSnapshot(of: nil), to: file)
      return (try diff(DiffRequest(other, "live")), try diff(DiffRequest(other, file)))
    }
  }

  @Test(arguments: ["app-engine-sockets", "public-internet-only", "allowlist"])
  func `a policy is proved equal to itself`(name: String) throws {
    let report = try diff(DiffRequest(name, name))
    #expect(report.status == .good, "\(report.differences) \(report.causes)")
    #expect(report.ways == ["egress", "ingress"])
  }

  @Test func `one more port is exactly that region, in both families, from either side`() throws {
    let report = try diff(DiffRequest(old, new))
    #expect(report.status == .finding && report.causes == [])
    #expect(report.differences.map(\.family) == ["ipv4", "ipv6"])
    // The second IPv6 region is the first IPv4 range as NAT64 writes it.
    let ranges = ["ipv4": ["192.0.2.0/24"], "ipv6": ["64:ff9b::c000:200/120", "2001:db8:1::/48"]]
    for difference in report.differences {
      #expect(difference.way == "egress" && difference.passesIn == .b)
      #expect(difference.moreRegions == 0)
      let expected = try #require(ranges[difference.family])
      #expect(difference.regions.count == expected.count)
      for (region, range) in zip(difference.regions, expected) {
        #expect(region.region.contains(", tcp, "))
        #expect(region.region.contains("to \(range), dport 8080"), "\(region.region)")
        #expect(region.region.hasPrefix("\(difference.family), new"), "\(region.region)")
        #expect(region.packet.contains("8080"))
        #expect(region.rulesInA.last?.verdict == "drop")
        #expect(region.rulesInB.last?.verdict == "accept")
      }
    }
    let mirrored = try diff(DiffRequest(new, old))
    #expect(mirrored.differences.map(\.passesIn) == [.a, .a])
  }

  @Test func `names mean the same on both sides, and a name that is pinned differs by that`() throws
  {
    let text = try String(contentsOf: URL(filePath: old), encoding: .utf8)
    let named = try folder.file(
      "named.yaml",
      text.replacing(
        "allow:\n",
        with: "allow:\n  - {clause: n, to: {name: a.example, within: global}, port: tcp/22}\n"))
    #expect(try diff(DiffRequest(named, named)).status == .good)
    var request = DiffRequest(old, named)
    request.pins = try NamePins(arguments: ["a.example=1.2.3.4"])
    let report = try diff(request)
    #expect(report.differences.map(\.family) == ["ipv4"])
    #expect(
      report.differences.flatMap(\.regions).allSatisfy {
        $0.region.contains("to 1.2.3.4, dport 22")
      })
  }

  @Test func `a spent budget leaves it open`() throws {
    var request = DiffRequest(old, new)
    request.intervalBudget = 1000
    let report = try diff(request)
    #expect(report.status == .unknown)
    #expect(report.causes.contains { $0.contains("too complex") })
  }

  @Test func `a side that is nothing is told`() {
    #expect(throws: OperationFailure.self) { try diff(DiffRequest(old, "no-such-policy")) }
  }

  @Test(.enabled(if: ThrowAwayNamespace.isThere, Comment(rawValue: ThrowAwayNamespace.reason)))
  func `kernel: a policy is proved equal to the host where weir installed it`() throws {
    let reports = try installed(against: old)
    for report in [reports.live, reports.file] {
      #expect(report.status == .good, "\(report.differences) \(report.causes)")
    }
    #expect(reports.live.b.kind == "live" && reports.file.b.kind == "snapshot")
  }

  @Test(.enabled(if: ThrowAwayNamespace.isThere, Comment(rawValue: ThrowAwayNamespace.reason)))
  func `kernel: a table of somebody else that drops is found with its rule`() throws {
    let reports = try installed(
      against: old, after: "add table inet other",
      "'add chain inet other late { type filter hook output priority 50; }'",
      "add rule inet other late ip6 daddr 2001:db8:1:5::/64 drop")
    for report in [reports.live, reports.file] {
      #expect(report.status == .finding && report.causes == [], "\(report.causes)")
      let difference = try #require(report.differences.first { $0.way == "egress" })
      #expect(difference.family == "ipv6" && difference.passesIn == .a)
      for region in difference.regions {
        #expect(region.rulesInB.last?.table == "inet other")
        #expect(region.rulesInB.last?.rule.contains("2001:db8:1:5::/64") == true)
      }
    }
  }

  @Test(.enabled(if: ThrowAwayNamespace.isThere, Comment(rawValue: ThrowAwayNamespace.reason)))
  func `kernel: a limit leaves it open, with its rule as the cause`() throws {
    let reports = try installed(
      against: old, after: "insert rule inet weir output udp dport 9999 limit rate 1/minute accept")
    for report in [reports.live, reports.file] {
      #expect(report.status == .unknown, "\(report.differences)")
      #expect(
        report.causes.contains {
          $0.hasPrefix("egress, B: inet weir output") && $0.contains("limit")
        }, "\(report.causes)")
    }
  }

  @Test(.enabled(if: ThrowAwayNamespace.isThere, Comment(rawValue: ThrowAwayNamespace.reason)))
  func `kernel: an accept ahead of all is shown with fragments that reassembly lets pass`() throws {
    let reports = try installed(
      against: old, after: "insert rule inet weir output udp dport 9999 accept")
    for report in [reports.live, reports.file] {
      #expect(report.status == .finding && report.causes == [], "\(report.causes)")
      let regions = report.differences.filter { $0.family == "ipv6" }.flatMap(\.regions)
      let later = regions.filter { $0.facts.contains("later fragment") }
      // A short load takes the flow label of a later one for its port.
      #expect(later.contains { $0.region.contains("flow label 9999") }, "\(regions)")
      for region in later {
        #expect(region.rulesInB.last?.rule.contains("9999") == true)
        #expect(region.rulesInA.last?.verdict == "drop")
      }
    }
  }

  @Test(.enabled(if: ThrowAwayNamespace.isThere, Comment(rawValue: ThrowAwayNamespace.reason)))
  func `kernel: a destination that rules change is no proof of sameness`() throws {
    let reports = try installed(
      against: old, after: "add table ip nat",
      "'add chain ip nat output { type nat hook output priority -100; }'",
      "add rule ip nat output ip daddr 192.0.2.7 tcp dport 443 dnat to 192.0.2.8")
    #expect(reports.live.status == .unknown)
    #expect(reports.live.causes.contains { $0.contains("other addresses") }, "\(reports.live)")
  }

  @Test(.enabled(if: ThrowAwayNamespace.isThere, Comment(rawValue: ThrowAwayNamespace.reason)))
  func `kernel: marks that choose the route are compared, and the same rules are proved equal`()
    throws
  {
    let report = try ThrowAwayNamespace.run {
      let files = try (1...2).map { mark in
        try Audited.load(
          """
          flush ruleset
          table ip m {
            chain out {
              type route hook output priority 0
              tcp dport 80 meta mark set \(mark)
            }
          }
          """)
        let file = folder.url.appending(path: "mark\(mark).weir").path
        try writeSnapshot(try takeSnapshot(of: nil), to: file)
        return file
      }
      #expect(try diff(DiffRequest(files[1], "live")).status == .good)
      return try diff(DiffRequest(files[0], files[1]))
    }
    #expect(report.status == .unknown)
    #expect(report.causes.contains { $0.contains("other addresses, ports or links") })
  }

  @Test func `the report's JSON is as its schema says`() throws {
    let schema = try JSONSchema(
      String(
        contentsOf: HoleCase.folder.deletingLastPathComponent().deletingLastPathComponent()
          .deletingLastPathComponent().appending(path: "schema/diff.schema.json"),
        encoding: .utf8))
    for other in [old, new] {
      let report = try diff(DiffRequest(old, other))
      let value = try JSONSerialization.jsonObject(with: JSONEncoder().encode(report))
      #expect(schema.accepts(value))
      var wrong = try #require(value as? [String: Any])
      wrong["ways"] = ["sideways"]
      #expect(!schema.accepts(wrong))
    }
  }
}

/// `weir diff` with files of nft text.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, Comment(rawValue: ThrowAwayNamespace.reason)))
struct NftFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func text(_ port: Int) -> String {
    """
    table inet f {
      chain o {
        type filter hook output priority 0; policy drop
        tcp dport \(port) accept
      }
    }
    """
  }

  @Test func `kernel: a file of nft text is compared as the kernel holds it, never loaded here`()
    throws
  {
    try ThrowAwayNamespace.run {
      let old = try folder.file("old.nft", text(443))
      let new = try folder.file("new", text(80))
      let report = try diff(DiffRequest(old, "nft:\(new)"))
      #expect(report.a.kind == "nft" && report.b.kind == "nft")
      #expect(report.differences.map(\.family) == ["ipv4", "ipv6", "ipv4", "ipv6"])
      #expect(
        report.differences.first?.regions.first?.region.hasSuffix("dport 443") == true)
      #expect(try diff(DiffRequest(old, old)).status == .good)
      #expect(try diff(DiffRequest("live", old)).status == .finding)
      _ = try Audited.load(text(443))
      #expect(try diff(DiffRequest("live", old)).status == .good)
    }
  }

  @Test func `kernel: what weir prints is proved to be what it compiles`() throws {
    let policy = try loadPolicy("public-internet-only")
    let file = try folder.file("printed.nft", try printRules(of: policy, as: .nft))
    let report = try diff(DiffRequest(file, "public-internet-only"))
    #expect(report.status == .good, "\(report.differences) \(report.causes)")
  }

  @Test func `kernel: what nft refuses is told in its words, and a file that is none in ours`()
    throws
  {
    let bad = try folder.file("bad.nft", "table inet x {\n  chain y { nonsense }\n}\n")
    let cases = [
      (bad, ExitStatus.badData, "bad.nft:2:"), ("nft:/nowhere.nft", .notFound, "no such file"),
      ("nft:/tmp", .badData, "is a directory"),
    ]
    for (side, status, words) in cases {
      let failure = #expect(throws: OperationFailure.self) {
        try diff(DiffRequest(side, "allowlist"))
      }
      #expect(failure?.status == status)
      #expect(failure?.message.contains(words) == true, "\(failure?.message ?? "")")
    }
  }
}
