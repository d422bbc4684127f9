import HostFacts
import NetworkTypes
import Testing

@Suite struct FactTests {
  @Test func `an unknown fact keeps its reason through a function`() {
    let unknown = Fact<[Int32]>.unknown("not permitted")
    #expect(unknown.map(\.count) == .unknown("not permitted"))
    #expect(unknown.value == nil)
    #expect(Fact.known([1, 2]).map(\.count) == .known(2))
    #expect(Fact.known(1).reason == nil)
  }

  @Test func `a state of which nothing is known says so everywhere`() {
    let state = HostState(unknown: "no privilege")
    #expect(state.links.reason == "no privilege")
    #expect(state.sockets.count == SocketTable.Kind.allCases.count)
    #expect(state.sockets.allSatisfy { $0.sockets.reason == "no privilege" })
    #expect(state.setting("net/ipv4/ip_forward").reason != nil)
    #expect(state.bpf.links.reason == "no privilege")
  }

  @Test(arguments: [
    (IPProtocol.tcp, UInt8(10), UInt16(22), true), (.tcp, 1, 22, false), (.udp, 7, 53, true),
    (.udp, 1, 53, false), (.udp, 7, 0, false), (.udplite, 7, 9, true),
  ])
  func `who takes what others send is a listener`(
    ipProtocol: IPProtocol, state: UInt8, port: UInt16, isListening: Bool
  ) {
    let socket = HostSocket(
      ipProtocol: ipProtocol, state: state, localAddress: .v4(0), localPort: port,
      remoteAddress: .v4(0))
    #expect(socket.isListening == isListening)
    #expect(!socket.isConnected)
  }

  @Test func `a process names the capabilities that it holds or may take`() {
    let process = PrivilegedProcess(
      process: HostProcess(pid: 7, name: "x"), effective: 1 << 13, permitted: 1 << 39 | 1)
    #expect(process.capabilityNames == ["CAP_NET_RAW", "CAP_BPF"])
  }
}
