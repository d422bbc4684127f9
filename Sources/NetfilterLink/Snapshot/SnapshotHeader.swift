/// The lines at the head of a snapshot file, read strictly: one spelling for one meaning.
struct SnapshotHeader {
  /// A line `section NAME LENGTH DIGEST`.
  struct Entry {
    var name: String
    var byteCount: Int
    var digest: String
  }

  /// More than any header takes.
  static let longestBytes = 8192
  /// More than any version will have.
  static let mostSections = 32

  let kernelRelease: String
  let machine: String
  let generation: UInt32
  let entries: [Entry]
  /// The length of the header, the last line feed included; 0 before it is encoded.
  private(set) var byteCount = 0

  init(kernelRelease: String, machine: String, generation: UInt32, entries: [Entry]) {
    self.kernelRelease = kernelRelease
    self.machine = machine
    self.generation = generation
    self.entries = entries
  }

  /// Reads the head of a file.
  init(_ bytes: [UInt8]) throws(SnapshotError) {
    let magic = Array("weir-snapshot ".utf8)
    guard bytes.starts(with: magic) else { throw .notASnapshot }
    let version = bytes.dropFirst(magic.count).prefix(16).prefix { $0 != UInt8(ascii: "\n") }
    guard version.elementsEqual("1".utf8) else {
      throw .unknownVersion(Self.word(String(decoding: version, as: UTF8.self)))
    }
    let lines = try Lines(bytes.prefix(Self.longestBytes))
    byteCount = lines.byteCount
    guard lines.digested.sha256 == lines.digest else { throw .headerCorrupt }
    kernelRelease = try lines.value(1, "kernel") { Self.isWord($0) }
    machine = try lines.value(2, "machine") { Self.isWord($0) }
    let order = try lines.value(3, "byte-order") {
      $0.elementsEqual("little".utf8) || $0.elementsEqual("big".utf8)
    }
    let number = try lines.value(4, "generation") { UInt32(canonical: $0) != nil }
    generation = UInt32(number) ?? 0
    entries = try lines.sections(from: 5)
    guard order == "little" else { throw .byteOrder }
  }

  /// The bytes of the header, its digest last.
  func encoded() -> [UInt8] {
    var text = "weir-snapshot 1\nkernel \(kernelRelease)\nmachine \(machine)\nbyte-order little\n"
    text += "generation \(generation)\n"
    for entry in entries { text += "section \(entry.name) \(entry.byteCount) \(entry.digest)\n" }
    let digest = Array(text.utf8)[...].sha256
    return Array((text + "header \(digest)\n").utf8)
  }

  /// A text that a line can hold: other characters than visible ASCII become `?`.
  static func word(_ text: String) -> String {
    let safe = text.unicodeScalars.prefix(64).map { scalar in
      ("!"..."~").contains(scalar) ? Character(scalar) : "?"
    }
    return safe.isEmpty ? "unknown" : String(safe)
  }

  static func isSectionName(_ bytes: ArraySlice<UInt8>) -> Bool {
    let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    guard let first = bytes.first, letters.contains(first), bytes.count <= 32 else { return false }
    return bytes.allSatisfy {
      letters.contains($0) || digits.contains($0) || $0 == UInt8(ascii: "-")
    }
  }

  private static func isWord(_ bytes: ArraySlice<UInt8>) -> Bool {
    (1...64).contains(bytes.count) && bytes.allSatisfy { (0x21...0x7e).contains($0) }
  }
}

/// The lines up to and with the one that begins `header `.
private struct Lines {
  /// Without line feeds, and without the last one.
  var texts: [ArraySlice<UInt8>] = []
  /// What the last line gives.
  var digest = ""
  /// What the digest is over.
  var digested: ArraySlice<UInt8>
  var byteCount = 0

  init(_ bytes: ArraySlice<UInt8>) throws(SnapshotError) {
    let last = Array("header ".utf8)
    var rest = bytes
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      let line = rest[..<end]
      if line.starts(with: last) {
        let digits = line.dropFirst(last.count)
        guard digits.isDigest else {
          throw .header(line: texts.count + 1, problem: "expected a SHA-256")
        }
        digest = String(decoding: digits, as: UTF8.self)
        digested = bytes[..<line.startIndex]
        byteCount = end + 1 - bytes.startIndex
        return
      }
      texts.append(line)
      rest = rest[(end + 1)...]
    }
    guard bytes.count < SnapshotHeader.longestBytes else {
      throw .header(line: texts.count + 1, problem: "the header is too long")
    }
    throw .headerTruncated
  }

  /// The value of a line `key value`; it must pass `isGood`.
  func value(
    _ index: Int, _ key: String, _ isGood: (ArraySlice<UInt8>) -> Bool
  ) throws(SnapshotError) -> String {
    guard texts.indices.contains(index), texts[index].starts(with: "\(key) ".utf8),
      isGood(texts[index].dropFirst(key.utf8.count + 1))
    else { throw .header(line: index + 1, problem: "expected '\(key) …'") }
    return String(decoding: texts[index].dropFirst(key.utf8.count + 1), as: UTF8.self)
  }

  func sections(from first: Int) throws(SnapshotError) -> [SnapshotHeader.Entry] {
    var entries: [SnapshotHeader.Entry] = []
    for index in texts.indices.dropFirst(first) {
      let words = texts[index].split(
        separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      guard words.count == 4, words[0].elementsEqual("section".utf8),
        SnapshotHeader.isSectionName(words[1]), let length = UInt32(canonical: words[2]),
        words[3].isDigest
      else {
        throw .header(line: index + 1, problem: "expected 'section NAME LENGTH SHA-256'")
      }
      let name = String(decoding: words[1], as: UTF8.self)
      guard !entries.contains(where: { $0.name == name }) else {
        throw .header(line: index + 1, problem: "a second section '\(name)'")
      }
      guard entries.count < SnapshotHeader.mostSections else {
        throw .header(line: index + 1, problem: "too many sections")
      }
      entries.append(
        .init(
          name: name, byteCount: Int(length), digest: String(decoding: words[3], as: UTF8.self)))
    }
    return entries
  }
}

extension UInt32 {
  /// A decimal number without leading zeros; nil otherwise.
  fileprivate init?(canonical digits: ArraySlice<UInt8>) {
    let text = String(decoding: digits, as: UTF8.self)
    guard let value = UInt32(text), String(value) == text else { return nil }
    self = value
  }
}

extension ArraySlice<UInt8> {
  /// Whether these are 64 hexadecimal digits in lower case.
  fileprivate var isDigest: Bool {
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    let letters = UInt8(ascii: "a")...UInt8(ascii: "f")
    return count == 64 && allSatisfy { digits.contains($0) || letters.contains($0) }
  }
}
