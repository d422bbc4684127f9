/// Gives the bytes of policy and list files; the caller decides where they come from.
public protocol PolicySource {
  /// The whole content of a file.
  ///
  /// - Parameters:
  ///   - path: as the user or an including file names it, joined and without `..` inside.
  ///   - maximumBytes: a longer file is ``PolicySourceError/tooLarge``, and need not be read.
  /// - Returns: the bytes as they are.
  /// - Throws: ``PolicySourceError``.
  func contents(of path: String, maximumBytes: Int) throws(PolicySourceError) -> [UInt8]
}

/// Why a file has no content for the policy parser.
public enum PolicySourceError: Error, Hashable, Sendable {
  /// There is no such file.
  case missing
  /// It is a directory.
  case isDirectory
  /// It is larger than the limit.
  case tooLarge
  /// The system says no; the payload is its message.
  case unreadable(String)
}

/// Files held in memory, by path; for embedded policies and for tests.
public struct MemorySource: PolicySource, Sendable {
  /// Path → text.
  public var files: [String: String]

  /// Makes a source of texts by path.
  public init(_ files: [String: String]) { self.files = files }

  /// The text stored under `path` as UTF-8.
  ///
  /// - Throws: ``PolicySourceError/missing`` or ``PolicySourceError/tooLarge``.
  public func contents(of path: String, maximumBytes: Int) throws(PolicySourceError) -> [UInt8] {
    guard let text = files[path] else { throw .missing }
    guard text.utf8.count <= maximumBytes else { throw .tooLarge }
    return Array(text.utf8)
  }
}
