import Bytecode
import SeededRandom
import Testing

@testable import NetfilterLink

@Suite(.enabled(if: Kernel.isThere, Kernel.reason))
struct RecordingTests {
  private static let sample = Result<(recorded: RecordedRuleset, live: Snapshot), any Error> {
    try Kernel.inNamespace {
      _ = try Kernel.nft("-f", "-", input: SampleText.everything + SampleText.second)
      var session = try Kernel.session()
      return (try session.recordRuleset(), try session.readSnapshot())
    }
  }

  /// The messages of a recording, one by one.
  private func messages(_ recorded: RecordedRuleset) -> [[UInt8]] {
    var found: [[UInt8]] = []
    var rest = Array(recorded.messages)[...]
    while !rest.isEmpty {
      let length = Array(rest).span.hostWord(at: 0)
      found.append(Array(rest.prefix(Int(length + 3) & ~3)))
      rest = rest.dropFirst(Int(length + 3) & ~3)
    }
    return found
  }

  private func recording(_ messages: [[UInt8]], like recorded: RecordedRuleset) -> RecordedRuleset {
    RecordedRuleset(generation: recorded.generation, messages: Array(messages.joined())[...])
  }

  @Test func `kernel: a recording decodes to what a live read gives`() throws {
    let (recorded, live) = try Self.sample.get()
    // Counters and the time left of elements differ from one reading to the next.
    let decoded = try recorded.decoded()
    #expect(decoded.generation == live.generation)
    #expect(decoded.ruleset.canonical() == live.ruleset.canonical())
    #expect(live.ruleset.tables.count == 2)
  }

  @Test func `kernel: the same state gives the same bytes, whatever the socket did before`() throws
  {
    try Kernel.inNamespace {
      _ = try Kernel.nft("-f", "-", input: SampleText.second)
      var session = try Kernel.session()
      let first = try session.recordRuleset()
      #expect(try session.recordRuleset() == first)
      var other = try Kernel.session()
      #expect(try other.recordRuleset() == first)
    }
  }

  @Test func `kernel: a recording holds no address of the kernel's memory`() throws {
    let text = String(decoding: try Self.sample.get().recorded.messages, as: UTF8.self)
    #expect(!text.contains("0xffff"))
  }

