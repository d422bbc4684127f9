import Bytecode
import NetworkTypes
import Testing

@testable import NetfilterLink

/// What comes of a dump whose end says that somebody changed the ruleset meanwhile.
@Suite(.enabled(if: Kernel.isThere, Kernel.reason))
struct InterruptedDumpTests {
  @Test(arguments: [1, 2, 5])
  func `kernel: a dump that is told to be interrupted at its very end is read again`(
    interruptions: Int
  ) throws {
    try Kernel.inNamespace {
      let sample = SamplePolicy()
      var plain = NetfilterSession(try NetlinkSocket.open())
      try plain.makeTable(sample.table(1))
      let expected = try plain.readTable(family: .inet, name: "weir")
      var session = NetfilterSession(
        InterruptedTransport(try NetlinkSocket.open(), interruptions: interruptions))
      #expect(try session.readTable(family: .inet, name: "weir") == expected)
    }
  }
}
