import LinuxSystem
import Operations
import TestSupport
import Testing

/// A list so long that a sample of addresses stands for all: one address that is missing is found.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, Comment(rawValue: ThrowAwayNamespace.reason)))
struct LongListTests {
  /// 8000 addresses and 1000 /24, and 2000 IPv6 prefixes, none next to another.
  private static let list: String = {
    let single = (0..<8000).map { "11.\($0 >> 8).\($0 & 255).\(2 * ($0 % 100) + 1)" }
    let blocks = (0..<1000).map { "12.\($0 >> 7).\(2 * ($0 & 127)).0/24" }
    let wide = (0..<2000).map { "2400:\(String(2 * $0, radix: 16))::/48" }
    return (single + blocks + wide).joined(separator: "\n") + "\n"
  }()

  /// Installs the list, takes one element out of the set that has it, and audits.
  private func audited(without element: String? = nil) throws -> AuditReport {
    let folder = try TemporaryFolder()
    _ = try folder.file("list.txt", Self.list)
    let policy = try loadPolicy(
      try folder.file(
        "long.yaml",
        "policy: long\ndefault: allow\ndeny:\n  - {clause: listed, to: {file: list.txt}}\n"))
    return try ThrowAwayNamespace.run {
      try HostPlant.run("ip link add eth0 type veth peer name eth1")
      try HostPlant.run("ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up")
      var request = ApplyRequest(policy: policy)
      request.showsChanges = false
      _ = try apply(request)
      if let element {
        try HostPlant.run(
          "for set in $(nft -t list table inet weir | sed -n 's/^\\tset \\(.*\\) {/\\1/p'); do"
            + " nft delete element inet weir $set '{ \(element) }' 2>/dev/null && exit 0;"
            + " done; exit 1")
      }
      var question = AuditRequest(policy: policy)
      question.confirms = true
      return try audit(question)
    }
  }

  @Test func `kernel: a long list that is whole holds, for every packet`() throws {
    let report = try audited()
    for claim in report.claims where claim.claim != .waysAround {
      #expect(claim.answer == .holds, "\(claim.claim): \(claim.causes)")
    }
  }

  @Test(arguments: [
    // 11.3.77.91 and 12.4.18.0/24: nft takes numbers for these sets.
    ("0x0b034d5b", " to 11.3.77.91:"), ("0x0c041200-0x0c0412ff", " to 12.4.18."),
    ("2400:2a2::/48", " to [2400:2a2:"),
  ])
  func `kernel: one element that is missing in a long list is found, and a replay confirms it`(
    element: String, shown: String
  ) throws {
    let report = try audited(without: element)
    let leak = try #require(report.claims.first { $0.claim == .noLeak })
    #expect(leak.answer == .fails)
    let found = try #require(leak.findings.first)
    #expect(found.clause == "listed")
    #expect(found.packet?.contains(shown) == true, "\(found.packet ?? "")")
    #expect(found.confirmation?.agrees == true, "\(found.confirmation?.seen ?? "not replayed")")
  }
}
