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
    #expect(!half.renews("g1/name4/a.example"))
    #expect(half.renews("g1/name6/a.example"))
  }

  @Test func `a name without a usable address keeps both families`() {
    let empty = report([], unanswered: [])
    #expect(!empty.renews("g1/name4/a.example"))
    #expect(!empty.renews("g1/name6/a.example"))
  }

  @Test func `a name renews its own sets and no others`() {
    let whole = report(["192.0.2.1"], unanswered: [])
    #expect(whole.renews("g2/name4/a.example"))
    #expect(!whole.renews("g2/name4/b.example"))
    #expect(!whole.renews("g2/name4/not-a.example"))
  }
}
