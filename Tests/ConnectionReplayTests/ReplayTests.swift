import ConnectionReplay
import NetworkTypes
import Testing

@Suite struct ReplayTests {
  /// A sandbox without a kernel: says of every probe what a list says of its port.
  private struct ScriptedSandbox: NetworkSandbox {
    var byPort: [UInt16: Observation]
    func observe(_ probes: [Probe]) throws(Broken) -> [Observation] {
      if byPort.isEmpty { throw Broken() }
      return probes.map { byPort[$0.flow.remotePort ?? 0] ?? .notTried("no script") }
    }
  }
  private struct Broken: Error, Equatable {}

  private func probe(port: UInt16) -> Probe {
    Probe(Flow(ipProtocol: .tcp, remoteAddress: .v4(0x0808_0808), remotePort: port))
  }

  @Test func `agreement is counted by decision, the rest is listed in order`() throws {
    let sandbox = ScriptedSandbox(byPort: [
      1: .packet(.left), 2: .packet(.refused(.notPermitted)), 3: .packet(.left),
      4: .packet(.refused(.invalidArgument)), 5: .packet(.vanished),
    ])
    let probes = (1...6).map { probe(port: UInt16($0)) }
    var steps: [Int] = []
    let report = try Replay.run(probes, in: sandbox, batchCount: 4) { probe in
      probe.flow.remotePort == 1 ? .allow : .deny
    } progress: {
      steps.append($0)
    }
    #expect(report.allowed == 1)
    #expect(report.denied == 2)
    #expect(report.disagreements.map(\.probe.flow.remotePort) == [3])
    #expect(
      report.disagreements.map(\.judgement) == [
        .disagrees("expected deny, seen: the packet left")
      ])
    #expect(report.undecided.map(\.probe.flow.remotePort) == [4])
    #expect(report.notTried.map(\.probe.flow.remotePort) == [6])
    #expect(!report.provesDifference)
    #expect(steps == [4, 6])
  }

  @Test func `agreement on one decision only proves nothing`() throws {
    let sandbox = ScriptedSandbox(byPort: [1: .packet(.left), 2: .packet(.vanished)])
    let one = try Replay.run([probe(port: 1)], in: sandbox) { _ in .allow }
    #expect(!one.provesDifference)
    let both = try Replay.run([probe(port: 1), probe(port: 2)], in: sandbox) {
      $0.flow.remotePort == 1 ? .allow : .deny
    }
    #expect(both.provesDifference)
  }

  @Test func `what the policy does not decide stays undecided`() throws {
    let sandbox = ScriptedSandbox(byPort: [1: .packet(.left)])
    let report = try Replay.run([probe(port: 1)], in: sandbox) { _ in nil }
    #expect(report.undecided.map(\.judgement) == [.undecided("the policy does not decide it")])
  }

  @Test func `a broken sandbox is an error and no finding`() {
    #expect(throws: Broken()) {
      try Replay.run([probe(port: 1)], in: ScriptedSandbox(byPort: [:])) { _ in .allow }
    }
  }

  @Test(arguments: [
    (Observation.packet(.left), Decision.allow as Decision?),
    (.packet(.keptLocal), .allow),
    (.packet(.vanished), .deny),
    (.packet(.refused(.notPermitted)), .deny),
    (.packet(.refused(.messageTooLong)), nil),
    (.packet(.refused(.networkUnreachable)), nil),
    (.conversation(.answered("192.0.2.1:80")), .allow),
    (.conversation(.left), .allow),
    (.conversation(.refused), .deny),
    (.conversation(.timedOut), .deny),
    (.conversation(.failed(.notPermitted)), .deny),
    (.conversation(.failed(.hostUnreachable)), .deny),
    (.conversation(.failed(.accessDenied)), .deny),
    (.conversation(.failed(.invalidArgument)), nil),
    (.conversation(.impossible(.networkUnreachable)), nil),
    (.notTried("why"), nil),
  ])
  func `evidence counts for one decision or for none`(
    observation: Observation, decision: Decision?
  ) {
    for expected in Decision.allCases {
      let judgement = observation.judged(against: expected)
      switch decision {
      case expected?: #expect(judgement == .agrees)
      case nil: #expect(judgement == .undecided("\(observation)"))
      case .some:
        #expect(judgement == .disagrees("expected \(expected.rawValue), seen: \(observation)"))
      }
    }
  }
}
