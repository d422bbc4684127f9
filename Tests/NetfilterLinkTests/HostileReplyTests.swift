import Bytecode
import SeededRandom
import Testing

@testable import NetfilterLink

@Suite(.enabled(if: Kernel.isThere, Kernel.reason))
struct HostileReplyTests {
  /// What a kernel answers when the sample is read.
  private static let recorded = Result<[[UInt8]], any Error> {
    try Kernel.inNamespace {
      _ = try Kernel.nft("-f", "-", input: SampleText.everything)
      let tape = RecordingTransport.Tape()
      var session = NetfilterSession(RecordingTransport(try NetlinkSocket.open(), onto: tape))
      _ = try session.readSnapshot()
      return tape.datagrams
    }
  }

  private func read(_ datagrams: [[UInt8]]) throws(KernelError) -> Snapshot {
    var session = NetfilterSession(ReplayingTransport(datagrams))
    return try session.readSnapshot()
  }

  @Test func `recorded replies read as the table they were recorded from`() throws {
    let snapshot = try read(try Self.recorded.get())
    #expect(snapshot.ruleset.tables.map(\.name) == ["sample"])
    #expect(snapshot.ruleset.tables.first?.sets.isEmpty == false)
  }

  @Test(arguments: 0..<300 as Range<UInt64>)
  func `property: replies with any bytes changed are a ruleset or an error, never a trap`(
    seed: UInt64
  ) throws {
    var generator = SeededGenerator(seed: seed)
    var datagrams = try Self.recorded.get()
    for _ in 0...generator.next(upperBound: 12) {
      let index = generator.next(upperBound: datagrams.count)
      let place = generator.next(upperBound: datagrams[index].count)
      datagrams[index][place] = UInt8(generator.next(upperBound: 256))
    }
    _ = try? read(datagrams)
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func `property: replies cut short are an error or a ruleset, never a trap`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var datagrams = try Self.recorded.get()
    let index = generator.next(upperBound: datagrams.count)
    datagrams[index].removeLast(1 + generator.next(upperBound: datagrams[index].count))
    if datagrams[index].isEmpty { datagrams.remove(at: index) }
    _ = try? read(datagrams)
  }

  @Test func `a generation that moves in the middle of a dump is never mixed into a snapshot`()
    throws
  {
    var datagrams = try Self.recorded.get()
    // NFT_MSG_NEWSETELEM, 0x0a0c; the generation's low byte is the last of nfgenmsg.
    let elements = try #require(datagrams.firstIndex { $0[4] == 0x0c && $0[5] == 0x0a })
    datagrams[elements][19] ^= 1
    // Reading begins anew, for which the tape has no answer.
    #expect(throws: KernelError.self) { try read(datagrams) }
  }

  @Test(arguments: 2...12)
  func `kernel: a change between two requests of a snapshot begins it anew`(request: Int) throws {
    try Kernel.inNamespace {
      _ = try Kernel.nft("-f", "-", input: SampleText.everything)
      var isPending = true
      var session = NetfilterSession(
        InterferingTransport(try NetlinkSocket.open(), countsBatchesOnly: false) { number in
          guard number == request, isPending else { return }
          isPending = false
          _ = try? Kernel.nft("add", "chain", "inet", "sample", "late")
        })
      let snapshot = try session.readSnapshot()
      #expect(!isPending)
      #expect(snapshot.ruleset.tables.first?.chains.last?.name == "late")
      #expect(try session.readGeneration() == snapshot.generation)
    }
  }
}
