import Foundation
import HostAudit
import HostFacts
import LinuxSystem
import NetfilterLink
import Operations
import TestSupport
import Testing

/// Every way past the rules through `weir audit` itself: a snapshot of a kernel's rules, with host
/// facts in which the way is there, cannot be seen, or is not there.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, Comment(rawValue: ThrowAwayNamespace.reason)))
struct WaysAroundAuditTests {
  /// Ways that host facts show; what rules show has rulesets of its own in `Tests/Corpus/audit`.
  private static let cases = BypassTests.cases.filter { item in
    var state = HostStates.quiet
    var rules = BypassTests.asking
    item.present(&state, &rules)
    // What conntrack picks up in the middle matters only where rules accept it.
    return rules == BypassTests.asking && state != HostStates.quiet && item.bypass != .loosePickup
  }

  /// Rows that say what somebody may do, and rows that claims about packets decide.
  private static let isNoFinding: Set<Bypass> = [
    .capabilities, .userNamespaces, .otherNamespaces, .otherProtocols, .kernelPackets, .forwarding,
  ]

  private static let policy = """
    policy: everything
    inbound: allow
    idle: off
    default: allow
    """

  private let folder: TemporaryFolder
  /// A namespace's rules, without host facts.
  private let snapshot: SnapshotFile

  init() throws {
    folder = try TemporaryFolder()
    snapshot = try ThrowAwayNamespace.run {
      let text = """
        table inet t {
          chain output { type filter hook output priority 0; policy accept; ct state new; }
        }
        """
      let outcome = try Program.run(["nft", "-f", "-"], input: text)
      #expect(outcome.ending == .exit(0), "\(outcome.error)")
      return try takeSnapshot(of: nil, includesHost: false)
    }
  }

  private func report(_ state: HostState) throws -> AuditReport {
    let file = SnapshotFile(
      kernelRelease: "6.18.44", machine: "x86_64", generation: snapshot.generation,
      sections: [
        SnapshotFile.Section(name: "nftables", bytes: try snapshot.section("nftables")),
        SnapshotFile.Section(name: "host", bytes: HostCoding.encode(state)[...]),
      ])
    let path = try folder.file("host.weir", "")
    try writeSnapshot(file, to: path)
    var request = AuditRequest(
      policy: try loadPolicy(try folder.file("everything.yaml", Self.policy)))
    request.snapshotFile = path
    return try audit(request)
  }

  @Test func `most ways have a case that host facts alone show`() {
    #expect(Self.cases.count >= 18)
  }

  @Test(arguments: cases)
  func `kernel: the audit names a way that is there or cannot be seen, and its twin is without`(
    item: BypassCase
  ) throws {
    var rules = BypassTests.asking
    var there = HostStates.quiet
    item.present(&there, &rules)
    var unseen = HostStates.quiet
    item.unknown(&unseen, &rules)
    for (state, status) in [(there, "present"), (unseen, "unknown"), (HostStates.quiet, "absent")] {
      let report = try report(state)
      let row = try #require(report.waysAround.first { $0.way == item.bypass.rawValue })
      #expect(row.status == status, "\(row.details)")
      let claim = try #require(report.claims.first { $0.claim == .waysAround })
      if status == "absent" {
        #expect(!claim.findings.contains { $0.message.hasPrefix(item.bypass.rawValue) })
      } else if !Self.isNoFinding.contains(item.bypass) {
        #expect(claim.answer == (status == "present" ? .fails : .unknown), "\(claim)")
        let told = claim.findings.map(\.message) + claim.causes
        #expect(told.contains { $0.hasPrefix(item.bypass.rawValue) }, "\(told)")
      }
    }
  }
}
