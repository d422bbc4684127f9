import Foundation
import Testing

/// Files under `Tests/Corpus/bytecode`, compared byte for byte.
enum Golden {
  static func url(_ path: String) -> URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Corpus/bytecode").appendingPathComponent(path)
  }

  static func text(_ path: String) throws -> String {
    String(decoding: try Data(contentsOf: url(path)), as: UTF8.self)
  }

  /// Expects `actual` to be the file's content; `UPDATE_GOLDEN=1` rewrites the file and fails.
  static func expect(_ actual: String, is path: String) throws {
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
      try Data(actual.utf8).write(to: url(path))
      Issue.record("rewrote \(path)")
      return
    }
    let expected = try text(path)
    guard actual != expected else { return }
    let pairs = zip(
      actual.split(separator: "\n", omittingEmptySubsequences: false),
      expected.split(separator: "\n", omittingEmptySubsequences: false))
    let line = pairs.enumerated().first { $0.element.0 != $0.element.1 }
    Issue.record(
      """
      \(path) differs at line \((line?.offset ?? -1) + 1):
      got  \(line.map { String($0.element.0) } ?? "(another length)")
      want \(line.map { String($0.element.1) } ?? "")
      """)
  }
}
