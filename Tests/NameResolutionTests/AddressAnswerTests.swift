import NetworkTypes
import Testing

@testable import NameResolution

/// Messages are written byte by byte; offsets of names count from the start of the message.
@Suite struct AddressAnswerTests {
  /// Id 1, an answer without error, one question, `answers` answers.
  private func header(answers: UInt8) -> [UInt8] {
    [0, 1, 0x81, 0x80, 0, 1, 0, answers, 0, 0, 0, 0]
  }

  /// `a.test`, at offset 12, type and class IN.
  private func question(_ type: UInt8 = 1) -> [UInt8] {
    [1, 0x61, 4, 0x74, 0x65, 0x73, 0x74, 0, 0, type, 0, 1]
  }

  /// A record of class IN.
  private func record(_ owner: [UInt8], _ type: UInt8, ttl: UInt16, _ data: [UInt8]) -> [UInt8] {
    owner + [0, type, 0, 1, 0, 0, UInt8(ttl >> 8), UInt8(ttl & 0xff), 0, UInt8(data.count)] + data
  }

  /// A pointer to `a.test` in the question.
  private let a: [UInt8] = [0xc0, 12]
  /// `b` and a pointer to `test`.
  private let b: [UInt8] = [1, 0x42, 0xc0, 14]
  /// `c` and a pointer to `test`.
  private let c: [UInt8] = [1, 0x63, 0xc0, 14]

