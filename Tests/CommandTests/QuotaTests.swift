import Foundation
import Glibc
import LinuxSystem
import NetworkTypes
import TestSupport
import Testing

/// `weir quota`: what is counted, what is denied when it is spent, and what begins anew.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct QuotaTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let v4 = IPAddress.v4(0xc000_0209)
  private static let v6 = IPAddress.v6(UInt128(0x2001_0db8) << 96 | 9)

  /// Sends a datagram of 1000 bytes; whether it left.
  private func send(_ address: IPAddress) throws -> Bool {
    let family = address.family == .ipv4 ? AF_INET : AF_INET6
    let socket = try HostPlant.socket(family, SOCK_DGRAM.rawValue, 0)
    defer { close(socket) }
    return try send(address, from: socket)
  }

  private func send(_ address: IPAddress, from socket: Int32) throws -> Bool {
    try HostPlant.connect(socket, to: address, port: 9)
    let bytes = [UInt8](repeating: 1, count: 1000)
    return unsafe Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
  }

  @Test func `kernel: each byte that leaves is counted once, and what is beyond is denied`() throws
  {
    try ThrowAwayNamespace.linked {
      let set = try Weir.run("quota", "set", "10kB", "--host")
      #expect(set.ending == .exit(0), "\(set.error)")
      var sent = 0
      for index in 0..<20 where try send(index.isMultiple(of: 2) ? Self.v4 : Self.v6) { sent += 1 }
      // 1028 and 1048 bytes a packet: the tenth passes 10000.
      #expect(sent == 9)
      let list = try Weir.run("quota", "list")
      #expect(list.ending == .exit(1))
      #expect(list.output.contains(" of 10000 bytes, SPENT"), "\(list.output)")
      // The loopback is no egress.
      #expect(try send(.v4(0x7f00_0001)) && send(.v6(1)))
      let more = try Weir.run("quota", "set", "1MB", "--host")
      #expect(more.ending == .exit(0), "\(more.error)")
      #expect(!more.output.contains("SPENT") && !more.output.contains(": 0 of"), "\(more.output)")
      #expect(try send(Self.v4) && send(Self.v6))
      #expect(try Weir.run("quota", "remove", "--host").output.contains("0 quotas"))
      #expect(try !Nft.ruleset().contains("weir-quotas"))
    }
  }

  @Test func `kernel: a transfer of known size is counted to the byte`() throws {
    try ThrowAwayNamespace.linked {
      #expect(try Weir.run("quota", "set", "none", "--user", "root").ending == .exit(0))
      #expect(try Weir.run("meter", "--start").ending == .exit(0))
      for _ in 0..<50 { #expect(try send(Self.v4)) }
      for _ in 0..<50 { #expect(try send(Self.v6)) }
      let list = try Weir.run("quota", "list").output
      #expect(list.contains("user root: \(50 * 1028 + 50 * 1048) bytes\n"), "\(list)")
      let meter = try Weir.run("meter").output
      #expect(meter.contains("egress ipv4: 50 packets, \(50 * 1028) bytes"), "\(meter)")
    }
  }

  @Test func `kernel: the quota of one user is no matter of another`() throws {
    try ThrowAwayNamespace.linked {
      #expect(try Weir.run("quota", "set", "1B", "--user", "4711").ending == .exit(0))
      #expect(try Weir.run("quota", "set", "1MB/day", "--user", "4712").ending == .exit(0))
      func leaves(as user: uid_t) throws -> Bool {
        let sockets = try Descriptors.owned(by: user) {
          [try HostPlant.socket(AF_INET, SOCK_DGRAM.rawValue, 0)]
        }
        defer { sockets.forEach { close($0) } }
        return try sockets.allSatisfy { try send(Self.v4, from: $0) }
      }
      #expect(try !leaves(as: 4711))
      #expect(try leaves(as: 4712))
      #expect(try leaves(as: 4713))
      let list = try Weir.run("quota", "list", "--format", "json").output
      #expect(list.contains("\"consumedBytes\" : 1028"), "\(list)")
      #expect(list.contains("\"isSpent\" : true"), "\(list)")
      #expect(list.contains("\"window\" : \"day\""), "\(list)")
      let gone = try Weir.run("quota", "remove", "--user", "9")
      #expect(gone.ending == .exit(66))
      #expect(gone.error.contains("user 9 has no quota; nothing was changed"))
      #expect(try Weir.run("quota", "remove", "--user", "4711").output.contains("1 quota\n"))
      #expect(try leaves(as: 4711))
    }
  }

  @Test(.enabled(if: ScopeTests.Group.isThere, "needs a cgroup2 that may be written"))
  func `kernel: a cgroup's quota is for the sockets that were made in it`() throws {
    let group = try ScopeTests.Group()
    try ThrowAwayNamespace.linked {
      #expect(try Weir.run("quota", "set", "2kB", "--cgroup", group.name).ending == .exit(0))
      for (family, address) in [(AF_INET, Self.v4), (AF_INET6, Self.v6)] {
        let inside = try group.socket(family)
        defer { close(inside) }
        // 1028 and 1048 bytes: the second packet is beyond, of whichever family.
        _ = try send(address, from: inside)
      }
      let inside = try group.socket(AF_INET)
      defer { close(inside) }
      #expect(try !send(Self.v4, from: inside))
      #expect(try send(Self.v4) && send(Self.v6))
      let list = try Weir.run("quota", "list")
      #expect(list.output.contains("cgroup \(group.name): "), "\(list.output)")
      #expect(list.output.contains("SPENT"), "\(list.output)")
    }
  }

  @Test func `kernel: what is forwarded from a link counts for its quota, and is denied beyond`()
    throws
  {
    let topology = try SandboxTopology(.answering, isRouted: true)
    func passes(_ family: Family, _ bytes: Int) throws -> Bool {
      let place = topology.addresses.outside(family)
      let far = try topology.outside.run {
        try HostPlant.bound(place, port: 9, SOCK_DGRAM.rawValue)
      }
      defer { close(far) }
      try topology.inside.run {
        let near = try HostPlant.socket(
          family == .ipv4 ? AF_INET : AF_INET6, SOCK_DGRAM.rawValue, 0)
        defer { close(near) }
        try HostPlant.connect(near, to: place, port: 9)
        let datagram = [UInt8](repeating: 1, count: bytes)
        _ = unsafe Glibc.send(near, datagram, datagram.count, Int32(MSG_NOSIGNAL))
      }
      var limit = timeval(tv_sec: 0, tv_usec: 200_000)
      _ = unsafe setsockopt(
        far, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
      var room = [UInt8](repeating: 0, count: 2048)
      return unsafe recv(far, &room, room.count, 0) == bytes
    }
    let link = ["--interface", SandboxTopology.tenantLinkName]
    for family in Family.allCases {
      try topology.filter.run {
        #expect(try Weir.run(["quota", "set", "3kB"] + link).ending == .exit(0))
        let seen = try (0..<4).map { _ in try passes(family, 1000) }
        // 1028 or 1048 bytes each: the third passes 3000.
        #expect(seen == [true, true, false, false], "\(family)")
        let list = try Weir.run("quota", "list").output
        #expect(list.contains("interface tenant0: "), "\(list)")
        #expect(list.contains("of 3000 bytes, SPENT"), "\(list)")
        #expect(try Weir.run(["quota", "remove"] + link).ending == .exit(0))
        #expect(try passes(family, 1000))
      }
    }
  }

  @Test func `kernel: a quota begins anew with its window, and only then`() throws {
    try ThrowAwayNamespace.linked {
      // Room for what the kernel says by itself on a new link.
      #expect(try Weir.run("quota", "set", "5kB/day", "--host").ending == .exit(0))
      #expect(try Weir.run("quota", "set", "1MB/hour", "--user", "0").ending == .exit(0))
      for _ in 0..<5 { _ = try send(Self.v4) }
      #expect(try !send(Self.v4))
      let before = try Nft.ruleset()
      #expect(try Weir.run("quota", "roll").output == "0 began anew\n")
      #expect(try Nft.ruleset() == before)
      // As if it had been set days ago: the same table with an older window in the object's name.
      let day = Int(Date().timeIntervalSince1970) / 86_400
      // As if the clock had gone back since.
      let ahead = before.replacing("host/all/day/\(day)", with: "host/all/day/\(day + 1)")
      try Nft.run("-f", try folder.file("ahead.nft", "flush ruleset\n" + ahead))
      #expect(try Weir.run("quota", "roll").output == "0 began anew\n")
      #expect(try !send(Self.v4))
      let old = before.replacing("host/all/day/\(day)", with: "host/all/day/\(day - 3)")
      #expect(old != before)
      let file = try folder.file("old.nft", "flush ruleset\n" + old)
      try Nft.run("-f", file)
      #expect(try !send(Self.v4))
      #expect(try Weir.run("quota", "roll").output == "1 began anew\n")
      let after = try Weir.run("quota", "list").output
      #expect(after.contains(" of 5000 bytes, each day\n"), "\(after)")
      #expect(!after.contains("SPENT"))
      #expect(try send(Self.v4))
      #expect(try Nft.ruleset().contains("host/all/day/\(day)"))
    }
  }

  @Test func `kernel: a table that somebody changed is told, and made anew by the next change`()
    throws
  {
    try ThrowAwayNamespace.linked {
      #expect(try Weir.run("quota", "set", "1B", "--host").ending == .exit(0))
      #expect(try !send(Self.v4))
      try Nft.run("flush", "chain", "inet", "weir-quotas", "quota/host/output")
      #expect(try send(Self.v4))
      let list = try Weir.run("quota", "list")
      #expect(list.ending == .exit(1))
      #expect(list.output.contains("changed by somebody: "), "\(list.output)")
      #expect(try Weir.run("quota", "set", "1MB", "--user", "4711").ending == .exit(0))
      #expect(try !send(Self.v4))
      #expect(try !Weir.run("quota", "list").output.contains("changed by somebody"))
      #expect(try Weir.run("quota", "remove", "--user", "4711").ending == .exit(0))
      #expect(try !Nft.ruleset().contains("quota/user"))
    }
  }

  @Test func `kernel: listed quotas are brought back with what was sent`() throws {
    try ThrowAwayNamespace.linked {
      #expect(try Weir.run("quota", "set", "1MB/week", "--host").ending == .exit(0))
      #expect(try Weir.run("quota", "set", "none", "--interface", "eth0").ending == .exit(0))
      #expect(try send(Self.v4))
      let saved = try folder.file(
        "quotas.json", try Weir.run("quota", "list", "--format", "json").output)
      #expect(try Weir.run("quota", "remove", "--all").ending == .exit(0))
      let run = try Weir.run("quota", "restore", saved)
      #expect(run.ending == .exit(0), "\(run.error)")
      #expect(run.output.contains(/host: 1[0-9]{3} of 1000000 bytes, each week/), "\(run.output)")
      #expect(run.output.contains("interface eth0: 0 bytes"), "\(run.output)")
      try HostPlant.run("ip link del eth0")
      #expect(try Weir.run("quota", "remove", "--all").ending == .exit(0))
      let partly = try Weir.run("quota", "restore", saved)
      #expect(partly.ending == .exit(1))
      #expect(partly.error.contains("there is no interface eth0"), "\(partly.error)")
      let bad = try folder.file("bad.json", "{}")
      #expect(try Weir.run("quota", "restore", bad).ending == .exit(65))
    }
  }

  @Test func `a quota that cannot be meant is refused`() throws {
    try ThrowAwayNamespace.run {
      for text in ["10", "0B", "10GB/month", "GiB", "-1B", "9999999TiB", "1.5GB", "10GB/day/hour"] {
        let run = try Weir.run("quota", "set", text, "--host")
        #expect(run.ending == .exit(64), "\(text)")
      }
      #expect(try Weir.run("quota", "set", "1GB", "--user", "nobody-here").ending == .exit(66))
      #expect(try Weir.run("quota", "set", "1GB").ending == .exit(64))
      #expect(try !Nft.ruleset().contains("weir"))
    }
  }
}