  @Test func `kernel: an empty namespace is a recording without messages`() throws {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      let recorded = try session.recordRuleset()
      #expect(recorded.messages.isEmpty)
      #expect(try recorded.decoded().ruleset == Ruleset())
    }
  }

  @Test(arguments: [3, 7, 12])
  func `kernel: a change in between begins the recording anew`(request: Int) throws {
    try Kernel.inNamespace {
      _ = try Kernel.nft("-f", "-", input: SampleText.everything)
      var isPending = true
      var session = NetfilterSession(
        InterferingTransport(try NetlinkSocket.open(), countsBatchesOnly: false) { number in
          guard number == request, isPending else { return }
          isPending = false
          _ = try? Kernel.nft("add", "chain", "inet", "sample", "late")
        })
      let recorded = try session.recordRuleset()
      #expect(!isPending)
      #expect(try session.readGeneration() == recorded.generation)
      #expect(try recorded.decoded().ruleset.tables.first?.chains.last?.name == "late")
    }
  }

  @Test func `kernel: rules that never stand still are an error, not a mixture`() throws {
    try Kernel.inNamespace {
      _ = try Kernel.nft("-f", "-", input: SampleText.second)
      var session = NetfilterSession(
        InterferingTransport(try NetlinkSocket.open(), countsBatchesOnly: false) { number in
          guard number % 4 == 0 else { return }
          _ = try? Kernel.nft("add", "chain", "ip", "second", "c\(number)")
        })
      let error = #expect(throws: KernelError.self) { try session.recordRuleset() }
      guard case .keepsChanging = error?.cause else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }

  @Test func `messages out of the order of a dump are refused`() throws {
    let recorded = try Self.sample.get().recorded
    var all = messages(recorded)
    #expect(try recording(all, like: recorded).decoded().ruleset.tables.count == 2)
    all.swapAt(0, all.count - 1)
    #expect(throws: SnapshotError.self) { try recording(all, like: recorded).decoded() }
  }

  @Test func `a message that stands there twice is refused, elements apart`() throws {
    let recorded = try Self.sample.get().recorded
    let all = messages(recorded)
    for index in all.indices where all[index][4] != 0x0c {
      var doubled = all
      doubled.insert(all[index], at: index)
      #expect(throws: SnapshotError.self, "message \(index)") {
        try recording(doubled, like: recorded).decoded()
      }
    }
  }

  @Test func `rules, sets and chains of a table that is not there are refused`() throws {
    let recorded = try Self.sample.get().recorded
    let headless = Array(messages(recorded).dropFirst())
    #expect(throws: SnapshotError.self) { try recording(headless, like: recorded).decoded() }
  }

  @Test func `a message of another generation is refused`() throws {
    let recorded = try Self.sample.get().recorded
    var bytes = Array(recorded.messages)
    bytes[19] ^= 1
    #expect(throws: SnapshotError.message(offset: 0, problem: "a message of another generation")) {
      try RecordedRuleset(generation: recorded.generation, messages: bytes[...]).decoded()
    }
  }

  @Test func `a recording cut anywhere but between messages is refused`() throws {
    let recorded = try Self.sample.get().recorded
    let all = messages(recorded)
    var ends: Set = [0]
    for message in all { ends.insert((ends.max() ?? 0) + message.count) }
    for length in stride(from: 0, to: recorded.messages.count, by: 36) where !ends.contains(length)
    {
      #expect(throws: SnapshotError.self, "\(length) bytes") {
        try RecordedRuleset(
          generation: recorded.generation, messages: recorded.messages.prefix(length)
        ).decoded()
      }
    }
  }

  @Test(arguments: 0..<600 as Range<UInt64>)
  func `property: messages with any bytes changed are a ruleset or an error, never a trap`(
    seed: UInt64
  ) throws {
    var generator = SeededGenerator(seed: seed)
    let recorded = try Self.sample.get().recorded
    var bytes = Array(recorded.messages)
    for _ in 0...generator.next(upperBound: 12) {
      // Lengths of attributes stand at multiples of 4; every other change goes for one.
      var place = generator.next(upperBound: bytes.count)
      if generator.next(upperBound: 2) == 0 { place &= ~3 }
      bytes[place] = UInt8(generator.next(upperBound: 256))
    }
    _ = try? RecordedRuleset(generation: recorded.generation, messages: bytes[...]).decoded()
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func `property: messages left out, doubled or exchanged are a ruleset or an error, never a trap`(
    seed: UInt64
  ) throws {
    var generator = SeededGenerator(seed: seed)
    let recorded = try Self.sample.get().recorded
    var all = messages(recorded)
    for _ in 0...generator.next(upperBound: 6) {
      let place = generator.next(upperBound: all.count)
      switch generator.next(upperBound: 3) {
      case 0: all.remove(at: place)
      case 1: all.insert(all[place], at: generator.next(upperBound: all.count))
      default: all.swapAt(place, generator.next(upperBound: all.count))
      }
    }
    _ = try? recording(all, like: recorded).decoded()
  }

  @Test func `property: no change of one byte of a snapshot file goes through`() throws {
    let recorded = try Self.sample.get().recorded
    let bytes = SnapshotFile(
      kernelRelease: "6.18.44", machine: "x86_64", generation: recorded.generation,
      sections: [.init(name: "nftables", bytes: recorded.messages)]
    ).encoded()
    var generator = SeededGenerator(seed: 1)
    for _ in 0..<100 {
      var changed = bytes
      changed[generator.next(upperBound: bytes.count)] ^= UInt8(
        1 << generator.next(upperBound: 8))
      #expect(throws: SnapshotError.self) { try SnapshotFile(parsing: changed) }
    }
  }
}
