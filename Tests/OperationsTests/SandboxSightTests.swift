import ConnectionReplay
import NetworkTypes
import Testing

@testable import Operations

@Suite struct SandboxSightTests {
  /// A sandbox without a kernel: lets everything out but one family.
  private struct Scripted: NetworkSandbox {
    var blind: Family?

    func observe(_ probes: [Probe]) throws(OperationFailure) -> [Observation] {
      probes.map { .packet($0.family == blind ? .vanished : .left) }
    }
  }

  @Test func `a sandbox that lets ordinary probes out can tell a difference`() throws {
    try Scripted(blind: nil).requireSight()
  }

  @Test(arguments: Family.allCases)
  func `a sandbox that shows nothing of one family is refused, not believed`(family: Family) {
    let failure = #expect(throws: OperationFailure.self) {
      try Scripted(blind: family).requireSight()
    }
    #expect(failure?.status == .unknown)
  }
}
