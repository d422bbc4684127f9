import Foundation
import Glibc
import LinuxSystem
import NetworkTypes
import TestSupport
import Testing

/// A day of names that move and lists that change, played in minutes.
///
/// Each hour a list is published anew, now and then by a liar; every five minutes a name moves, lies or
/// goes silent. After every step packets are tried: what is allowed gets out, nothing else does, and a
/// conversation that was open at midnight goes on.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct ChurnTests {
  private static let text = """
    policy: churn
    inbound: allow
    idle: off
    on-deny: drop
    default: deny
    essentials: [loopback]
    allow:
      - clause: moving
        to: {name: moving.test, within: [198.18.0.0/16, "2001:db8:1::/48"]}
        port: udp/9
      - {clause: listed, to: [{file: list.txt}], port: udp/9}
    """

  /// Whether a datagram to an address leaves.
  private func leaves(_ address: IPAddress) throws -> Bool {
    let family = address.family == .ipv4 ? AF_INET : AF_INET6
    let socket = try HostPlant.socket(family, SOCK_DGRAM.rawValue, 0)
    defer { close(socket) }
    try HostPlant.connect(socket, to: address, port: 9)
    var byte: UInt8 = 1
    return unsafe send(socket, &byte, 1, Int32(MSG_NOSIGNAL)) == 1
  }

  private func listed(_ hour: Int) -> [String] {
    // Most ranges stay, one comes and one goes each hour.
    (hour..<hour + 20).map { "203.1.\($0).0/24" } + (hour..<hour + 20).map { "2600:\($0)::/32" }
  }

  private func v4(_ text: String) throws -> IPAddress { try IPAddress(strict: text) }

  @Test func `kernel: a day of churn lets nothing out that is not allowed, and all that is`() throws
  {
    let folder = try TemporaryFolder()
    let policy = try folder.file("churn.yaml", Self.text)
    try ThrowAwayNamespace.run {
      try HostPlant.run("ip link add eth0 type veth peer name eth1")
      try HostPlant.run(
        "ip addr add 198.19.255.2/16 dev eth0 && ip -6 addr add fd00::2/64 dev eth0 nodad")
      try HostPlant.run(
        "ip addr add 198.19.0.1/16 dev eth1 && ip link set eth1 up && ip link set eth0 up")
      try HostPlant.run(
        "ip route add default via 198.19.0.1 && ip -6 route add default via fd00::1")
      try HostPlant.run("ip neigh add 198.19.0.1 lladdr 02:00:00:00:00:01 dev eth0 nud permanent")
      try HostPlant.run("ip -6 neigh add fd00::1 lladdr 02:00:00:00:00:01 dev eth0 nud permanent")
      let lists = try ListServer()
      let feeds = try folder.file(
        "feeds.yaml",
        "feeds: churn\nlists: [{to: list.txt, format: list, from: \"\(lists.address("list"))\"}]\n")
      lists.publish("list", .text(listed(0).joined(separator: "\n")))
      #expect(try Weir.run("feeds", "update", feeds).ending == .exit(0))
      let words = [policy, "--resolver", "127.0.0.1:5353"]
      var server: NameServer? = try NameServer([
        "host-record=moving.test,198.18.0.1,2001:db8:1::1,60"
      ])
      #expect(try Weir.run(["apply", "--no-diff"] + words).ending == .exit(0))
      let steady = try OpenFlow(.v4(0x7f00_0001), 9, SOCK_STREAM.rawValue)
      var inList = 0
      var place = 1
      var tried = (allowed: 0, denied: 0)
      for hour in 1...24 {
        switch hour % 6 {
        case 2: lists.publish("list", .text("<html>busy</html>"))
        case 4: lists.publish("list", .cutOff(listed(hour).joined(separator: "\n")))
        case 5: lists.publish("list", .text(listed(hour).prefix(3).joined(separator: "\n")))
        default:
          lists.publish("list", .text(listed(hour).joined(separator: "\n")))
          inList = hour
        }
        let update = try Weir.run("feeds", "update", feeds)
        #expect(update.ending == .exit(inList == hour ? 0 : 1), "hour \(hour): \(update.output)")
        #expect(try Weir.run(["apply", "--no-diff"] + words).ending == .exit(0), "hour \(hour)")
        for step in 0..<12 {
          let next = place % 200 + 1
          server?.stop()
          server = nil
          switch step % 6 {
          case 3:
            // Somebody else's addresses, which are not within what the policy says.
            server = try NameServer(["host-record=moving.test,198.20.0.9,2001:db8:9::9,60"])
          case 4 where hour.isMultiple(of: 8): break
          default:
            server = try NameServer([
              "host-record=moving.test,198.18.0.\(next),2001:db8:1::\(String(next, radix: 16)),60"
            ])
            place = next
          }
          _ = try Weir.run(["refresh"] + words)
          let now = place
          for (address, isAllowed) in [
            ("198.18.0.\(now)", true), ("2001:db8:1::\(String(now, radix: 16))", true),
            ("198.18.1.1", false), ("2001:db8:1::ffff", false), ("198.20.0.9", false),
            ("2001:db8:9::9", false), ("203.1.\(inList).7", true), ("2600:\(inList)::7", true),
            ("203.1.\(inList + 20).7", false), ("2600:\(inList + 20)::7", false),
          ] {
            #expect(
              try leaves(try v4(address)) == isAllowed,
              "hour \(hour), step \(step): \(address), \(isAllowed)")
            if isAllowed { tried.allowed += 1 } else { tried.denied += 1 }
          }
          #expect(steady.isAlive(), "hour \(hour), step \(step)")
        }
      }
      print(
        "churn: 24 hours, 24 lists, 288 answers; \(tried.allowed) allowed, \(tried.denied) denied")
    }
  }
}
