import ConnectionReplay
import NetworkTypes
import Testing

@Suite struct CaseFileTests {
  @Test func `four columns make a flow and a decision, comments and empty lines none`() throws {
    let text = """
      # cases
      udp\t8.8.8.8\t53\tallow

      tcp\t2001:db8::1\t443\tdeny
      icmp\t1.1.1.1\t-\tdeny
      253\t2001:db8::1\t-\tdeny
      tcp\tsmtp.gmail.com\t587\tallow
      """
    let cases = try CaseFile(parsing: text).cases
    #expect(
      cases.map { "\(FlowText($0.flow, remoteName: $0.remoteName))" } == [
        "udp 8.8.8.8:53", "tcp [2001:db8::1]:443", "icmp 1.1.1.1", "253 2001:db8::1",
        "tcp smtp.gmail.com:587",
      ])
    #expect(cases.map(\.expected) == [.allow, .deny, .deny, .deny, .allow])
    #expect(cases.map(\.line) == [2, 4, 5, 6, 7])
  }

  @Test func `every wrong line is reported, with the column of the wrong text`() {
    let text = """
      tcp 8.8.8.8 53 allow
      tcb\t8.8.8.8\t53\tallow
      tcp\t010.0.0.1\t53\tallow
      tcp\t8.8.8.8\t65536\tallow
      tcp\t8.8.8.8\t-\tallow
      icmp\t8.8.8.8\t80\tdeny
      tcp\t8.8.8.8\t53\taccept
      """
    let problems = #expect(throws: CaseFile.Problems.self) { try CaseFile(parsing: text) }
    let places = problems?.problems.map { "\($0.line):\($0.column)" }
    #expect(places == ["1:1", "2:1", "3:5", "4:5", "5:5", "6:6", "7:16"])
    #expect(problems?.problems.last?.message == "`accept` is no verdict; expected allow or deny")
    #expect(problems?.problems.allSatisfy { !$0.message.isEmpty } == true)
  }

  @Test func `an empty file has no cases`() throws {
    #expect(try CaseFile(parsing: "").cases == [])
  }
}
