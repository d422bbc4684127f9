import Foundation
import Glibc
import LinuxSystem
import NetworkTypes
import Operations
import TestSupport
import Testing

/// `weir seal`: which frames a sealed link drops, and which it does not.
///
///     far: far0 ── eth0 :here: in0 ── near0 :guest
///     192.0.2.2    192.0.2.1   198.51.100.1   198.51.100.2
///     2001:db8::2  2001:db8::1 2001:db8:1::1  2001:db8:1::2
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct SealTests {
  /// The link-layer address of far0.
  static let far: [UInt8] = [2, 0, 0, 0, 0, 2]
  private static let here: [UInt8] = [2, 0, 0, 0, 0, 1]
  private static let near: [UInt8] = [2, 0, 0, 0, 0, 4]
  private static let everybody = [UInt8](repeating: 0xff, count: 6)
  private static let ends: [(here: IPAddress, far: IPAddress)] = [
    (.v4(0xc000_0201), .v4(0xc000_0202)),
    (.v6(UInt128(0x2001_0db8) << 96 | 1), .v6(UInt128(0x2001_0db8) << 96 | 2)),
  ]

  /// The places of the drawing, and a socket that sees what arrives at far0.
  struct Place {
    let far: NetworkNamespace
    let guest: NetworkNamespace
    fileprivate let witness: PacketSocket
    fileprivate var tags: UInt64 = 0

    /// Bytes that no other frame has.
    mutating func tag() -> [UInt8] {
      tags += 1
      return Array("weir".utf8) + (0..<8).map { UInt8(tags >> ($0 * 8) & 0xff) }
    }

    /// Whether a tag arrives at far0 as it should; what should is waited for longer.
    func shows(_ tag: [UInt8], _ should: Bool = true) -> Bool {
      witness.sees(tag, within: should ? 3000 : 100) == should
    }
  }

  private func linked(_ body: (inout Place) throws -> Void) throws {
    try ThrowAwayNamespace.run {
      let (far, guest) = (try NetworkNamespace.make(), try NetworkNamespace.make())
      try HostPlant.pair("eth0", "far0", in: far)
      try HostPlant.pair("in0", "near0", in: guest)
      try HostPlant.run(
        """
        ip link set eth0 address 02:00:00:00:00:01 && ip link set in0 address 02:00:00:00:00:03
        ip addr add 192.0.2.1/24 dev eth0 && ip -6 addr add 2001:db8::1/64 dev eth0 nodad
        ip addr add 198.51.100.1/24 dev in0 && ip -6 addr add 2001:db8:1::1/64 dev in0 nodad
        ip link set eth0 up && ip link set in0 up
        echo 1 > /proc/sys/net/ipv4/ip_forward
        echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
        """)
      try far.run {
        try HostPlant.run(
          """
          ip link set far0 address 02:00:00:00:00:02 && ip link set lo up
          ip addr add 192.0.2.2/24 dev far0 && ip -6 addr add 2001:db8::2/64 dev far0 nodad
          ip link set far0 up
          """)
      }
      try guest.run {
        try HostPlant.run(
          """
          ip link set near0 address 02:00:00:00:00:04
          ip addr add 198.51.100.2/24 dev near0 && ip -6 addr add 2001:db8:1::2/64 dev near0 nodad
          ip link set near0 up && ip route add default via 198.51.100.1
          ip -6 route add default via 2001:db8:1::1
          """)
      }
      for (namespace, links) in [(nil, ["eth0", "in0"]), (far, ["far0"]), (guest, ["near0"])]
        as [(NetworkNamespace?, [String])]
      {
        try namespace.map { try $0.run { try wait(for: links) } } ?? wait(for: links)
      }
      var place = Place(
        far: far, guest: guest,
        witness: try far.run { try PacketSocket(on: "far0", receives: true) })
      try body(&place)
    }
  }

  /// Waits until links of the calling thread's namespace carry packets.
  private func wait(for links: [String]) throws {
    for _ in 0..<250 {
      let found = try RouteSocket().links()
      if links.allSatisfy({ name in found.contains { $0.name == name && $0.isOperational } }) {
        return
      }
      usleep(20_000)
    }
    throw HostPlant.Failed(what: "wait for \(links)")
  }

  private func report(_ arguments: String...) throws -> SealReport {
    let run = try Weir.run(["seal"] + arguments + ["--format", "json"])
    #expect(run.error.isEmpty, "\(run.error)")
    return try JSONDecoder().decode(SealReport.self, from: Data(run.output.utf8))
  }

  /// The frames that a link's seal has dropped.
  private func dropped(_ link: String = "eth0") throws -> UInt64 {
    try #require(try report("list").links.first { $0.link == link }).droppedFrames
  }

  private func frame(
    to: [UInt8] = far, from: [UInt8] = here, _ etherType: [UInt8], _ payload: [UInt8]
  ) -> [UInt8] { to + from + etherType + payload }

  /// A frame with a UDP datagram.
  private func datagram(
    to: [UInt8] = far, from: [UInt8] = here, _ ends: (here: IPAddress, far: IPAddress),
    ports: (UInt16, UInt16) = (9, 9), _ payload: [UInt8]
  ) -> [UInt8] {
    func pair(_ number: Int) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 0xff)] }
    let udp =
      pair(Int(ports.0)) + pair(Int(ports.1)) + pair(8 + payload.count) + [0, 0] + payload
    let addresses = ends.here.networkOrderBytes + ends.far.networkOrderBytes
    guard ends.here.family == .ipv4 else {
      let head = [0x60, 0, 0, 0] + pair(udp.count) + [17, 64]
      return frame(to: to, from: from, [0x86, 0xdd], head + addresses + udp)
    }
    let head: [UInt8] = [0x45, 0] + pair(20 + udp.count) + [0, 1, 0, 0, 64, 17]
    let words = stride(from: 0, to: 20, by: 2).map { index -> Int in
      let all = head + [0, 0] + addresses
      return Int(all[index]) << 8 | Int(all[index + 1])
    }
    let sum = words.reduce(0, +)
    let checksum = ~(sum & 0xffff + sum >> 16) & 0xffff
    return frame(to: to, from: from, [0x08, 0x00], head + pair(checksum) + addresses + udp)
  }

  /// Sends a datagram by an ordinary socket; nil when the kernel took it.
  private func send(_ bytes: [UInt8], to address: IPAddress, broadcasts: Bool = false) throws {
    let family = address.family == .ipv4 ? AF_INET : AF_INET6
    let socket = try HostPlant.socket(family, SOCK_DGRAM.rawValue, 0)
    defer { close(socket) }
    var yes: Int32 = 1
    if broadcasts { _ = unsafe setsockopt(socket, SOL_SOCKET, SO_BROADCAST, &yes, 4) }
    try HostPlant.connect(socket, to: address, port: 9)
    #expect(unsafe Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
  }

  @Test func `kernel: whatever a packet socket writes leaves before the seal, and not after`()
    throws
  {
    try linked { place in
      for isSealed in [false, true] {
        if isSealed { _ = try report("add", "eth0") }
        var expected: UInt64 = 0
        for way in PacketSocket.Way.allCases {
          let tags = (0..<6).map { _ in place.tag() }
          let frames = [
            datagram(Self.ends[0], tags[0]), datagram(Self.ends[1], tags[1]),
            datagram(to: Self.everybody, Self.ends[0], tags[2]),
            frame([0x88, 0xcc], tags[3]), frame(to: Self.everybody, [0x08, 0x06], tags[4]),
            // IPv4 behind a VLAN tag that the program wrote.
            frame([0x81, 0x00], [0, 5, 0x08, 0x00] + tags[5]),
          ]
          for (frame, tag) in zip(frames, tags) {
            let socket = try PacketSocket(way, on: "eth0")
            #expect(try socket.send(frame) == (isSealed ? ENOBUFS : nil), "\(way) \(frame)")
            #expect(place.shows(tag, !isSealed), "\(way) \(frame)")
            expected += 1
          }
        }
        if isSealed { #expect(try dropped() == expected) }
      }
      let removed = try report("remove", "eth0")
      #expect(removed.links.isEmpty)
      #expect(try !Nft.ruleset().contains("weir"))
      let tag = place.tag()
      #expect(try PacketSocket(on: "eth0").send(frame([0x88, 0xcc], tag)) == nil)
      #expect(place.shows(tag))
    }
  }

  @Test func `kernel: what the IP stack and the kernel send, and what is forwarded, passes a seal`()
    throws
  {
    try linked { place in
      for isSealed in [false, true] {
        if isSealed { _ = try report("add", "eth0", "in0") }
        // The neighbours are asked for anew: ARP and neighbour discovery.
        try HostPlant.run("ip neigh flush all")
        try place.far.run { try HostPlant.run("ip neigh flush all") }
        for ends in Self.ends {
          let large = [UInt8](repeating: 7, count: 4000)
          let tags = (0..<3).map { _ in place.tag() }
          try send(tags[0], to: ends.far)
          #expect(place.shows(tags[0]), "\(ends.far)")
          // More than fits into one packet.
          try send(tags[1] + large, to: ends.far)
          #expect(place.shows(tags[1]), "\(ends.far)")
          try place.guest.run { try send(tags[2], to: ends.far) }
          #expect(place.shows(tags[2]), "forwarded to \(ends.far)")
          // A connection each way, and the reset that the kernel sends.
          let listener = try place.far.run { try HostPlant.listener(ends.far, port: 80) }
          defer { close(listener) }
          let client = try HostPlant.socket(
            ends.far.family == .ipv4 ? AF_INET : AF_INET6, SOCK_STREAM.rawValue, 0)
          defer { close(client) }
          try HostPlant.connect(client, to: ends.far, port: 80)
          let own = try HostPlant.listener(ends.here, port: 80)
          defer { close(own) }
          for (port, code) in [(80, nil), (81, ECONNREFUSED)] as [(UInt16, Int32?)] {
            try place.far.run {
              let family = ends.far.family == .ipv4 ? AF_INET : AF_INET6
              let socket = try HostPlant.socket(family, SOCK_STREAM.rawValue, 0)
              defer { close(socket) }
              let isOpen = (try? HostPlant.connect(socket, to: ends.here, port: port)) != nil
              #expect(isOpen == (code == nil) && (isOpen || errno == code))
            }
          }
        }
        let tag = place.tag()
        try send(tag, to: .v4(0xc000_02ff), broadcasts: true)
        #expect(place.shows(tag))
        for (ends, echo) in zip(Self.ends, [(IPPROTO_ICMP, 8), (IPPROTO_ICMPV6, 128)]) {
          let socket = try HostPlant.socket(
            ends.far.family == .ipv4 ? AF_INET : AF_INET6, SOCK_RAW.rawValue, Int32(echo.0))
          defer { close(socket) }
          try HostPlant.connect(socket, to: ends.far, port: 0)
          let tag = place.tag()
          let request = [UInt8(echo.1), 0, 0, 0, 0, 1, 0, 1] + tag
          #expect(unsafe Glibc.send(socket, request, request.count, 0) == request.count)
          #expect(place.shows(tag))
        }
      }
      #expect(try dropped() == 0 && dropped("in0") == 0)
    }
  }

  @Test func `kernel: a raw socket of IP is judged by inet rules, and no matter of the seal`()
    throws
  {
    try linked { place in
      _ = try report("add", "eth0")
      for ends in Self.ends {
        let isIPv4 = ends.far.family == .ipv4
        let socket = try HostPlant.socket(
          isIPv4 ? AF_INET : AF_INET6, SOCK_RAW.rawValue, Int32(IPPROTO_RAW))
        defer { close(socket) }
        try HostPlant.connect(socket, to: ends.far, port: 0)
        let tag = place.tag()
        let packet = Array(datagram(ends, tag).dropFirst(14))
        #expect(unsafe Glibc.send(socket, packet, packet.count, 0) == packet.count)
        #expect(place.shows(tag))
        try HostPlant.run(
          "nft 'table inet t { chain o { type filter hook output priority 0; udp dport 9 drop; }; }'"
        )
        #expect(unsafe Glibc.send(socket, packet, packet.count, 0) < 0)
        try Nft.run("delete", "table", "inet", "t")
      }
      #expect(try dropped() == 0)
    }
  }

  @Test func `kernel: what a bridge forwards passes a sealed port, the host's own frames do not`()
    throws
  {
    try linked { place in
      try HostPlant.run(
        """
        ip link add br0 type bridge && ip link set br0 address 02:00:00:00:00:01
        ip link set eth0 master br0 && ip link set in0 master br0 && ip link set br0 up
        ip addr flush dev eth0 && ip addr flush dev in0
        ip addr add 192.0.2.1/24 dev br0 && ip -6 addr add 2001:db8::1/64 dev br0 nodad
        """)
      try wait(for: ["br0"])
      try place.guest.run {
        try HostPlant.run(
          "ip addr flush dev near0 && ip addr add 192.0.2.3/24 dev near0"
            + " && ip -6 addr add 2001:db8::3/64 dev near0 nodad")
      }
      for isSealed in [false, true] {
        if isSealed { _ = try report("add", "eth0", "in0") }
        for ends in Self.ends {
          let tags = (0..<4).map { _ in place.tag() }
          try send(tags[0], to: ends.far)
          #expect(place.shows(tags[0]), "own, to \(ends.far)")
          try place.guest.run { try send(tags[1], to: ends.far) }
          #expect(place.shows(tags[1]), "the guest's, to \(ends.far)")
          // The guest's frames are no matter of this namespace's packet sockets.
          try place.guest.run {
            let socket = try PacketSocket(on: "near0")
            #expect(try socket.send(datagram(from: Self.near, ends, tags[2])) == nil)
          }
          #expect(place.shows(tags[2]))
          _ = try PacketSocket(on: "br0").send(datagram(ends, tags[3]))
          #expect(place.shows(tags[3], !isSealed))
        }
      }
      #expect(try dropped() == 2)
    }
  }

  @Test func `kernel: what was received by another link is that link's, whoever sent it there`()
    throws
  {
    try linked { place in
      // What enters veth1 is sent on by eth0 as it is; the sockets are of this namespace.
      try HostPlant.run(
        """
        ip link add veth0 type veth peer name veth1 && ip link set veth0 up && ip link set veth1 up
        ip addr add 203.0.113.1/24 dev veth0
        ip neigh add 203.0.113.9 lladdr 02:00:00:00:00:02 dev veth0 nud permanent
        nft 'table netdev on { chain i { type filter hook ingress device veth1 priority 0; fwd to eth0; }; }'
        """)
      _ = try report("add", "eth0")
      for isSealed in [false, true] {
        if isSealed { _ = try report("add", "veth0") }
        let tags = [place.tag(), place.tag()]
        try send(tags[0], to: .v4(0xcb00_7109))
        #expect(place.shows(tags[0]))
        let socket = try PacketSocket(on: "veth0")
        #expect(try socket.send(frame([0x88, 0xcc], tags[1])) == (isSealed ? ENOBUFS : nil))
        #expect(place.shows(tags[1], !isSealed))
      }
      #expect(try dropped() == 0 && dropped("veth0") == 1)
    }
  }

  @Test func `kernel: links that rest on a sealed one send what IP makes, and nothing else`() throws
  {
    try linked { place in
      try HostPlant.run(
        """
        ip link add mac0 link eth0 type macvlan mode bridge
        ip link set mac0 address 02:00:00:00:00:05 && ip link set mac0 up
        ip addr add 203.0.113.1/24 dev mac0
        ip neigh add 203.0.113.9 lladdr 02:00:00:00:00:02 dev mac0 nud permanent
        ip link add tun0 type vxlan id 5 remote 192.0.2.2 local 192.0.2.1 dstport 4789 dev eth0
        ip link set tun0 up && ip addr add 10.9.0.1/24 dev tun0
        ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:06 dev tun0 nud permanent
        """)
      _ = try report("add", "eth0")
      for address in [IPAddress.v4(0xcb00_7109), .v4(0x0a09_0002)] {
        let tag = place.tag()
        try send(tag, to: address)
        #expect(place.shows(tag), "\(address)")
      }
      let macTag = place.tag()
      #expect(try PacketSocket(on: "mac0").send(frame([0x88, 0xcc], macTag)) == ENOBUFS)
      #expect(place.shows(macTag, false))
      // What a tunnel wraps is a packet of the IP stack: the tunnel needs a seal of its own.
      for isSealed in [false, true] {
        if isSealed {
          #expect(try report("list").openLinks == ["in0", "mac0", "tun0"])
          _ = try report("add", "tun0")
        }
        let tag = place.tag()
        _ = try PacketSocket(on: "tun0").send(frame([0x88, 0xcc], tag))
        #expect(place.shows(tag, !isSealed))
      }
    }
  }

  @Test func `kernel: a DHCP client of root may ask where it is let, and nothing beside it`() throws
  {
    try linked { place in
      let all: [(here: IPAddress, far: IPAddress)] = [
        (.v4(0), .v4(.max)), (Self.ends[1].here, .v6(UInt128(0xff02) << 112 | 0x1_0002)),
      ]
      for allows in [false, true] {
        _ = allows ? try report("add", "eth0", "--allow-dhcp") : try report("add", "eth0")
        for (ends, ports) in zip(all, [(68, 67), (546, 547)] as [(UInt16, UInt16)]) {
          for way in [PacketSocket.Way.raw, .datagram, .pastQueue] {
            let tag = place.tag()
            let question = datagram(to: Self.everybody, ends, ports: ports, tag)
            let code = try PacketSocket(way, on: "eth0").send(question)
            #expect(code == (allows ? nil : ENOBUFS), "\(way) \(ends.far)")
            #expect(place.shows(tag, allows))
          }
          let others = [
            datagram(to: Self.everybody, ends, ports: (ports.1, ports.0), place.tag()),
            datagram(to: Self.everybody, ends, ports: (ports.0, 53), place.tag()),
            datagram(
              (ends.here, ends.far.family == .ipv4 ? Self.ends[0].far : Self.ends[1].far),
              ports: ports, place.tag()),
          ]
          for other in others {
            #expect(try PacketSocket(on: "eth0").send(other) == ENOBUFS, "\(other)")
          }
        }
      }
      let row = try #require(try report("list").links.first)
      #expect(row.allowsDHCP)
      #expect(row.dhcpFrames == 6)
      // Without what allowed it, it is over.
      #expect(try report("add", "eth0").links.first?.allowsDHCP == false)
      let question = datagram(to: Self.everybody, all[0], ports: (68, 67), place.tag())
      #expect(try PacketSocket(on: "eth0").send(question) == ENOBUFS)
    }
  }

  @Test func `kernel: a link that went is told, and is sealed again when it is back`() throws {
    try linked { place in
      _ = try report("add", "eth0", "in0")
      #expect(try PacketSocket(on: "in0").send(frame([0x88, 0xcc], place.tag())) == ENOBUFS)
      try HostPlant.run("ip link del eth0")
      let list = try Weir.run("seal", "list")
      #expect(list.ending == .exit(1))
      #expect(list.output.contains("eth0: dropped 0 frames, 0 bytes, GONE"), "\(list.output)")
      try HostPlant.run(
        "ip link add eth0 type veth peer name eth1 && ip link set eth0 up && ip link set eth1 up")
      #expect(try PacketSocket(on: "eth0").send(frame([0x88, 0xcc], place.tag())) == ENOBUFS)
      let back = try Weir.run("seal", "list")
      #expect(back.ending == .exit(0))
      #expect(back.output.contains("eth0: dropped 1 frames, "), "\(back.output)")
      #expect(back.output.contains("  not sealed: eth1\n"), "\(back.output)")
      // Under another name it is another link.
      try HostPlant.run(
        "ip link set eth0 down && ip link set eth0 name eth2 && ip link set eth2 up")
      #expect(try PacketSocket(on: "eth2").send(frame([0x88, 0xcc], place.tag())) == nil)
      let renamed = try report("list")
      #expect(renamed.links.first?.isHere == false && renamed.openLinks.contains("eth2"))
      // The other one went on counting.
      #expect(try dropped("in0") == 1)
    }
  }

  @Test func `kernel: a seal that somebody changed is told, and made anew by the next change`()
    throws
  {
    try linked { place in
      _ = try report("add", "eth0")
      try Nft.run("flush", "chain", "netdev", "weir-seal", "link/eth0")
      #expect(try PacketSocket(on: "eth0").send(frame([0x88, 0xcc], place.tag())) == nil)
      let list = try Weir.run("seal", "list")
      #expect(list.ending == .exit(1))
      #expect(list.output.contains("changed by somebody: missing: chain link/eth0 rule 1"))
      #expect(try report("add", "in0").differences.isEmpty)
      #expect(try PacketSocket(on: "eth0").send(frame([0x88, 0xcc], place.tag())) == ENOBUFS)
      // A chain that is gone is still told by its counter.
      try Nft.run("flush", "chain", "netdev", "weir-seal", "link/in0")
      try Nft.run("delete", "chain", "netdev", "weir-seal", "link/in0")
      #expect(try report("list").differences == ["missing: chain link/in0"])
      #expect(try report("remove", "eth0").differences.isEmpty)
      #expect(try PacketSocket(on: "in0").send(frame([0x88, 0xcc], place.tag())) == ENOBUFS)
    }
  }

  @Test func `kernel: a dry run prints the table that nft then lists, and changes nothing`() throws
  {
    try linked { place in
      let before = try Nft.generation()
      let text = try Weir.run("seal", "add", "in0", "eth0", "--allow-dhcp", "--dry-run")
      #expect(text.ending == .exit(0), "\(text.error)")
      #expect(try Nft.generation() == before)
      _ = try report("add", "in0", "eth0", "--allow-dhcp")
      #expect(try Nft.run("list", "ruleset") == text.output)
      _ = try report("remove", "--all")
      // Loaded as text it is the same table.
      try Nft.run("-f", "-", input: text.output)
      let loaded = try report("list")
      #expect(loaded.differences.isEmpty)
      #expect(loaded.links.map(\.link) == ["eth0", "in0"])
      #expect(loaded.links.map(\.allowsDHCP) == [true, true])
      #expect(try PacketSocket(on: "eth0").send(frame([0x88, 0xcc], place.tag())) == ENOBUFS)
    }
  }

  @Test func `kernel: what cannot be sealed is refused, and nothing is changed`() throws {
    try linked { place in
      let missing = try Weir.run("seal", "add", "eth0", "eth7")
      #expect(missing.ending == .exit(66))
      #expect(missing.error.contains("there is no link 'eth7'"), "\(missing.error)")
      #expect(try Weir.run("seal", "add").ending == .exit(64))
      #expect(try Weir.run("seal", "remove").ending == .exit(64))
      #expect(try Weir.run("seal", "remove", "eth0", "--all").ending == .exit(64))
      #expect(try Weir.run("seal", "remove", "eth0").ending == .exit(66))
      #expect(try Weir.run("seal", "add", "eth0", withoutRights: true).ending == .exit(77))
      #expect(try Nft.ruleset().isEmpty)
      try Nft.run("add", "table", "netdev", "weir-seal")
      let foreign = try Weir.run("seal", "add", "eth0")
      #expect(foreign.ending == .exit(1))
      #expect(foreign.error.contains("table netdev weir-seal is not weir's"), "\(foreign.error)")
      #expect(try PacketSocket(on: "eth0").send(frame([0x88, 0xcc], place.tag())) == nil)
    }
  }
}
