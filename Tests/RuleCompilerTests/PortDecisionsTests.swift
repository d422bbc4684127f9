import NetworkTypes
import PolicyLanguage
import Testing

@testable import RuleCompiler

@Suite struct PortDecisionsTests {
  private func term(_ ports: [PortMatch]?, _ test: Term.AddressTest = .any) -> Term {
    Term(decision: .deny, clause: "x", location: nil, addresses: test, ports: ports)
  }

  private func match(_ ipProtocol: IPProtocol?, _ first: UInt16, _ last: UInt16) -> PortMatch {
    PortMatch(ipProtocol: ipProtocol, ports: PortSet([Interval(first, last)]))
  }

  @Test func `the first term that lists a port decides it`() {
    let terms = [term([match(nil, 20, 30)]), term([match(.tcp, 25, 40)]), term(nil)]
    let tcp = decide(.tcp, terms: [0, 1, 2], of: terms)
    #expect(tcp.map(\.term) == [0, 1, 2])
    #expect(tcp[0].ports == PortSet([Interval(20, 30)]))
    #expect(tcp[1].ports == PortSet([Interval(31, 40)]))
    #expect(tcp[2].ports == PortSet([Interval(0, 19), Interval(41, 65535)]))
    let udp = decide(.udp, terms: [0, 1, 2], of: terms)
    #expect(udp.map(\.term) == [0, 2])
  }

  @Test func `a dynamic term takes no ports away and is left out where none is free`() {
    let name = Term.AddressTest.name("a.example", within: .full)
    let terms = [
      term([match(nil, 20, 30)]), term([match(nil, 25, 40)], name),
      term([match(nil, 21, 22)], name), term(nil),
    ]
    let steps = decide(.tcp, terms: [0, 1, 2, 3], of: terms)
    #expect(steps.map(\.term) == [0, 1, 3])
    #expect(steps[1].ports == PortSet([Interval(25, 40)]))
    #expect(steps[2].ports == PortSet([Interval(0, 19), Interval(31, 65535)]))
  }

  @Test func `a port never matches a protocol without ports, a whole protocol does`() {
    let terms = [
      term([match(nil, 0, 65535)]), term([PortMatch(ipProtocol: .icmp, ports: nil)]), term(nil),
    ]
    #expect(decide(.icmp, terms: [0, 1, 2], of: terms).map(\.term) == [1])
    #expect(decide(.tcp, terms: [0, 1, 2], of: terms).map(\.term) == [0])
  }
}
