import NetworkTypes

/// Collects the diagnostics of one policy and the texts that they quote.
final class DiagnosticLog {
  private var diagnostics: [Diagnostic] = []
  private var texts: [String: [UInt8]] = [:]
  private let maximum: Int
  private(set) var hasErrors = false

  init(keeping maximum: Int) { self.maximum = maximum }

  /// Remembers a file's bytes, to quote lines from.
  func remember(_ bytes: [UInt8], of file: String) { texts[file] = bytes }

  /// Whether so many errors came that looking for more is of no use.
  var isFull: Bool { diagnostics.count >= maximum }

  func report(_ diagnostic: Diagnostic) {
    if diagnostic.severity == .error { hasErrors = true }
    if !isFull { diagnostics.append(diagnostic) }
  }

  func error(
    _ code: DiagnosticCode, _ message: String, at node: SyntaxNode, _ notes: Diagnostic.Note?...
  ) {
    report(
      Diagnostic(
        severity: .error, code: code, message: message, location: node.location,
        length: node.length, notes: notes.compactMap(\.self)))
  }

  func warning(
    _ code: DiagnosticCode, _ message: String, at location: SourceLocation, length: Int = 1,
    _ notes: Diagnostic.Note?...
  ) {
    report(
      Diagnostic(
        severity: .warning, code: code, message: message, location: location, length: length,
        notes: notes.compactMap(\.self)))
  }

  func fileError(_ code: DiagnosticCode, _ message: String, file: String, _ note: String? = nil) {
    report(
      Diagnostic(
        severity: .error, code: code, message: message,
        location: SourceLocation(file: file, line: 0, column: 0),
        notes: note.map { [Diagnostic.Note($0)] } ?? []))
  }

  /// Everything reported, once each, by place, with the source lines filled in.
  func finished() -> [Diagnostic] {
    var seen: Set<Diagnostic> = []
    return
      diagnostics
      .filter { seen.insert($0).inserted }
      .sorted { ($0.location, $0.severity.rawValue) < ($1.location, $1.severity.rawValue) }
      .map { diagnostic in
        var complete = diagnostic
        if complete.sourceLine == nil { complete.sourceLine = line(at: diagnostic.location) }
        return complete
      }
  }

  private func line(at location: SourceLocation) -> String? {
    guard location.line > 0, let bytes = texts[location.file] else { return nil }
    var start = 0
    for _ in 1..<location.line {
      guard let feed = bytes[start...].firstIndex(of: 0x0a) else { return nil }
      start = feed + 1
    }
    let end = bytes[start...].firstIndex { $0 == 0x0a || $0 == 0x0d } ?? bytes.endIndex
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }
}
