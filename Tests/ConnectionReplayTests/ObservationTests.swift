import ConnectionReplay
import NetworkTypes
import Testing

@Suite struct ObservationTests {
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
