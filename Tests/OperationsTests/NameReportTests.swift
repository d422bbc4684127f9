import NetworkTypes
import Testing

@testable import Operations

@Suite struct NameReportTests {
  private func report(
    _ accepted: [String], unanswered: Set<Family>
  ) -> NameReport {
    NameReport(
      name: "a.example", accepted: accepted, refused: [], failures: [], timeToLiveSeconds: 60,
      unanswered: unanswered)
  }

  @Test func `a family that no server answered for keeps its addresses at a refresh`() {
    let half = report(["2001:db8::1"], unanswered: [.ipv4])
    #expect(half.renewedSets(of: 1) == ["g1/name6/a.example"])
  }

  @Test func `a name without a usable address keeps both families`() {
    #expect(report([], unanswered: []).renewedSets(of: 1) == [])
  }

  @Test func `a name renews its own sets, those of both families`() {
    let whole = report(["192.0.2.1"], unanswered: [])
    #expect(whole.renewedSets(of: 2) == ["g2/name4/a.example", "g2/name6/a.example"])
  }
}
