import Bytecode
import Foundation
import SeededRandom
import Testing

@testable import NetfilterLink

@Suite struct SnapshotFileTests {
  private static let sample = SnapshotFile(
    kernelRelease: "6.18.44", machine: "x86_64", generation: 7,
    sections: [
      .init(name: "nftables", bytes: Array(repeating: 1, count: 300)[...]),
      .init(name: "host", bytes: Array("{}".utf8)[...]),
      .init(name: "x-1", bytes: []),
    ])

  /// The sample's header as text, changed, and digested anew unless told otherwise.
  private func rewritten(_ change: (inout [String]) -> Void) throws -> [UInt8] {
    let bytes = Self.sample.encoded()
    let body = bytes.suffix(302)
    var lines = String(decoding: bytes.dropLast(302), as: UTF8.self)
      .split(separator: "\n").map(String.init)
    lines.removeLast()
    change(&lines)
    let head = lines.map { $0 + "\n" }.joined()
    return Array((head + "header \(Array(head.utf8)[...].sha256)\n").utf8) + body
  }

  private func refusal(_ bytes: [UInt8]) -> SnapshotError? {
    do {
      _ = try SnapshotFile(parsing: bytes)
      return nil
    } catch { return error }
  }

  @Test func `what was put in comes out, and the same content gives the same bytes`() throws {
    let bytes = Self.sample.encoded()
    let file = try SnapshotFile(parsing: bytes)
    #expect(file == Self.sample)
    #expect(file.encoded() == bytes)
    #expect(try file.section("host").elementsEqual("{}".utf8))
    #expect(throws: SnapshotError.missingSection("hosts")) { try file.section("hosts") }
  }

  @Test func `the header is as the page says`() {
    let lines = String(decoding: Self.sample.encoded().dropLast(302), as: UTF8.self)
      .split(separator: "\n")
    #expect(
      lines.prefix(5) == [
        "weir-snapshot 1", "kernel 6.18.44", "machine x86_64", "byte-order little", "generation 7",
      ])
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    #expect(lines.count == 9)
    #expect(lines[5].hasPrefix("section nftables 300 "))
    #expect(lines[7] == "section x-1 0 \(empty)")
    #expect(lines[8].hasPrefix("header "))
  }

  @Test func `the processor's digest is that of the portable one, at every length of a block`() {
    for length in Array(0...130) + [1000, 100_000] {
      let bytes = (0..<length).map { UInt8($0 * 7 & 0xff) }
      #expect(bytes[...].sha256 == bytes[...].portableSHA256)
    }
    let inner = Array("xabc".utf8).dropFirst()
    #expect(inner.sha256.hasPrefix("ba7816bf8f01cfea"))
  }

  @Test func `every shorter file is refused`() {
    let bytes = Self.sample.encoded()
    for length in 0..<bytes.count {
      #expect(refusal(Array(bytes.prefix(length))) != nil, "\(length) bytes")
    }
  }

  @Test func `a change of any one byte is refused`() {
    let bytes = Self.sample.encoded()
    for place in bytes.indices {
      var changed = bytes
      changed[place] ^= 1 << (place % 8)
      #expect(refusal(changed) != nil, "byte \(place)")
    }
  }

  @Test func `bytes behind the last section are refused`() {
    #expect(refusal(Self.sample.encoded() + [0]) == .trailingBytes(1))
  }

  @Test func `another version is named before anything else is looked at`() {
    let text = "weir-snapshot 2\nof another shape altogether\n"
    #expect(refusal(Array(text.utf8)) == .unknownVersion("2"))
    #expect(refusal(Array("table inet x {\n}\n".utf8)) == .notASnapshot)
  }

  @Test func `sections that this reader does not know are kept`() throws {
    let bytes = try rewritten { $0[7] = $0[7].replacing("x-1", with: "future") }
    #expect(
      try SnapshotFile(parsing: bytes).sections.map(\.name) == ["nftables", "host", "future"])
  }

  @Test(arguments: [
    (1, "kernel"), (1, "kernel 6 18"), (1, "machine x86_64"), (3, "byte-order middle"),
    (4, "generation 07"), (4, "generation -1"), (4, "generation 4294967296"),
    (4, "generation +7"), (5, "section nftables 0300 ff"), (6, "section nftables 2 x"),
    (6, "section Host 2 x"), (6, "header"), (5, "note hello"), (5, ""),
  ])
  func `a header line of another spelling is refused by its number, digest or not`(
    line: Int, text: String
  ) throws {
    let found = refusal(try rewritten { $0[line] = text })
    guard case .header(line + 1, _) = found else {
      Issue.record("\(String(describing: found))")
      return
    }
  }

  @Test func `two sections of one name are refused`() throws {
    let bytes = try rewritten { $0[7] = $0[7].replacing("x-1", with: "host") }
    #expect(refusal(bytes) == .header(line: 8, problem: "a second section 'host'"))
  }

  @Test func `a length beyond the file is refused, however large`() throws {
    for length in ["301", "4294967295"] {
      let bytes = try rewritten { $0[5] = $0[5].replacing(" 300 ", with: " \(length) ") }
      #expect(
        refusal(bytes)
          == (length == "301"
            ? .corrupt(section: "nftables")
            : .truncated(section: "nftables", expected: 4_294_967_295, present: 302)))
    }
  }

  @Test func `a file of the other byte order is refused, not read backwards`() throws {
    #expect(refusal(try rewritten { $0[3] = "byte-order big" }) == .byteOrder)
  }

  @Test func `a header that never ends is refused after a few kilobytes`() {
    let line = "section a 0 " + String(repeating: "0", count: 64) + "\n"
    let text = "weir-snapshot 1\n" + String(repeating: line, count: 1000)
    #expect(refusal(Array(text.utf8)) != nil)
  }

  @Test func `words that a line cannot hold are made harmless when a snapshot is put together`()
    throws
  {
    let file = SnapshotFile(
      kernelRelease: "6.18 \n evil", machine: "", generation: 0, sections: [])
    #expect(file.kernelRelease == "6.18???evil")
    #expect(file.machine == "unknown")
    #expect(try SnapshotFile(parsing: file.encoded()) == file)
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func `property: any bytes at all are a snapshot or an error, never a trap`(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var bytes = Self.sample.encoded()
    for _ in 0...generator.next(upperBound: 20) {
      let place = generator.next(upperBound: bytes.count)
      switch generator.next(upperBound: 3) {
      case 0: bytes[place] = UInt8(generator.next(upperBound: 256))
      case 1: bytes.remove(at: place)
      default: bytes.insert(UInt8(generator.next(upperBound: 256)), at: place)
      }
    }
    #expect((try? SnapshotFile(parsing: bytes)) ?? Self.sample == Self.sample)
  }

  @Test(arguments: ["everything", "nat", "second"])
  func `a snapshot that was taken by the first version reads today`(name: String) throws {
    let place = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Fuzz/Corpus/snapshot/\(name).weir").standardized
    let file = try SnapshotFile(parsing: Array(try Data(contentsOf: place)))
    let recorded = RecordedRuleset(
      generation: file.generation, messages: try file.section("nftables"))
    #expect(try recorded.decoded().ruleset.tables.isEmpty == false)
  }
}
