import Foundation

/// One line of progress on a terminal, rewritten in place; nothing when standard error is none.
struct ProgressLine {
  private let isTerminal = isatty(FileHandle.standardError.fileDescriptor) == 1

  /// Shows a text in the place of the one before.
  func show(_ text: String) {
    if isTerminal { FileHandle.standardError.write(Data("\r\u{1b}[K\(text)".utf8)) }
  }

  /// Leaves an empty line.
  func clear() { show("") }
}
