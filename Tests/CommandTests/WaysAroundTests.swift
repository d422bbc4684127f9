import Foundation
import Glibc
import LinuxSystem
import NetworkTypes
import TestSupport
import Testing

/// Ways around packet rules that packet rules can close: open before, shut afterwards.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct WaysAroundTests {
  private static let shut4 = IPAddress.v4(0xc000_0209)
  private static let shut6 = IPAddress.v6(UInt128(0x2001_0db8) << 96 | 9)
  private static let open4 = IPAddress.v4(0xc633_6409)

  /// A namespace with a way out, before and after a policy that shuts 192.0.2.0/24 and 2001:db8::/32.
  private func beforeAndAfter(_ body: (_ isShut: Bool) throws -> Void) throws {
    let folder = try TemporaryFolder()
    let policy = try folder.file(
      "shut.yaml",
      """
      policy: shut
      idle: off
      on-deny: drop
      default: allow
      deny: [{clause: shut, to: [192.0.2.0/24, "2001:db8::/32"]}]
      """)
    try ThrowAwayNamespace.run {
      try HostPlant.run("ip link add eth0 type veth peer name eth1")
      try HostPlant.run(
        "ip addr add 203.0.113.2/24 dev eth0 && ip -6 addr add fd00::2/64 dev eth0 nodad")
      try HostPlant.run("ip link set eth0 up && ip link set eth1 up")
      try HostPlant.run(
        "ip neigh add 203.0.113.1 lladdr 02:00:00:00:00:01 dev eth0 nud permanent"
          + " && ip -6 neigh add fd00::1 lladdr 02:00:00:00:00:01 dev eth0 nud permanent")
      try HostPlant.run(
        "ip route add default via 203.0.113.1 && ip -6 route add default via fd00::1")
      try body(false)
      #expect(try Weir.run("apply", "--no-diff", policy).ending == .exit(0))
      try body(true)
    }
  }

  private func send(_ bytes: [UInt8], from socket: Int32, to address: IPAddress) throws -> Bool {
    try HostPlant.connect(socket, to: address, port: 9)
    return unsafe Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
  }

  @Test func `kernel: no mark of a socket lets its packets by`() throws {
    try beforeAndAfter { isShut in
      for address in [Self.shut4, Self.shut6] {
        for mark in [0, 1, 0xfeed, 0xffff_ffff] as [UInt32] {
          let family = address.family == .ipv4 ? AF_INET : AF_INET6
          let socket = try HostPlant.socket(family, SOCK_DGRAM.rawValue, 0)
          defer { close(socket) }
          var mark = mark
          #expect(unsafe setsockopt(socket, SOL_SOCKET, SO_MARK, &mark, 4) == 0)
          #expect(try send([1], from: socket, to: address) == !isShut, "\(address), \(mark)")
        }
      }
    }
  }

  /// An IPv4 packet of UDP to port 9, or a piece of one; the kernel fills in length and checksum.
  private func packet(to address: IPAddress, fragment: UInt16) -> [UInt8] {
    guard case .v4(let bits) = address else { return [] }
    func bytes(_ bits: UInt32) -> [UInt8] { (0..<4).map { UInt8(bits >> (24 - 8 * $0) & 0xff) } }
    let head: [UInt8] =
      [0x45, 0, 0, 0, 0x12, 0x34, UInt8(fragment >> 8), UInt8(fragment & 0xff), 64, 17, 0, 0]
      + bytes(0xcb00_7102) + bytes(bits)
    let isFirst = fragment & 0x1fff == 0
    return head + (isFirst ? [0x9c, 0x40, 0, 9, 0, 24, 0, 0] : [])
      + [UInt8](repeating: 1, count: 16)
  }

  @Test func `kernel: fragments that IP_NODEFRAG keeps apart do not leave, to whomever`() throws {
    try beforeAndAfter { isShut in
      let socket = try HostPlant.socket(AF_INET, SOCK_RAW.rawValue, Int32(IPPROTO_RAW))
      defer { close(socket) }
      var yes: Int32 = 1
      // IP_NODEFRAG, linux/in.h.
      #expect(unsafe setsockopt(socket, Int32(IPPROTO_IP), 22, &yes, 4) == 0)
      for address in [Self.shut4, Self.open4] {
        for fragment in [0x2000, 0x2003, 0x0003] as [UInt16] {
          let left = try send(packet(to: address, fragment: fragment), from: socket, to: address)
          #expect(left == !isShut, "\(address), \(fragment)")
        }
      }
      // What is whole is judged by its address.
      #expect(try send(packet(to: Self.open4, fragment: 0), from: socket, to: Self.open4))
      #expect(
        try send(packet(to: Self.shut4, fragment: 0), from: socket, to: Self.shut4) == !isShut)
    }
  }

  @Test func `kernel: a translation of the destination is judged by where the packet goes`() throws
  {
    try beforeAndAfter { isShut in
      if !isShut {
        try Nft.run("add table inet other")
        // Whatever priority a nat chain asks for: the kernel translates at its own place, -100.
        try Nft.run("add chain inet other out { type nat hook output priority 100; }")
        try Nft.run("add rule inet other out ip daddr 198.51.100.9 dnat ip to 192.0.2.9")
        try Nft.run("add rule inet other out ip6 daddr 2620:fe::9 dnat ip6 to 2001:db8::9")
      }
      for (address, family) in [
        (Self.open4, AF_INET), (.v6(UInt128(0x2620_00fe) << 96 | 9), AF_INET6),
      ] {
        let socket = try HostPlant.socket(family, SOCK_DGRAM.rawValue, 0)
        defer { close(socket) }
        #expect(try send([1], from: socket, to: address) == !isShut, "\(address)")
      }
    }
  }

  @Test
  func `kernel: an address rewritten behind the rules is told`() throws {
    try beforeAndAfter { isShut in
      guard isShut else { return }
      try Nft.run("add table inet other")
      try Nft.run("add chain inet other late { type filter hook postrouting priority 100; }")
      try Nft.run("add rule inet other late ip daddr 198.51.100.9 ip daddr set 192.0.2.9")
      let socket = try HostPlant.socket(AF_INET, SOCK_DGRAM.rawValue, 0)
      defer { close(socket) }
      #expect(try send([1], from: socket, to: Self.open4))
      let folder = try TemporaryFolder()
      let policy = try folder.file(
        "shut.yaml",
        "policy: shut\nidle: off\non-deny: drop\ndefault: allow\n"
          + "deny: [{clause: shut, to: [192.0.2.0/24, \"2001:db8::/32\"]}]\n")
      let audit = try Weir.run("audit", policy)
      #expect(audit.ending == .exit(2))
      #expect(audit.output.contains(/no-leak +unknown/), "\(audit.output)")
      #expect(audit.output.contains("cannot decide inet other late rule 1"), "\(audit.output)")
    }
  }
}
