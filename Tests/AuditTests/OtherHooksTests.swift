import Foundation
import Glibc
import LinuxSystem
import NetworkTypes
import Operations
import TestSupport
import Testing

/// Hosts whose rules hold the policy, and what else may stand in a packet's way there.
@Suite(.serialized, .enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct OtherHooksTests {
  private static let packetClaims: [ClaimKind] = [
    .noLeak, .noLeakEstablished, .noOverBlocking, .nothingEnters,
  ]

  /// The rules that are right, of `Tests/Corpus/firewalls/iptables/correct`.
  private static let right = FirewallCase(
    folder: FirewallCase.root.appending(path: "iptables/correct"))

  private func audited() throws -> AuditReport {
    try audit(
      AuditRequest(
        policy: try loadPolicy(FirewallCase.root.appending(path: "policy.yaml").path)))
  }

  private func claim(_ kind: ClaimKind, _ report: AuditReport) throws -> AuditClaim {
    try #require(report.claims.first { $0.claim == kind })
  }

  /// A chain that is not modelled, as nft text, and the name under which it must be told.
  struct Foreign: CustomTestStringConvertible, Sendable {
    let table: String
    let chain: String
    let told: String
    var testDescription: String { "\(table), \(told)" }
  }

  private static let foreign = [
    Foreign(
      table: "netdev e",
      chain: "type filter hook egress device eth0 priority 0; tcp dport 443 drop;",
      told: "netdev e c: a chain at the hook egress"),
    Foreign(
      table: "netdev e", chain: "type filter hook egress device eth0 priority 0; fwd to \"eth1\";",
      told: "netdev e c rule 1: the packet is sent out of another device"),
    Foreign(
      table: "netdev e", chain: "type filter hook ingress device eth0 priority 0; drop;",
      told: "netdev e c: a chain at the hook ingress"),
    Foreign(
      table: "inet e", chain: "type filter hook ingress device eth0 priority 0; drop;",
      told: "inet e c: a chain at the hook ingress"),
    Foreign(
      table: "bridge e", chain: "type filter hook output priority 0; policy drop;",
      told: "bridge e c: a chain at the hook output"),
    Foreign(
      table: "arp e", chain: "type filter hook output priority 0; policy drop;",
      told: "arp e c: a chain at the hook output"),
  ]

  @Test(arguments: foreign)
  func `kernel: beside a chain of a hook that is not modelled no claim about packets holds`(
    foreign: Foreign
  ) throws {
    try ThrowAwayNamespace.run {
      try Self.right.load()
      try HostPlant.run("nft 'table \(foreign.table) { chain c { \(foreign.chain) }; }'")
      let report = try audited()
      for kind in Self.packetClaims {
        let claim = try claim(kind, report)
        #expect(claim.answer == .unknown, "\(kind)")
        #expect(claim.causes.contains("not modelled: \(foreign.told)"), "\(claim.causes)")
      }
      try HostPlant.run("nft delete table \(foreign.table)")
      let repaired = try audited()
      for kind in Self.packetClaims {
        #expect(try claim(kind, repaired).answer == .holds, "\(kind)")
      }
    }
  }

  private static let hasLegacy = ["iptables-legacy", "ip6tables-legacy"].allSatisfy { name in
    (try? Program.run([name, "--version"], input: ""))?.ending == .exit(0)
  }

  /// Whether a UDP datagram that the policy allows is sent, and not refused by a rule.
  private func sends(to address: IPAddress) throws -> Bool {
    let family = address.family == .ipv4 ? AF_INET : AF_INET6
    let descriptor = try HostPlant.socket(family, SOCK_DGRAM.rawValue, 0)
    defer { close(descriptor) }
    return (try? HostPlant.send(descriptor, to: address, port: 53)) != nil
  }

  @Test(
    .enabled(if: hasLegacy, "needs iptables-legacy and ip6tables-legacy"),
    .enabled(if: HostPlant.isMachineRoot, "needs root of the machine"),
    arguments: [
      ("iptables", IPAddress.v4(0xc633_6435)),
      ("ip6tables", .v6(0x2001_0db8_0053_0000_0000_0000_0000_0053)),
    ])
  func `kernel: a legacy table stops what the rules let pass, and no claim about packets holds`(
    program: String, allowed: IPAddress
  ) throws {
    try ThrowAwayNamespace.run {
      try Self.right.load()
      try HostPlant.run("ip -6 addr add 2001:db8:2::2/64 dev eth0 nodad")
      try HostPlant.run("ip link set eth1 up && ip route add default dev eth0")
      try HostPlant.run("ip -6 route add default dev eth0")
      for kind in Self.packetClaims {
        #expect(try claim(kind, audited()).answer == .holds, "\(kind)")
      }
      #expect(try sends(to: allowed))
      try HostPlant.run("\(program)-legacy -A OUTPUT -p udp --dport 53 -j DROP")
      // The kernel says so, and the rules of nf_tables are as before.
      #expect(try !sends(to: allowed))
      let report = try audited()
      for kind in Self.packetClaims {
        let claim = try claim(kind, report)
        #expect(claim.answer == .unknown, "\(kind)")
        #expect(
          claim.causes.contains(
            "not modelled: \(program)-legacy table filter, at the same hooks"), "\(claim.causes)")
      }
    }
  }
}