  private func outcome(
    _ message: [UInt8], _ family: Family = .ipv4
  ) throws -> Result<AddressRecords, LookupFailure> {
    let name = DomainName(try #require(HostName("a.test")))
    return try AddressAnswer(message: message, family: family).records(for: name)
  }

  @Test func `the time to live is the smallest on the way over the aliases`() throws {
    let message =
      header(answers: 4) + question() + record(a, 5, ttl: 500, b) + record(b, 5, ttl: 100, c)
      + record(c, 1, ttl: 300, [192, 0, 2, 2]) + record(c, 1, ttl: 400, [192, 0, 2, 1])
    let records = try outcome(message).get()
    #expect(records.addresses == [.v4(0xc000_0201), .v4(0xc000_0202)])
    #expect(records.timeToLive == 100)
    #expect(records.aliases == ["b.test", "c.test"])
    #expect(records.omitted == 0)
  }

  @Test func `AAAA records are read as 16 bytes`() throws {
    let bytes: [UInt8] = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    let message = header(answers: 1) + question(28) + record(a, 28, ttl: 60, bytes)
    let records = try outcome(message, .ipv6).get()
    #expect(records.addresses == [.v6(0x2001_0db8 << 96 | 1)])
    #expect(records.timeToLive == 60)
    #expect(records.aliases == [])
  }

  @Test func `an address of another name is no answer`() throws {
    let message = header(answers: 1) + question() + record(b, 1, ttl: 60, [10, 0, 0, 1])
    #expect(try outcome(message) == .failure(.noAddress))
  }

  @Test func `an address of the other family is no answer`() throws {
    let bytes = [UInt8](repeating: 1, count: 16)
    let message = header(answers: 1) + question() + record(a, 28, ttl: 60, bytes)
    #expect(try outcome(message) == .failure(.noAddress))
  }

  @Test func `aliases that lead nowhere or in a circle give no address`() throws {
    let nowhere = header(answers: 1) + question() + record(a, 5, ttl: 60, b)
    #expect(try outcome(nowhere) == .failure(.noAddress))
    let circle =
      header(answers: 2) + question() + record(a, 5, ttl: 60, b) + record(b, 5, ttl: 60, a)
    #expect(try outcome(circle) == .failure(.malformed))
  }

  @Test func `an answer to another question is malformed`() throws {
    let message = header(answers: 1) + question() + record(a, 1, ttl: 60, [192, 0, 2, 1])
    let other = DomainName(try #require(HostName("b.test")))
    let answer = try AddressAnswer(message: message, family: .ipv4)
    #expect(answer.records(for: other) == .failure(.malformed))
    #expect(throws: MalformedMessage.self) { try outcome(message, .ipv6) }
  }

  @Test func `times to live are clamped, and a negative one counts as zero`() throws {
    func timeToLive(_ bytes: [UInt8]) throws -> UInt32 {
      let message =
        header(answers: 1) + question() + a + [0, 1, 0, 1] + bytes + [0, 4, 192, 0, 2, 1]
      return try outcome(message).get().timeToLive
    }
    #expect(try timeToLive([0, 0, 0, 29]) == 30)
    #expect(try timeToLive([0, 0, 0, 31]) == 31)
    #expect(try timeToLive([0, 1, 0x51, 0x80]) == 86_400)
    #expect(try timeToLive([0, 1, 0x51, 0x81]) == 86_400)
    #expect(try timeToLive([0x80, 0, 0, 60]) == 30)
  }

  @Test func `an answer with more addresses than are kept says how many it lost`() throws {
    let all = (0..<70).reversed().flatMap { record(a, 1, ttl: 60, [192, 0, 2, UInt8($0)]) }
    let records = try outcome(header(answers: 70) + question() + all).get()
    #expect(records.addresses == (0..<64).map { .v4(0xc000_0200 + $0) })
    #expect(records.omitted == 6)
  }

  @Test func `every cut of a message is malformed`() throws {
    let message =
      header(answers: 2) + question() + record(a, 5, ttl: 60, b)
      + record(b, 1, ttl: 60, [192, 0, 2, 1])
    #expect(try outcome(message).get().addresses == [.v4(0xc000_0201)])
    for length in 0..<message.count {
      #expect(throws: MalformedMessage.self, "cut to \(length) bytes") {
        try outcome(Array(message.prefix(length)))
      }
    }
  }

  @Test(
    arguments: [
      [0xc0, 24], [0xc0, 255], [0xff, 0xff], [0x40, 0], [0x80, 0], [1, 0x61, 0xc0, 24],
    ] as [[UInt8]])
  func `a name that points forward, at itself or with an unknown tag is malformed`(
    owner: [UInt8]
  ) {
    let message = header(answers: 1) + question() + record(owner, 1, ttl: 60, [192, 0, 2, 1])
    #expect(throws: MalformedMessage.self) { try outcome(message) }
  }

  @Test func `a name of more than 255 bytes is malformed`() throws {
    func message(lastLabel: Int) -> [UInt8] {
      let label = [63] + [UInt8](repeating: 0x61, count: 63)
      let last = [UInt8(lastLabel)] + [UInt8](repeating: 0x61, count: lastLabel)
      return header(answers: 1) + question()
        + record(label + label + label + last + [0], 1, ttl: 60, [192, 0, 2, 1])
    }
    #expect(try outcome(message(lastLabel: 61)) == .failure(.noAddress))
    #expect(throws: MalformedMessage.self) { try outcome(message(lastLabel: 62)) }
  }

  @Test(arguments: [3, 5, 16] as [Int])
  func `an A record of another length than 4 is malformed`(count: Int) {
    let data = [UInt8](repeating: 1, count: count)
    let message = header(answers: 1) + question() + record(a, 1, ttl: 60, data)
    #expect(throws: MalformedMessage.self) { try outcome(message) }
  }

  @Test func `an alias whose data goes on behind the name is malformed`() {
    let message = header(answers: 1) + question() + record(a, 5, ttl: 60, b + [0])
    #expect(throws: MalformedMessage.self) { try outcome(message) }
  }

  @Test func `two aliases of one name are malformed, the same one twice is not`() throws {
    let twice =
      header(answers: 3) + question() + record(a, 5, ttl: 40, b) + record(a, 5, ttl: 50, b)
      + record(b, 1, ttl: 60, [192, 0, 2, 1])
    #expect(try outcome(twice).get().addresses == [.v4(0xc000_0201)])
    #expect(try outcome(twice).get().timeToLive == 40)
    let two = header(answers: 2) + question() + record(a, 5, ttl: 60, b) + record(a, 5, ttl: 60, c)
    #expect(throws: MalformedMessage.self) { try outcome(two) }
  }

  @Test func `a query, a truncated message and two questions are malformed`() throws {
    let good = header(answers: 1) + question() + record(a, 1, ttl: 60, [192, 0, 2, 1])
    for (offset, byte) in [(2, 0x01), (2, 0x83), (5, 2)] as [(Int, UInt8)] {
      var message = good
      message[offset] = byte
      #expect(throws: MalformedMessage.self) { try outcome(message) }
    }
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func `property: changed bytes decode or are malformed, and never trap`(seed: UInt64) throws {
    var message =
      header(answers: 2) + question() + record(a, 5, ttl: 60, b)
      + record(b, 1, ttl: 60, [192, 0, 2, 1])
    var state = seed
    func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
      return mixed ^ (mixed >> 31)
    }
    for _ in 0..<3 {
      message[Int(next() % UInt64(message.count))] = UInt8(truncatingIfNeeded: next())
    }
    do {
      if case .success(let records) = try outcome(message) {
        #expect(records.addresses.allSatisfy { $0.family == .ipv4 })
        #expect(AddressRecords.timeToLiveBounds.contains(records.timeToLive))
      }
    } catch is MalformedMessage {}
  }
}
