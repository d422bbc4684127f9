import Foundation
import Glibc
import LinuxSystem
import Operations
import TestSupport
import Testing

/// A way past packet rules, made with commands in a namespace whose rules hold the policy.
struct PlantedWay: CustomTestStringConvertible, Sendable {
  let way: String
  let plant: String
  let repair: String
  let told: String
  var testDescription: String { "\(way): \(told)" }

  static let all = [
    PlantedWay(
      way: "child-links", plant: "ip link add m0 link eth0 type macvlan",
      repair: "ip link del m0", told: "m0 (macvlan) on eth0"),
    PlantedWay(
      way: "tunnels",
      plant: "ip link add v0 type vxlan id 5 remote 192.0.2.1 dstport 4789 dev eth0",
      repair: "ip link del v0", told: "v0 (vxlan)"),
    PlantedWay(
      way: "tun-devices", plant: "ip tuntap add dev t0 mode tun",
      repair: "ip link del t0", told: "t0 (tun)"),
    PlantedWay(
      way: "route-encapsulation",
      plant: "ip route add 203.0.113.0/24 encap ip id 1 dst 192.0.2.1 dev eth0",
      repair: "ip route del 203.0.113.0/24", told: "203.0.113.0/24, table 254: IP tunnel"),
    PlantedWay(
      way: "route-encapsulation",
      plant: "ip -6 route add 2001:db8:1::/48 encap seg6 mode encap segs 2001:db8:9::1 dev eth0",
      repair: "ip -6 route del 2001:db8:1::/48",
      told: "2001:db8:1::/48, table 254: segment routing"),
    PlantedWay(
      way: "ipsec",
      plant: "ip xfrm policy add dir out src 0.0.0.0/0 dst 192.0.2.0/24"
        + " tmpl src 192.0.2.2 dst 203.0.113.1 proto esp mode tunnel",
      repair: "ip xfrm policy flush", told: "out: from 0.0.0.0/0 to 192.0.2.0/24, transformed"),
    PlantedWay(
      way: "ipsec",
      plant: "ip xfrm policy add dir out src ::/0 dst 2001:db8:1::/48"
        + " tmpl src 2001:db8:2::2 dst 2001:db8:9::1 proto esp mode tunnel",
      repair: "ip xfrm policy flush", told: "out: from ::/0 to 2001:db8:1::/48, transformed"),
    PlantedWay(
      way: "loopback-proxies", plant: "echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet",
      repair: "echo 0 > /proc/sys/net/ipv4/conf/eth0/route_localnet",
      told: "net.ipv4.conf.eth0.route_localnet is 1: 127.0.0.0/8 is reached from outside"),
    PlantedWay(
      way: "helpers",
      plant: #"nft 'table inet h { ct helper f { type "ftp" protocol tcp; }; }'"#,
      repair: "nft delete table inet h", told: "table inet h, helper ftp"),
  ]
}

@Suite(.serialized, .enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct PlantedWayTests {
  private static let policyPath = FirewallCase.root.appending(path: "policy.yaml").path
  private static let right = FirewallCase(
    folder: FirewallCase.root.appending(path: "iptables/correct"))

  private func audited() throws -> AuditReport {
    try audit(AuditRequest(policy: try loadPolicy(Self.policyPath)))
  }

  private func claim(_ kind: ClaimKind, _ report: AuditReport) throws -> AuditClaim {
    try #require(report.claims.first { $0.claim == kind })
  }

  @Test(
    .enabled(if: HostPlant.isMachineRoot, "needs root of the machine"), arguments: PlantedWay.all)
  func `kernel: a way that was planted fails the audit by name, and is gone when it was removed`(
    way: PlantedWay
  ) throws {
    try ThrowAwayNamespace.run {
      try Self.right.load()
      try HostPlant.run(way.plant)
      let report = try audited()
      let row = try #require(report.waysAround.first { $0.way == way.way })
      #expect(row.status == "present")
      #expect(row.details.contains { $0.hasPrefix(way.told) }, "\(row.details)")
      let claim = try claim(.waysAround, report)
      #expect(claim.answer == .fails)
      #expect(claim.findings.contains { $0.message.hasPrefix("\(way.way): \(way.told)") })

      try HostPlant.run(way.repair)
      let repaired = try audited()
      let after = try #require(repaired.waysAround.first { $0.way == way.way })
      #expect(after.status != "present", "\(after.details)")
      #expect(!after.details.contains { $0.hasPrefix(way.told) })
      #expect(try self.claim(.waysAround, repaired).answer != .fails)
    }
  }

  @Test(arguments: [("ip", "net/ipv4/ip_forward"), ("ip6", "net/ipv6/conf/all/forwarding")])
  func `kernel: forwarding with an open forward chain is a leak, with a closed one it is none`(
    family: String, setting: String
  ) throws {
    try ThrowAwayNamespace.run {
      try Self.right.load()
      try HostPlant.run("nft 'flush chain \(family) filter FORWARD'")
      try HostPlant.run("nft 'add chain \(family) filter FORWARD { policy accept; }'")
      // Nothing is forwarded, so the open chain lets nothing out.
      #expect(try claim(.noLeak, audited()).answer == .holds)
      try HostPlant.run("echo 1 > /proc/sys/\(setting)")
      let open = try audited()
      #expect(try claim(.noLeak, open).answer == .fails)
      #expect(open.waysAround.first { $0.way == "forwarding" }?.status == "present")
      try HostPlant.run("nft 'add chain \(family) filter FORWARD { policy drop; }'")
      let closed = try audited()
      #expect(try claim(.noLeak, closed).answer == .holds)
      // The row stays, and is decided by the claims about packets.
      #expect(closed.waysAround.first { $0.way == "forwarding" }?.status == "present")
    }
  }
}
