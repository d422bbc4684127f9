import HostAudit
import HostFacts
import NetworkTypes
import PolicyLanguage
import PolicyMeaning
import Testing

/// What a host uses and cannot do without, judged before rules are installed.
@Suite struct EssentialTests {
  private let policy = HostStates.policy()
  private static let gateway = IPAddress.v4(0x0a01_0001)  // 10.1.0.1, denied
  private static let open = IPAddress.v4(0x0909_0909)
  private static let open6 = IPAddress.v6(0x2620_00fe << 96 | 0xfe)

  /// The quiet host with a default route of each family by a gateway.
  private func routed(by gateway: IPAddress = gateway) -> HostState {
    var state = HostStates.quiet
    var hop = NextHop(link: 2)
    hop.gateway = gateway
    state.routes = .known([
      HostRoute(destination: .v4(0), prefixLength: 0, hops: [hop]),
      HostRoute(destination: .v6(0), prefixLength: 0, hops: [NextHop(link: 2)]),
    ])
    return state
  }

  private func uses(_ state: HostState, resolvers: [IPAddress] = []) -> [EssentialUse] {
    state.essentials(
      resolvers: resolvers, state.liveFlows(judgedBy: policy), judgedBy: policy)
  }

  @Test func `a resolver that packets reach is judged, in both families`() {
    let found = uses(routed(), resolvers: [Self.gateway, Self.open, Self.open6])
    #expect(found.map(\.essential) == [.resolver, .resolver, .resolver])
    #expect(found.map(\.ruling.decision) == [.deny, .allow, .allow])
    #expect(found[0].ruling.clause == "private")
    #expect(found[2].flow.remoteAddress == Self.open6)
  }

  @Test func `a resolver that no route leads to is nothing to lose`() {
    #expect(uses(HostStates.quiet, resolvers: [Self.gateway, Self.open6]) == [])
  }

  @Test func `a resolver on this host counts where somebody answers`() {
    let stub = IPAddress.v4(0x7f00_0035)
    #expect(uses(routed(), resolvers: [stub]) == [])
    let listening = routed().with(.udp, .known([.listening(stub, 53, .udp)]))
    #expect(uses(listening, resolvers: [stub]).map(\.ruling.decision) == [.deny])
  }

  @Test func `a lease can be renewed where one way to a DHCP server is allowed`() throws {
    let client = HostSocket.listening(.v4(0), 68, .udp)
    let found = uses(routed().with(.udp, .known([client])))
    // The policy lets no program choose port 68.
    #expect(found.map(\.ruling.clause) == ["bind"])
    var roomy = HostStates.policy()
    roomy.sourcePorts.value = nil
    let state = routed(by: Self.open).with(.udp, .known([client]))
    let flows = state.liveFlows(judgedBy: roomy)
    let renewed = state.essentials(resolvers: [], flows, judgedBy: roomy)
    #expect(renewed.map(\.essential) == [.dhcp])
    #expect(renewed.map(\.ruling.decision) == [.allow])
  }

  @Test func `a DHCP client of IPv6 asks all agents of its link`() {
    let client = HostSocket.listening(.v6(0), 546, .udp)
    let found = uses(routed().with(.udp, .known([client])))
    #expect(found.map(\.flow.remotePort) == [547])
    #expect(found.map(\.flow.remoteAddress) == [.v6(0xff02 << 112 | 0x1_0002)])
  }

  @Test func `a time server is one that the host speaks with, each once`() {
    let sockets: [HostSocket] = [40000, 40001].map {
      .connected(HostStates.host, $0, Self.gateway, 123, .udp)
    }
    let found = uses(routed().with(.udp, .known(sockets)))
    #expect(found.map(\.essential) == [.ntp])
    #expect(found.map(\.ruling.decision) == [.deny])
  }
}
