import ConnectionReplay
import NetworkTypes
import Testing

@Suite struct ProbePlanTests {
  private func interest(addresses: Int, ports: Int) -> ProbePlan.Interest {
    var interest = ProbePlan.Interest()
    interest.addresses = (0..<addresses).map { index in
      index.isMultiple(of: 2) ? .v4(UInt32(index) * 77) : .v6(UInt128(index) << 64)
    }
    interest.ports = (0..<ports).map { UInt16($0 * 3 + 1) }
    return interest
  }

  @Test(arguments: [(1, 1), (5, 7), (20, 3), (33, 33)])
  func `without a cap every combination is there exactly once`(addresses: Int, ports: Int) {
    let plan = ProbePlan(interest(addresses: addresses, ports: ports), cap: .max)
    #expect(plan.probes.count == addresses * ports * 2)
    #expect(Set(plan.probes).count == plan.probes.count)
    #expect(plan.omittedCount == 0)
  }

  @Test func `under a cap no address and no port is left out`() {
    let wanted = interest(addresses: 40, ports: 30)
    let plan = ProbePlan(wanted, cap: 600)
    #expect(plan.probes.count == 600)
    #expect(plan.omittedCount == 40 * 30 * 2 - 600)
    #expect(Set(plan.probes.map(\.flow.remoteAddress)) == Set(wanted.addresses))
    #expect(Set(plan.probes.compactMap(\.flow.remotePort)) == Set(wanted.ports))
    #expect(Set(plan.probes.map(\.flow.ipProtocol)) == [.tcp, .udp])
  }

  @Test func `the same interest gives the same probes in the same order`() {
    let wanted = interest(addresses: 20, ports: 20)
    #expect(ProbePlan(wanted, cap: 300) == ProbePlan(wanted, cap: 300))
  }

  @Test func `values listed twice make no probe twice`() throws {
    var wanted = interest(addresses: 4, ports: 4)
    wanted.shapeTargets = [
      Flow(ipProtocol: .tcp, remoteAddress: wanted.addresses[0], remotePort: wanted.ports[0])
    ]
    wanted.foreignProtocols = []
    let once = ProbePlan(wanted, cap: .max)
    wanted.addresses += wanted.addresses
    wanted.ports += wanted.ports
    wanted.shapeTargets += wanted.shapeTargets
    #expect(ProbePlan(wanted, cap: .max) == once)
    #expect(Set(once.probes).count == once.probes.count)
    let shapes = ProbeShape.ugly(for: wanted.shapeTargets[0]).count
    #expect(once.probes.count == 4 * 4 * 2 + shapes)
  }

  @Test func `a protocol without ports is tried once per address`() {
    var wanted = interest(addresses: 3, ports: 5)
    wanted.protocols = [.icmp]
    let plan = ProbePlan(wanted, cap: .max)
    #expect(plan.probes.map(\.flow.remoteAddress).count == 3)
    #expect(plan.probes.allSatisfy { $0.flow.remotePort == nil })
  }

  @Test func `a shape target brings every shape and every foreign protocol`() throws {
    for text in ["tcp 8.8.8.8:443", "udp [2001:db8::1]:53"] {
      let target = try FlowText.parse(text).flow
      var wanted = ProbePlan.Interest()
      wanted.shapeTargets = [target]
      let plan = ProbePlan(wanted, cap: .max)
      let shapes = ProbeShape.ugly(for: target)
      #expect(Set(plan.probes.map(\.shape)) == Set(shapes + [.plain]))
      #expect(plan.probes.count == 1 + shapes.count + ProbePlan.foreignProtocols.count)
      #expect(Set(shapes).count == shapes.count)
    }
  }

  @Test func `local and inbound ports are tried at some addresses of both families`() {
    var wanted = interest(addresses: 50, ports: 1)
    wanted.localPorts = [53, 1023]
    wanted.inboundPorts = [22]
    let plan = ProbePlan(wanted, cap: .max)
    let local = plan.probes.filter { $0.flow.localPort == 53 && $0.flow.direction == .outbound }
    #expect(Set(local.map(\.family)) == [.ipv4, .ipv6])
    let inbound = plan.probes.filter { $0.flow.direction == .inbound }
    #expect(inbound.allSatisfy { $0.flow.localPort == 22 && $0.flow.remotePort == nil })
    #expect(Set(inbound.map(\.flow.ipProtocol)) == [.tcp, .udp])
    #expect(Set(inbound.map(\.family)) == [.ipv4, .ipv6])
  }

  @Test func `a flow to a link's directed broadcast says so, and no other flow does`() {
    var wanted = interest(addresses: 6, ports: 2)
    wanted.localPorts = [53]
    wanted.linkBroadcasts = [wanted.addresses[2]]
    let plan = ProbePlan(wanted, cap: .max)
    let marked = plan.probes.filter(\.flow.isLinkBroadcast)
    #expect(Set(marked.map(\.flow.remoteAddress)) == wanted.linkBroadcasts)
    #expect(marked.count == plan.probes.count { $0.flow.remoteAddress == wanted.addresses[2] })
    #expect(marked.count == 6)
  }

  @Test func `edges are both sides of each interval, ascending, none twice`() {
    let set = PortSet([Interval(10, 20), Interval(22, 22), Interval(65_530, .max)])
    #expect(ProbePlan.edges(of: set) == [9, 10, 20, 21, 22, 23, 65_529, 65_530, 65_535])
    #expect(ProbePlan.edges(of: PortSet()) == [])
    #expect(ProbePlan.edges(of: PortSet.full) == [0, .max])
  }
}
