import NetworkTypes
import SeededRandom
import Testing

@Suite struct AddressListTests {
  private func list(_ text: String, keepingProblems: Int = 20) -> AddressList {
    AddressList(Array(text.utf8).span, keepingProblems: keepingProblems)
  }

  @Test func `both families, prefixes, ranges, comments and blank lines mix`() {
    let list = list(
      """
      # ours
      192.0.2.1
      2001:db8::/32   # a prefix

      \t10.0.0.0/8
      192.0.2.5-192.0.2.9
      192.0.2.20 - 192.0.2.21# spaced
      2001:db8:1::1-2001:db8:1::2
      """)
    #expect(
      list.v4.map { AddressBlock.v4($0).description } == [
        "192.0.2.1", "10.0.0.0/8", "192.0.2.5 - 192.0.2.9", "192.0.2.20/31",
      ])
    #expect(
      list.v6.map { AddressBlock.v6($0).description } == [
        "2001:db8::/32", "2001:db8:1::1 - 2001:db8:1::2",
      ])
    #expect(list.problemCount == 0)
    #expect(list.problems.isEmpty)
  }

  @Test(arguments: [
    "192.0.2.1\n10.0.0.1", "192.0.2.1\r\n10.0.0.1\r\n", "192.0.2.1 \t\r\n10.0.0.1\n\n",
  ])
  func `line ends and the last line without one do not matter`(text: String) {
    #expect(
      list(text).v4 == [Interval(0xc000_0201, 0xc000_0201), Interval(0x0a00_0001, 0x0a00_0001)])
    #expect(list(text).problemCount == 0)
  }

  @Test func `a bad line is reported with its place and does not end the list`() throws {
    let list = list("1.1.1.1\n  10.0.0.1/8  # host bits\n1.1.1.1 2.2.2.2\n2.2.2.2\n010.1.1.1\r\n")
    #expect(list.v4.count == 2)
    #expect(list.problemCount == 3)
    #expect(list.problems.map(\.line) == [2, 3, 5])
    #expect(list.problems.map(\.column) == [3, 1, 1])
    #expect(list.problems.map(\.length) == [10, 15, 9])
    #expect(
      list.problems.map(\.sourceLine) == [
        "  10.0.0.1/8  # host bits", "1.1.1.1 2.2.2.2", "010.1.1.1",
      ])
    #expect(
      list.problems.map(\.reason) == [
        .hostBits("10.0.0.1/8", meant: "10.0.0.0/8"), .notAnAddress("1.1.1.1 2.2.2.2"),
        .leadingZero(octet: "010"),
      ])
  }

  @Test func `only as many problems are kept as asked for, and all are counted`() {
    let list = list(String(repeating: "nothing\n", count: 50), keepingProblems: 3)
    #expect(list.problems.count == 3)
    #expect(list.problemCount == 50)
  }

  @Test func `bytes that are no text are a problem, not a trap`() {
    let list = AddressList([0xff, 0xfe, 0x0a, 0x00, 0x0a, 0x31].span)
    #expect(list.problemCount == 3)
    #expect(list.v4.isEmpty && list.v6.isEmpty)
  }

  @Test func `an empty file is an empty list`() {
    #expect(list("").addresses.isEmpty)
    #expect(list("# nothing\n").problemCount == 0)
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func `property: the fast path reads what the strict reader reads`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let letters = Array("0123456789abf.:/- #\r".utf8)
    let lines = (0..<40).map { _ -> String in
      let address = generator.address()
      let bits = address.family == .ipv4 ? 32 : 128
      var bytes = Array(
        Prefix(containing: address, length: .random(in: 0...bits, using: &generator))
          .description.utf8)
      // Half the lines are damaged in one place.
      if Bool.random(using: &generator) {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        bytes[place] = letters.randomElement(using: &generator) ?? 0x30
      }
      return String(decoding: bytes, as: UTF8.self)
    }
    let list = list(lines.joined(separator: "\n"), keepingProblems: 40)
    var expected: [AddressBlock] = []
    var problems = 0
    for line in lines {
      let item = line.prefix { $0 != "#" }
      let text = String(item).trimmed
      if text.isEmpty { continue }
      do { expected.append(try AddressBlock(strict: text)) } catch { problems += 1 }
    }
    #expect(list.problemCount == problems)
    #expect(list.v4 == expected.compactMap { if case .v4(let block) = $0 { block } else { nil } })
    #expect(list.v6 == expected.compactMap { if case .v6(let block) = $0 { block } else { nil } })
  }
}

extension String {
  /// Without spaces and carriage returns at both ends.
  fileprivate var trimmed: String {
    var text = Substring(self)
    while let last = text.last, " \r".contains(last) { text.removeLast() }
    while let first = text.first, " \r".contains(first) { text.removeFirst() }
    return String(text)
  }
}
