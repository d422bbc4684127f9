import NetworkTypes

/// Reads files through a ``PolicySource`` and refuses what is no text.
struct FileReader {
  let source: any PolicySource
  let log: DiagnosticLog
  let limits: ParserLimits

  /// The content of a file; nil after an error was logged, at `reference` where there is one.
  func bytes(of path: String, maximum: Int, reference: SyntaxNode?) -> [UInt8]? {
    do throws(PolicySourceError) {
      return try source.contents(of: path, maximumBytes: maximum)
    } catch {
      let (code, problem): (DiagnosticCode, String) =
        switch error {
        case .missing: (.fileMissing, "there is no such file")
        case .isDirectory: (.fileIsDirectory, "it is a directory, not a file")
        case .tooLarge: (.fileTooLarge, "it is larger than \(maximum) bytes")
        case .unreadable(let reason): (.fileUnreadable, reason)
        }
      if let reference {
        log.error(code, "cannot read `\(path)`: \(problem)", at: reference)
      } else {
        log.fileError(code, "cannot read the file: \(problem)", file: path)
      }
      return nil
    }
  }

  /// The root node of a policy file; nil after an error was logged.
  func policy(at path: String, reference: SyntaxNode?) -> SyntaxNode? {
    guard var bytes = bytes(of: path, maximum: limits.policyBytes, reference: reference) else {
      return nil
    }
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes.removeFirst(3) }
    log.remember(bytes, of: path)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      logNotUTF8(bytes, path)
      return nil
    }
    guard hasOnlyText(text, path) else { return nil }
    var document = YAMLDocument(file: path, log: log, limits: limits)
    let hadErrors = log.hasErrors
    let root = document.root(of: text)
    let isEmpty =
      switch root?.content {
      case nil: !log.hasErrors || hadErrors
      case .scalar(let text): text.isEmpty
      default: false
      }
    if isEmpty {
      log.fileError(
        .emptyFile, "the file holds no policy", file: path,
        "start with `policy: some-name`; docs/policy.md shows the language")
      return nil
    }
    return root
  }

  private func logNotUTF8(_ bytes: [UInt8], _ path: String) {
    var line = 1
    for part in bytes.split(separator: 0x0a, omittingEmptySubsequences: false) {
      if String(validating: part, as: UTF8.self) == nil { break }
      line += 1
    }
    let column =
      bytes.split(separator: 0x0a, omittingEmptySubsequences: false)[line - 1]
      .prefix { $0 < 0x80 }.count + 1
    log.error(
      .notUTF8, "the file is not UTF-8 text",
      at: SyntaxNode(
        content: .scalar(""),
        location: SourceLocation(file: path, line: line, column: column)),
      .init("save it as UTF-8"))
  }

  /// Refuses control characters, and line ends that only some programs count.
  private func hasOnlyText(_ text: String, _ path: String) -> Bool {
    var line = 1
    var column = 1
    var previous: Unicode.Scalar = " "
    for scalar in text.unicodeScalars {
      let isForbidden =
        switch scalar.value {
        case 0x09, 0x0a, 0x0d: previous == "\r" && scalar != "\n"
        case 0..<0x20, 0x7f..<0xa0, 0x2028, 0x2029: true
        default: previous == "\r"
        }
      if isForbidden {
        let culprit = previous == "\r" ? previous : scalar
        let code = String(culprit.value, radix: 16, uppercase: true)
        log.error(
          .syntax, "control character U+\(code)",
          at: SyntaxNode(
            content: .scalar(""),
            location: SourceLocation(file: path, line: line, column: column)),
          .init("remove it; lines end with LF or CR LF"))
        return false
      }
      (line, column) = scalar == "\n" ? (line + 1, 1) : (line, column + 1)
      previous = scalar
    }
    return true
  }
}
