import Foundation
import Glibc
import LinuxSystem
import Operations
import TestSupport
import Testing

/// Hosts whose rules hold the policy, with links that are sealed against packet sockets.
@Suite(.serialized, .enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct SealAuditTests {
  private static let right = FirewallCase(
    folder: FirewallCase.root.appending(path: "iptables/correct"))
  private static let policy = FirewallCase.root.appending(path: "policy.yaml").path

  private func audited() throws -> AuditReport {
    try audit(AuditRequest(policy: try loadPolicy(Self.policy)))
  }

  private func expectPacketClaims(_ answer: ClaimAnswer, _ report: AuditReport) {
    let about: [ClaimKind] = [.noLeak, .noLeakEstablished, .noOverBlocking, .nothingEnters]
    for claim in report.claims where about.contains(claim.claim) {
      #expect(claim.answer == answer, "\(claim.claim): \(claim.causes)")
    }
  }

  private func packetSockets(_ report: AuditReport) throws -> (row: WayAround, isWayOut: Bool) {
    let row = try #require(report.waysAround.first { $0.way == "packet-sockets" })
    let claim = try #require(report.claims.first { $0.claim == .waysAround })
    return (row, claim.findings.contains { $0.message.hasPrefix("packet-sockets: ") })
  }

  @Test func `kernel: a packet socket is a way out until every link is sealed, and again after`()
    throws
  {
    try ThrowAwayNamespace.run {
      try Self.right.load()
      let socket = try HostPlant.socket(AF_PACKET, SOCK_RAW.rawValue, 0)
      defer { close(socket) }
      let open = try packetSockets(audited())
      #expect(open.row.status == "present" && open.isWayOut)

      _ = try seal(["eth0"], allowsDHCP: false, in: InstallTarget())
      let half = try packetSockets(audited())
      #expect(half.row.status == "present" && half.isWayOut)
      #expect(half.row.details.last == "not sealed: eth1")

      _ = try seal(["eth1"], allowsDHCP: true, in: InstallTarget())
      let report = try audited()
      let sealed = try packetSockets(report)
      #expect(sealed.row.status == "absent" && !sealed.isWayOut)
      #expect(
        sealed.row.details.map { $0.hasSuffix("questions of root by eth1, every link is sealed") }
          == [true])
      // Packets of the IP stack pass a seal, so the claims about them hold as without it.
      expectPacketClaims(.holds, report)

      let express = try HostPlant.socket(44, SOCK_RAW.rawValue, 0)
      let row = try audited().waysAround.first { $0.way == "xdp-sockets" }
      #expect(row?.status == "present")
      close(express)

      // What somebody changed is a chain of a device like any other.
      try HostPlant.run("nft insert rule netdev weir-seal link/eth0 accept")
      let changed = try audited()
      let again = try packetSockets(changed)
      #expect(again.row.status == "present" && again.isWayOut)
      expectPacketClaims(.unknown, changed)
      #expect(
        changed.claims[0].causes.contains(
          "not modelled: netdev weir-seal link/eth0: a chain at the hook egress"))

      _ = try unseal(nil, in: InstallTarget())
      #expect(try packetSockets(audited()).row.status == "present")
    }
  }

  @Test func `kernel: a seal is no difference between two rulesets`() throws {
    let folder = try TemporaryFolder()
    let policy = try folder.file("p.yaml", "policy: p\nidle: off\ndefault: deny\n")
    let opened = try folder.file(
      "o.yaml",
      "policy: o\nidle: off\ndefault: deny\nallow: [{clause: a, to: [192.0.2.1], port: tcp/80}]\n")
    try ThrowAwayNamespace.run {
      try HostPlant.run("ip link add eth0 type veth peer name eth1")
      _ = try apply(ApplyRequest(policy: try loadPolicy(policy)))
      #expect(try diff(DiffRequest(policy, "live")).status == .good)
      _ = try seal(["eth0"], allowsDHCP: true, in: InstallTarget())
      #expect(try diff(DiffRequest(policy, "live")).status == .good)
      // Nor does it keep an installation from saying which packets it changes.
      let changes = try apply(ApplyRequest(policy: try loadPolicy(opened))).changes
      #expect(changes.expected?.causes == [] && changes.isAsExpected == true)
      #expect(changes.expected?.differences.map(\.family) == ["ipv4", "ipv6"])
      _ = try apply(ApplyRequest(policy: try loadPolicy(policy)))
      try HostPlant.run("nft insert rule netdev weir-seal link/eth0 drop")
      #expect(try diff(DiffRequest(policy, "live")).status == .unknown)
    }
  }
}
