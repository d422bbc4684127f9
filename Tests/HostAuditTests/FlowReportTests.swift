import HostAudit
import HostFacts
import NetworkTypes
import PolicyMeaning
import Testing

@Suite struct FlowReportTests {
  private let policy = HostStates.policy()
  private let outside = IPAddress.v4(0xcb00_7107)  // 203.0.113.7
  private let inner = IPAddress.v4(0x0a01_0203)  // 10.1.2.3

  private func entry(
    from source: IPAddress, _ sourcePort: UInt16, to destination: IPAddress,
    _ destinationPort: UInt16, _ ipProtocol: IPProtocol = .tcp,
    reply: (IPAddress, UInt16)? = nil
  ) -> ConntrackEntry {
    let end = reply ?? (destination, destinationPort)
    return ConntrackEntry(
      ipProtocol: ipProtocol,
      original: ConntrackTuple(
        source: source, destination: destination, sourcePort: sourcePort,
        destinationPort: destinationPort),
      reply: ConntrackTuple(
        source: end.0, destination: source, sourcePort: end.1, destinationPort: sourcePort))
  }

  private func tracking(_ entries: ConntrackEntry...) -> HostState {
    var state = HostStates.quiet
    state.conntrack = .known(entries)
    return state
  }

  @Test func `a host without conversations holds`() {
    #expect(HostStates.quiet.liveFlows(judgedBy: policy).status == .holds)
  }

  @Test func `an allowed connection is within`() {
    let state = tracking(entry(from: HostStates.host, 40000, to: outside, 443))
    let report = state.liveFlows(judgedBy: policy)
    #expect(report.status == .holds)
    #expect(report.within.count == 1)
  }

  @Test func `a denied connection fails, with its clause and its process`() throws {
    let state = tracking(entry(from: HostStates.host, 40000, to: inner, 443))
      .with(.tcp, .known([.connected(HostStates.host, 40000, inner, 443)]))
    let report = state.liveFlows(judgedBy: policy)
    #expect(report.status == .fails)
    let flow = try #require(report.outside.first)
    #expect(report.outside.count == 1)
    #expect(flow.source == .conntrack)
    #expect(flow.ruling.clause == "private")
    #expect(flow.flow.remoteAddress == inner)
    #expect(flow.owners == .known([HostStates.curl]))
    #expect("\(flow)".hasSuffix("(private), by curl (pid 42, user 1000)"))
  }

  @Test func `a connection is judged by where its packets go, not by what was asked for`() throws {
    let state = tracking(
      entry(from: HostStates.host, 40000, to: outside, 443, reply: (inner, 8443)))
    let flow = try #require(state.liveFlows(judgedBy: policy).outside.first)
    #expect(flow.flow.remoteAddress == inner)
    #expect(flow.flow.remotePort == 8443)
    #expect(flow.askedAddress == outside)
  }

