/// Why a file is not a snapshot that can be relied on.
///
/// Every case ends the reading: a snapshot is taken whole or not at all.
public enum SnapshotError: Error, Hashable, Sendable {
  /// The first line is not `weir-snapshot`.
  case notASnapshot
  /// A version that this reader does not know; the word in the file.
  case unknownVersion(String)
  /// The header is not as documented; the line's number from 1, and what is wrong.
  case header(line: Int, problem: String)
  /// The header does not have the digest that it ends with.
  case headerCorrupt
  /// The file ends inside the header.
  case headerTruncated
  /// The file ends inside a section; both in bytes.
  case truncated(section: String, expected: Int, present: Int)
  /// The bytes of a section do not have the digest that the header gives.
  case corrupt(section: String)
  /// So many bytes stand behind the last section.
  case trailingBytes(Int)
  /// The file is larger than ``SnapshotFile/sizeLimitBytes``.
  case tooLarge(bytes: Int)
  /// There is no section of that name.
  case missingSection(String)
  /// It was taken on a machine whose byte order this reader does not read.
  case byteOrder
  /// The section `nftables` holds what no kernel sends; where, in bytes from its start, and what.
  case message(offset: Int, problem: String)
}

extension SnapshotError: CustomStringConvertible {
  /// One sentence.
  public var description: String {
    switch self {
    case .notASnapshot: "not a snapshot: the first line is not 'weir-snapshot 1'"
    case .unknownVersion(let word):
      "a snapshot of version '\(word)', and this weir reads version 1"
    case .header(let line, let problem): "line \(line) of the header: \(problem)"
    case .headerCorrupt: "the header is corrupt: its digest is another one"
    case .headerTruncated: "cut short: the file ends inside the header"
    case .truncated(let section, let expected, let present):
      "cut short: section '\(section)' has \(present) of \(expected) bytes"
    case .corrupt(let section): "section '\(section)' is corrupt: its digest is another one"
    case .trailingBytes(let count): "\(count) bytes stand behind the last section"
    case .tooLarge(let bytes):
      "\(bytes) bytes, more than the \(SnapshotFile.sizeLimitBytes) that are read"
    case .missingSection(let name): "there is no section '\(name)'"
    case .byteOrder: "taken on a big-endian machine, which this weir does not read"
    case .message(let offset, let problem):
      "section 'nftables', byte \(offset): \(problem)"
    }
  }
}
