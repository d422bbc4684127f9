import Bytecode
import Glibc
import NetworkTypes
import Testing

@testable import LinuxSystem
@testable import NetfilterLink

@Suite(.enabled(if: Kernel.isThere, Kernel.reason))
struct TraceMonitorTests {
  private let rules = """
    table inet t {
      chain judge {
        udp dport 53 accept
        udp dport 25 drop
      }
      chain output {
        type filter hook output priority 0; policy drop;
        meta l4proto udp jump judge
        meta l4proto != udp accept
      }
    }
    """

  private func bringUpLoopback() throws {
    let routes = try RouteSocket()
    for link in try routes.links() { try routes.setUp(link) }
  }

  /// Sends one UDP datagram to a port of the loopback; a refusal by the rules is fine.
  private func send(to port: UInt16, ipv6: Bool = false) {
    let family = ipv6 ? AF_INET6 : AF_INET
    let descriptor = socket(family, Int32(SOCK_DGRAM.rawValue), 0)
    defer { close(descriptor) }
    if ipv6 {
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(family)
      address.sin6_port = port.bigEndian
      address.sin6_addr = in6addr_loopback
      send(descriptor, &address)
    } else {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(family)
      address.sin_port = port.bigEndian
      address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
      send(descriptor, &address)
    }
  }

  private func send<Address>(_ descriptor: Int32, _ address: inout Address) {
    let length = socklen_t(MemoryLayout<Address>.size)
    unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = unsafe sendto(descriptor, "x", 1, 0, $0, length)
      }
    }
  }

  private func steps(
    port: UInt16, ipv6: Bool = false
  ) throws -> (events: [TraceEvent], handles: [String: [UInt64]]) {
    try Kernel.inNamespace {
      try bringUpLoopback()
      _ = try Kernel.nft("-f", "-", input: rules)
      var session = try Kernel.session()
      let table = try #require(try session.readTable(family: .inet, name: "t"))
      let handles = Dictionary(
        uniqueKeysWithValues: table.chains.map { ($0.name, $0.rules.compactMap(\.handle)) })
      try session.startTracing()
      var monitor = try TraceMonitor.open()
      send(to: port, ipv6: ipv6)
      var events: [TraceEvent] = []
      let count = try monitor.drain { events.append($0) }
      #expect(count == events.count)
      try session.stopTracing()
      #expect(try session.tableNames().map(\.name) == ["t"])
      // An answer to the packet, ICMP's among them, is traced under a number of its own.
      let sent = events.first?.identifier
      return (events.filter { $0.table == "t" && $0.identifier == sent }, handles)
    }
  }

  @Test(arguments: [false, true])
  func `kernel: an accepted packet is traced from rule to rule`(ipv6: Bool) throws {
    let (events, handles) = try steps(port: 53, ipv6: ipv6)
    #expect(events.map(\.chain) == ["output", "judge"])
    #expect(events.map(\.kind) == [.rule, .rule])
    #expect(events.map(\.outcome) == [.jump, .accept])
    #expect(events.map(\.target) == ["judge", nil])
    #expect(events.first?.ruleHandle == handles["output"]?.first)
    #expect(events.last?.ruleHandle == handles["judge"]?.first)
    #expect(events.first?.nfproto == (ipv6 ? 10 : 2))
    #expect(events.first?.destination == (ipv6 ? .v6(1) : .v4(0x7f00_0001)))
    #expect(events.first?.destinationPort == 53)
  }

  @Test func `kernel: a dropped packet is traced to the rule that dropped it`() throws {
    let (events, handles) = try steps(port: 25)
    #expect(events.last?.outcome == .drop)
    #expect(events.last?.ruleHandle == handles["judge"]?.last)
  }

  @Test func `kernel: a packet that falls off the end is traced to the policy`() throws {
    let (events, _) = try steps(port: 9)
    #expect(events.last?.kind == .policy)
    #expect(events.last?.outcome == .drop)
    #expect(events.last?.chain == "output")
    #expect(events.last?.ruleHandle == nil)
  }

  @Test func `kernel: a buffer that overflowed is an error, not a gap`() throws {
    try Kernel.inNamespace {
      try bringUpLoopback()
      var session = try Kernel.session()
      try session.startTracing()
      var monitor = try TraceMonitor.open(receiveBufferBytes: 4096)
      for _ in 0..<200 { send(to: 53) }
      let error = #expect(throws: KernelError.self) { try monitor.drain { _ in } }
      #expect(error?.cause == .repliesLost)
    }
  }
}
