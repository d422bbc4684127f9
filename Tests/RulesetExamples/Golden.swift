import Foundation

/// Files under `Tests/Corpus/bytecode`, compared byte for byte.
package enum Golden {
  private static func url(_ path: String) -> URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Corpus/bytecode").appendingPathComponent(path)
  }

  /// The content of a file; empty when it is not there.
  package static func text(_ path: String) -> String {
    (try? Data(contentsOf: url(path))).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  /// How `actual` differs from the file; nil when it does not.
  ///
  /// `UPDATE_GOLDEN=1` rewrites the file and still differs.
  package static func difference(_ actual: String, from path: String) -> String? {
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
      let file = url(path)
      try? FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      let isWritten = (try? Data(actual.utf8).write(to: file)) != nil
      return isWritten ? "rewrote \(path)" : "could not write \(path)"
    }
    return firstDifference(actual, text(path)).map { "\(path):\($0)" }
  }

  /// The first line in which two texts differ; nil when they do not.
  package static func firstDifference(_ actual: String, _ expected: String) -> String? {
    guard actual != expected else { return nil }
    let got = actual.split(separator: "\n", omittingEmptySubsequences: false)
    let want = expected.split(separator: "\n", omittingEmptySubsequences: false)
    let line = zip(got, want).enumerated().first { $0.element.0 != $0.element.1 }
    guard let line else { return "\(got.count) lines, expected \(want.count)" }
    return "\(line.offset + 1): got \(line.element.0), expected \(line.element.1)"
  }
}
