import LinuxSystem
import NetworkTypes
import Testing

@Suite(.enabled(if: KernelAccess.isThere, KernelAccess.reason))
struct SandboxTopologyTests {
  @Test(arguments: [SandboxTopology.Outside.answering, .silent])
  func `both ends carry packets when the topology is ready`(
    outside: SandboxTopology.Outside
  ) throws {
    let topology = try SandboxTopology(outside)
    for end in [topology.inside, topology.outside] {
      let links = try end.run { try RouteSocket().links() }
      #expect(links.map(\.name) == ["lo", "eth0"])
      #expect(links.map(\.isUp) == [true, true])
      #expect(links.last?.isOperational == true)
      #expect(links.last?.hardwareAddress.count == 6)
    }
  }

  @Test func `the inside has its addresses, and no other`() throws {
    let topology = try SandboxTopology()
    let addresses = try topology.inside.run { try RouteSocket().addresses() }
    let link = Int32(topology.insideLinkIndex)
    let own = addresses.filter { $0.linkIndex == link }
    #expect(
      own.map { "\($0.address)/\($0.prefixLength)" } == [
        "198.18.77.2/24", "192.175.48.2/24", "2001:db8:77::2/128",
      ])
  }

  @Test func `the kernel itself calls the directed broadcasts broadcast`() throws {
    let topology = try SandboxTopology()
    let broadcasts = try topology.inside.run { try RouteSocket().broadcastAddresses() }
    #expect(Set(broadcasts).isSuperset(of: topology.addresses.directedBroadcasts))
  }

  @Test func `the inside routes both families by the router`() throws {
    let topology = try SandboxTopology()
    let routes = try topology.inside.run { try RouteSocket().routes() }
    let defaults = routes.filter { $0.prefixLength == 0 && $0.table == 254 }
    #expect(
      defaults.map(\.gateway) == [
        topology.addresses.outside(.ipv4), topology.addresses.outside(.ipv6),
      ])
    #expect(defaults.map(\.kind) == [.unicast, .unicast])
  }

  @Test func `a fresh namespace has the kernel's own settings`() throws {
    let topology = try SandboxTopology()
    #expect(try topology.inside.run { ProcessFacts.ephemeralPorts() } == 32768...60999)
    // In a user namespace the kernel shows the groups that it does not map as 65534.
    let groups = try topology.inside.run { ProcessFacts.pingGroups() }
    #expect(groups == nil || groups == 65534...65534)
  }
}
