import HostAudit
import HostFacts
import NetworkTypes
import PolicyMeaning
import Testing

@Suite struct ListenerReportTests {
  private let policy = HostStates.policy()

  @Test func `a host where nothing listens holds`() {
    let report = HostStates.quiet.listeners(judgedBy: policy)
    #expect(report.status == .holds)
  }

  @Test(arguments: [IPAddress.v4(0), .v6(0), HostStates.host])
  func `a listener that others reach fails, and its process is named`(address: IPAddress) {
    let state = HostStates.quiet.with(.tcp, .known([.listening(address, 22)]))
    let report = state.listeners(judgedBy: policy)
    #expect(report.status == .fails)
    #expect(report.beyond.map(\.socket.localPort) == [22])
    #expect(report.beyond.map(\.ruling.clause) == ["listen"])
    #expect(report.beyond.first?.socket.owners == .known([HostStates.curl]))
    let text = report.beyond.first.map { "\($0)" } ?? ""
    #expect(text.hasSuffix(":22 (listen), by curl (pid 42, user 1000)"))
  }

  @Test func `the same listener is admitted where the policy lets others in`() {
    let state = HostStates.quiet.with(.tcp, .known([.listening(.v4(0), 22)]))
    let report = state.listeners(judgedBy: HostStates.policy(inbound: .allow))
    #expect(report.status == .holds)
    #expect(report.admitted.count == 1)
  }

  @Test(arguments: [IPAddress.v4(0x7f00_0035), .v6(1), .v6(0xffff << 32 | 0x7f00_0001)])
  func `a listener on the loopback is listed and does not fail`(address: IPAddress) {
    let state = HostStates.quiet.with(.tcp, .known([.listening(address, 53)]))
    let report = state.listeners(judgedBy: policy)
    #expect(report.status == .holds)
    #expect(report.local.count == 1)
  }

  @Test func `an unconnected UDP socket fails on a chosen port and is undecided on another`() {
    let state = HostStates.quiet.with(
      .udp, .known([.listening(.v4(0), 123, .udp), .listening(.v4(0), 40000, .udp)]))
    let report = state.listeners(judgedBy: policy)
    #expect(report.beyond.map(\.socket.localPort) == [123])
    #expect(report.undecided.map(\.socket.localPort) == [40000])
    #expect(report.undecided.first?.doubt != nil)
    let alone = HostStates.quiet.with(.udp, .known([.listening(.v4(0), 40000, .udp)]))
    #expect(alone.listeners(judgedBy: policy).status == .unknown)
  }

  @Test func `without the range of local ports no UDP socket is called a server`() {
    let state = HostStates.quiet.with(.udp, .known([.listening(.v4(0), 123, .udp)]))
      .with("net/ipv4/ip_local_port_range", .unknown("not permitted"))
    #expect(state.listeners(judgedBy: policy).status == .unknown)
  }

  @Test func `a raw socket takes what others send, whatever the policy says of inbound flows`() {
    let raw = HostSocket(
      ipProtocol: .sctp, state: 7, localAddress: .v4(0), localPort: 132, remoteAddress: .v4(0))
    let state = HostStates.quiet.with(.raw, .known([raw]))
    let report = state.listeners(judgedBy: HostStates.policy(inbound: .allow))
    #expect(report.status == .fails)
    #expect(report.beyond.map(\.ruling.clause) == ["protocols"])
  }

  @Test func `an IPv6 listener says whether it takes IPv4 too`() {
    let state = HostStates.quiet.with(
      .tcp,
      .known([
        .listening(.v6(0), 1, isIPv6Only: false), .listening(.v6(0), 2, isIPv6Only: true),
        .listening(.v6(0), 3),
      ]))
    #expect(state.listeners(judgedBy: policy).beyond.map(\.takesIPv4) == [true, false, nil])
  }

  @Test(arguments: [SocketTable.Kind.tcp, .udp, .udplite, .raw, .sctp, .mptcp])
  func `sockets that could not be read leave it unknown`(kind: SocketTable.Kind) {
    let state = HostStates.quiet.with(kind, .unknown("not permitted"))
    let report = state.listeners(judgedBy: policy)
    #expect(report.status == .unknown)
    #expect(report.unknowns == ["\(kind.rawValue) sockets: not permitted"])
  }
}
