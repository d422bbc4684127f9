import Glibc
import NetworkTypes
import TestSupport
import Testing

/// Experiments that take sockets, routes or several packets: what the kernel's own counters say.
@Suite(.serialized, .enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct HostExperimentTests {
  private func nft(_ words: String..., input: String = "") throws -> String {
    let outcome = try Program.run(["nft"] + words, input: input)
    guard outcome.ending == .exit(0) else { throw Experiment.Refused(text: outcome.error) }
    return outcome.output
  }

  /// How many packets the rule with a comment has counted.
  private func count(_ comment: String) throws -> Int? {
    let line = try nft("list", "ruleset").split(separator: "\n").first {
      $0.contains("comment \"\(comment)\"")
    }
    let words = line?.split(separator: " ") ?? []
    return words.firstIndex(of: "packets").flatMap { Int(words[$0 + 1]) }
  }

  /// Sends one UDP packet; whether the kernel took it.
  private func send(to address: IPAddress, port: UInt16) throws -> Bool {
    let family = address.family == .ipv4 ? AF_INET : AF_INET6
    let descriptor = try HostPlant.socket(family, SOCK_DGRAM.rawValue, 0)
    defer { close(descriptor) }
    return (try? HostPlant.send(descriptor, to: address, port: port)) != nil
  }

  @Test(arguments: [("route", "eth2"), ("filter", "eth0")])
  func `kernel: a mark that a route chain sets moves the packet, one of a filter chain does not`(
    type: String, device: String
  ) throws {
    try ThrowAwayNamespace.run {
      for command in [
        "ip link add eth0 type veth peer name eth1", "ip link add eth2 type veth peer name eth3",
        "ip addr add 198.18.1.1/24 dev eth0", "ip addr add 198.18.2.1/24 dev eth2",
        "ip link set eth0 up && ip link set eth1 up && ip link set eth2 up && ip link set eth3 up",
        "ip route add default via 198.18.1.2 dev eth0 onlink",
        "ip neigh add 198.18.1.2 lladdr 02:00:00:00:00:01 dev eth0 nud permanent",
        "ip neigh add 198.18.2.2 lladdr 02:00:00:00:00:02 dev eth2 nud permanent",
        "ip rule add fwmark 7 table 100",
        "ip route add default via 198.18.2.2 dev eth2 table 100 onlink",
      ] { try HostPlant.run(command) }
      _ = try nft(
        "-f", "-",
        input: """
          table ip m {
            chain o { type \(type) hook output priority -150; policy accept;
              udp dport 9 meta mark set 7
            }
          }
          table ip t {
            chain o { type filter hook output priority 0; policy accept;
              oifname "eth0" udp dport 9 counter comment "output eth0"
              oifname "eth2" udp dport 9 counter comment "output eth2"
            }
            chain p { type filter hook postrouting priority 0; policy accept;
              oifname "eth0" udp dport 9 counter comment "postrouting eth0"
              oifname "eth2" udp dport 9 counter comment "postrouting eth2"
            }
          }
          """)
      #expect(try send(to: .v4(0xcb00_7109), port: 9))
      for other in ["eth0", "eth2"] {
        #expect(try count("postrouting \(other)") == (other == device ? 1 : 0))
        // A later output chain still sees the device of the first route.
        #expect(try count("output \(other)") == (other == "eth0" ? 1 : 0))
      }
    }
  }

  @Test func `kernel: a spent limit of an element breaks the rule, negated or not`() throws {
    try ThrowAwayNamespace.run {
      _ = try nft(
        "-f", "-",
        input: """
          table inet t {
            set four {
              type ipv4_addr; flags dynamic; limit rate 1/hour burst 1 packets
              elements = { 127.0.0.1 }
            }
            set six {
              type ipv6_addr; flags dynamic; limit rate 1/hour burst 1 packets
              elements = { ::1 }
            }
            chain o { type filter hook output priority 0; policy accept;
              udp dport 9 ip daddr @four counter comment "in four"
              udp dport 10 ip daddr != @four counter comment "not in four"
              udp dport 9 ip6 daddr @six counter comment "in six"
              udp dport 10 ip6 daddr != @six counter comment "not in six"
            }
          }
          """)
      for (address, name) in [(IPAddress.v4(0x7f00_0001), "four"), (.v6(1), "six")] {
        for port in [9, 9, 10, 9] as [UInt16] { #expect(try send(to: address, port: port)) }
        #expect(try count("in \(name)") == 1)
        #expect(try count("not in \(name)") == 0)
      }
    }
  }

  @Test func `kernel: a nat chain's drop stops the first packet of a flow and no later one`() throws
  {
    try ThrowAwayNamespace.run {
      _ = try nft(
        "-f", "-",
        input: """
          table inet t {
            chain o { type filter hook output priority 0; policy accept; ct state new counter; }
          }
          """)
      for address in [IPAddress.v4(0x7f00_0001), .v6(1)] {
        let family = address.family == .ipv4 ? AF_INET : AF_INET6
        let server = try HostPlant.bound(address, port: 77, SOCK_DGRAM.rawValue)
        let client = try HostPlant.socket(family, SOCK_DGRAM.rawValue, 0)
        defer {
          close(server)
          close(client)
        }
        try HostPlant.bind(client, address, port: 4445)
        try HostPlant.send(client, to: address, port: 77)
        try HostPlant.send(server, to: address, port: 4445)
        _ = try nft(
          "-f", "-",
          input: """
            table inet n {
              chain o { type nat hook output priority -100; policy accept;
                udp dport 77 counter drop comment "late"
              }
            }
            """)
        // The flow was answered before the chain was there.
        try HostPlant.send(client, to: address, port: 77)
        #expect(try count("late") == 0)
        #expect(try !send(to: address, port: 77))
        #expect(try count("late") == 1)
        _ = try nft("delete", "table", "inet", "n")
      }
    }
  }
}
