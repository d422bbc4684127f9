import Foundation
import Glibc
import LinuxSystem
import NetworkTypes
import TestSupport
import Testing

/// `weir meter` against a known number of bytes, both families.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct MeterTests {
  private struct Report: Decodable {
    struct Row: Decodable {
      var direction: String
      var family: String
      var packets: Int
      var bytes: Int
    }
    var rows: [Row]
  }

  private func egress(_ family: String) throws -> Report.Row {
    let text = try Weir.run("meter", "--format", "json").output
    let report = try JSONDecoder().decode(Report.self, from: Data(text.utf8))
    return try #require(
      report.rows.first { $0.direction == "egress" && $0.family == family })
  }

  /// Sends datagrams of 1000 bytes; how many were let out.
  private func send(_ count: Int, to address: IPAddress, port: UInt16) throws -> Int {
    let family = address.family == .ipv4 ? AF_INET : AF_INET6
    let socket = try HostPlant.socket(family, SOCK_DGRAM.rawValue, 0)
    defer { close(socket) }
    try HostPlant.connect(socket, to: address, port: port)
    let bytes = [UInt8](repeating: 7, count: 1000)
    return (0..<count).count { _ in unsafe Glibc.send(socket, bytes, bytes.count, 0) == 1000 }
  }

  private func plant() throws {
    try HostPlant.run("ip link add eth0 type veth peer name eth1")
    try HostPlant.run("ip addr add 192.0.2.2/24 dev eth0 && ip link set eth1 up")
    try HostPlant.run("ip addr add 2001:db8::2/64 dev eth0 nodad && ip link set eth0 up")
    for address in ["192.0.2.9", "2001:db8::9"] {
      try HostPlant.run("ip neigh add \(address) lladdr 02:00:00:00:00:09 dev eth0")
    }
  }

  @Test func `kernel: every byte that leaves is counted once, and none that was denied or stays`()
    throws
  {
    let folder = try TemporaryFolder()
    let policy = try folder.file(
      "p.yaml", "policy: p\ndefault: allow\ndeny:\n  - {clause: shut, port: udp/7}\n")
    try ThrowAwayNamespace.run {
      try plant()
      #expect(try Weir.run("apply", "--no-diff", policy).ending == .exit(0))
      #expect(try Weir.run("meter").ending == .exit(1))
      #expect(try Weir.run("meter", "--start").ending == .exit(0))
      for (family, address, header, own) in [
        ("ipv4", IPAddress.v4(0xc000_0209), 28, IPAddress.v4(0x7f00_0001)),
        ("ipv6", .v6(0x2001_0db8 << 96 | 9), 48, .v6(1)),
      ] {
        // The kernel's own multicast reports come in between now and then.
        var isExact = false
        for _ in 0..<5 where !isExact {
          let before = try egress(family)
          #expect(try send(10, to: address, port: 9) == 10)
          #expect(try send(5, to: address, port: 7) == 0)
          #expect(try send(5, to: own, port: 9) > 0)
          let after = try egress(family)
          isExact =
            after.packets - before.packets == 10
            && after.bytes - before.bytes == 10 * (1000 + header)
        }
        #expect(isExact, "\(family)")
      }
    }
  }

  @Test func `kernel: the meter outlives policies, and a changed one is not believed`() throws {
    let folder = try TemporaryFolder()
    let policy = try folder.file("p.yaml", "policy: p\ndefault: allow\n")
    try ThrowAwayNamespace.run {
      try plant()
      #expect(try Weir.run("meter", "--start").ending == .exit(0))
      #expect(try send(3, to: .v4(0xc000_0209), port: 9) == 3)
      #expect(try Weir.run("apply", "--no-diff", policy).ending == .exit(0))
      #expect(try Weir.run("remove").ending == .exit(0))
      #expect(try Weir.run("meter", "--start").ending == .exit(0))
      #expect(try egress("ipv4").packets >= 3)
      let table = "table inet weir-meter"
      #expect(try Weir.run("meter").output.hasPrefix("\(table) counts\n"))
      try Nft.run("insert", "rule", "inet", "weir-meter", "egress", "udp", "dport", "9", "accept")
      let outcome = try Weir.run("meter")
      #expect(outcome.ending == .exit(1))
      #expect(outcome.output.contains("unexpected: chain egress rule"))
      #expect(try Weir.run("meter", "--start").ending == .exit(0))
      #expect(try egress("ipv4").packets == 0)
      #expect(try Weir.run("meter", "--stop").output == "the meter is stopped\n")
      try Nft.run("add", "table", "inet", "weir-meter")
      #expect(try Weir.run("meter", "--start").ending == .exit(1))
      #expect(try Nft.run("list", "tables").contains("weir-meter"))
    }
  }
}
