import Foundation
import LinuxSystem
import NetworkTypes

/// What a list file that weir made says of itself.
struct FeedEdition: Codable, Hashable {
  /// One published list that went into it.
  struct Source: Codable, Hashable {
    let address: String
    /// Of the body as it came.
    let sha256: String
    /// Seconds since 1970, by the publisher.
    let dated: Int?
    /// A number that grows with each edition.
    let serial: Int?
  }

  /// Version of this form.
  var version = 1
  /// Seconds since 1970.
  let fetched: Int
  let sources: [Source]
}

/// The list file of a feed: the last good edition, and where it came from.
///
/// Policies read it as any list file; the second line is for weir alone.
struct FeedListFile {
  let edition: FeedEdition
  let addresses: AddressSet

  private static let mark =
    "# Written by weir feeds; do not edit. The last good edition of a published list.\n"
  private static let key = "# edition: "
  /// The largest list file that a policy may name.
  static let limitBytes = 64 << 20

  /// What a path holds.
  enum State {
    case missing
    /// It is not weir's, or was damaged; with the reason.
    case unusable(String)
    case good(FeedListFile)
  }

  /// Looks at a path.
  static func read(_ path: String) -> State {
    let bytes: [UInt8]
    do throws(LinuxError) {
      bytes = try BoundedFile.read(path, limitBytes: limitBytes)
    } catch {
      if case .unreadableFile(_, .missing) = error { return .missing }
      return .unusable("\(error)")
    }
    guard bytes.starts(with: Array(mark.utf8)) else {
      return .unusable("'\(path)' is a file that weir feeds did not write")
    }
    let line = bytes.dropFirst(mark.utf8.count).prefix { $0 != 0x0a }
    guard line.starts(with: Array(key.utf8)),
      let edition = try? JSONDecoder().decode(
        FeedEdition.self, from: Data(line.dropFirst(key.utf8.count))),
      edition.version == 1
    else { return .unusable("'\(path)' is damaged: its second line tells no edition") }
    let list = AddressList(bytes.span, keepingProblems: 1)
    if let problem = list.problems.first {
      return .unusable("'\(path)' is damaged: line \(problem.line): \(problem.reason)")
    }
    return .good(FeedListFile(edition: edition, addresses: list.addresses))
  }

  /// The file's text.
  func text() -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let edition = (try? encoder.encode(edition)) ?? Data()
    var text = Array((Self.mark + Self.key).utf8) + edition + [0x0a]
    for block in addresses.blocks {
      text += Array("\(block)\n".utf8)
    }
    return text
  }
}