  @Test func `a connection from outside is judged as inbound`() throws {
    let state = tracking(entry(from: outside, 40000, to: HostStates.host, 22))
    let flow = try #require(state.liveFlows(judgedBy: policy).outside.first)
    #expect(flow.flow.direction == .inbound)
    #expect(flow.flow.localPort == 22)
    #expect(flow.flow.remoteAddress == outside)
    #expect(flow.ruling.clause == "listen")
    #expect(
      state.liveFlows(judgedBy: HostStates.policy(inbound: .allow)).status == .holds)
  }

  @Test func `a forwarded connection is judged like an outgoing one, without its source port`()
    throws
  {
    let guest = IPAddress.v4(0xc633_6409)
    let state = tracking(
      entry(from: guest, 7, to: outside, 443), entry(from: guest, 7, to: inner, 443))
    let report = state.liveFlows(judgedBy: policy)
    #expect(report.within.count == 1)
    let flow = try #require(report.outside.first)
    #expect(flow.isForwarded)
    #expect(flow.ruling.clause == "private")
  }

  @Test func `a chosen local port and a protocol that is not listed are denied`() {
    let state = tracking(
      entry(from: HostStates.host, 53, to: outside, 53, .udp),
      entry(from: HostStates.host, 40000, to: outside, 9, .sctp))
    let report = state.liveFlows(judgedBy: policy)
    #expect(report.outside.map(\.ruling.clause) == ["bind", "protocols"])
  }

  @Test func `a datagram to a link's broadcast address is known as one`() {
    let state = tracking(entry(from: HostStates.host, 40000, to: .v4(0xc000_02ff), 9, .udp))
    #expect(state.liveFlows(judgedBy: policy).outside.map(\.ruling.clause) == ["private"])
  }

  @Test func `a conversation over the loopback is judged once, as its client sees it`() {
    let server = HostSocket.connected(.v4(0x7f00_0001), 8000, .v4(0x7f00_0001), 40000)
    let client = HostSocket.connected(.v4(0x7f00_0001), 40000, .v4(0x7f00_0001), 8000)
    let state = HostStates.quiet.with(
      .tcp, .known([server, client, .listening(.v4(0x7f00_0001), 8000)]))
    let report = state.liveFlows(judgedBy: policy)
    #expect(report.outside.map(\.flow.remotePort) == [8000])
    #expect(report.outside.map(\.source) == [.socket])
  }

  @Test func `a socket that conntrack does not know is judged by itself`() {
    let state = HostStates.quiet.with(
      .tcp,
      .known([
        .connected(HostStates.host, 40000, inner, 1),
        .connected(HostStates.host, 40001, outside, 2),
        .connected(HostStates.host, 40002, inner, 3, state: 6),  // TIME_WAIT
      ]))
    let report = state.liveFlows(judgedBy: policy)
    #expect(report.outside.map(\.flow.remotePort) == [1])
    #expect(report.within.count == 1)
  }

  @Test func `an attempt, and a datagram socket that may have sent nothing, are undecided`() {
    let state = HostStates.quiet.with(
      .tcp, .known([.connected(HostStates.host, 40000, inner, 1, state: 2)])
    ).with(.udp, .known([.connected(HostStates.host, 40001, inner, 2, .udp)]))
    let report = state.liveFlows(judgedBy: policy)
    #expect(report.status == .unknown)
    #expect(report.undecided.map(\.flow.remotePort) == [1, 2])
  }

  @Test(arguments: [IPAddress.v4(.max), .v4(0xc000_02ff), .v4(0xe000_00fb)])
  func `what others send to a group is inbound, not forwarded`(group: IPAddress) throws {
    let state = tracking(entry(from: outside, 67, to: group, 68, .udp))
    let flow = try #require(state.liveFlows(judgedBy: policy).outside.first)
    #expect(!flow.isForwarded)
    #expect(flow.flow.direction == .inbound)
  }

  @Test func `an address that a local route makes this host's is its own`() throws {
    var state = tracking(entry(from: outside, 7, to: .v4(0xc633_6401), 22))
    #expect(state.liveFlows(judgedBy: policy).within.count == 1)  // forwarded
    state.routes = .known([
      HostRoute(destination: .v4(0xc633_6400), prefixLength: 24, table: 255, kind: 2)
    ])
    let flow = try #require(state.liveFlows(judgedBy: policy).outside.first)
    #expect(flow.flow.direction == .inbound)
  }

  @Test func `an IPv4 peer of an IPv6 socket is judged as IPv4`() {
    let mapped = IPAddress.v6(0xffff << 32 | 0x0a01_0203)
    let own = IPAddress.v6(0xffff << 32 | 0xc000_0201)
    let state = HostStates.quiet.with(.tcp, .known([.connected(own, 40000, mapped, 443)]))
    #expect(state.liveFlows(judgedBy: policy).outside.map(\.flow.remoteAddress) == [inner])
  }

  @Test func `who opened a connection on a low port is not guessed`() {
    let socket = HostSocket.connected(HostStates.host, 22, outside, 40000)
    let state = HostStates.quiet.with(.tcp, .known([socket]))
    // Out it breaks `bind`, in it breaks `listen`: denied either way.
    #expect(state.liveFlows(judgedBy: policy).status == .fails)
    let lenient = state.liveFlows(judgedBy: HostStates.policy(inbound: .allow))
    #expect(lenient.status == .unknown)
    #expect(lenient.undecided.first?.doubt == "who opened it is not known")
    // With its listener it is an answer.
    let served = state.with(.tcp, .known([socket, .listening(.v4(0), 22)]))
    #expect(served.liveFlows(judgedBy: HostStates.policy(inbound: .allow)).status == .holds)
  }

  @Test func `what could not be read leaves it unknown`() {
    var state = HostStates.quiet
    state.conntrack = .unknown("not permitted")
    #expect(state.liveFlows(judgedBy: policy).status == .unknown)
    state = tracking(entry(from: HostStates.host, 40000, to: inner, 443))
    state.addresses = .unknown("not permitted")
    #expect(state.liveFlows(judgedBy: policy).status == .unknown)
    state = tracking(entry(from: HostStates.host, 40000, to: outside, 443))
    state.routes = .unknown("not permitted")
    #expect(state.liveFlows(judgedBy: policy).undecided.count == 1)
    #expect(
      HostStates.quiet.with(.udp, .unknown("no")).liveFlows(judgedBy: policy).status == .unknown)
  }

  @Test func `an unknown owner stays unknown`() {
    let state = tracking(entry(from: HostStates.host, 40000, to: inner, 443))
    #expect(state.liveFlows(judgedBy: policy).outside.first?.owners.reason != nil)
  }
}
