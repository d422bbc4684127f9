import Foundation
import NetworkTypes
import PolicyLanguage
import Testing

/// The repository's files, as seen from the tests.
enum Repository {
  /// The directory that holds `Package.swift`.
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  /// The paths of all files below `folder`, relative to it, sorted.
  static func files(_ folder: String) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: folder).path)
      .filter { $0.hasSuffix(".txt") || $0.hasSuffix(".yaml") }.sorted()
  }

  /// The names of the cases in `Tests/Corpus/<area>`, sorted.
  static func cases(_ area: String) -> [String] {
    let path = root.appending(path: "Tests/Corpus/\(area)").path
    return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
  }

  /// Holds `text` against a golden file; `UPDATE_GOLDEN=1` rewrites the file, and still fails.
  static func expectGolden(
    _ text: String, _ path: String, sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) throws {
    let url = root.appending(path: path)
    let golden = (try? String(contentsOf: url, encoding: .utf8)) ?? ""
    if text != golden, ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
      try text.write(to: url, atomically: true, encoding: .utf8)
    }
    #expect(text == golden, sourceLocation: sourceLocation)
  }
}

/// The files of one corpus case; paths are relative to its directory.
struct CaseSource: PolicySource {
  let directory: URL

  init(_ area: String, _ name: String) {
    directory = Repository.root.appending(path: "Tests/Corpus/\(area)/\(name)")
  }

  func contents(of path: String, maximumBytes: Int) throws(PolicySourceError) -> [UInt8] {
    let url = directory.appending(path: path)
    let kind = try? FileManager.default.attributesOfItem(atPath: url.path)[.type]
    guard let kind = kind as? FileAttributeType else { throw .missing }
    guard kind != .typeDirectory else { throw .isDirectory }
    guard let data = try? Data(contentsOf: url) else { throw .unreadable("cannot be read") }
    guard data.count <= maximumBytes else { throw .tooLarge }
    return Array(data)
  }
}
