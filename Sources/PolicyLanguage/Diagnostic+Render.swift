import NetworkTypes

extension Diagnostic {
  /// The message as compilers print it: place, text, source line, carets, notes.
  ///
  /// Control characters of the source are shown as `·`, so that a policy cannot steer a terminal.
  ///
  /// Example:
  /// ```
  /// policy.yaml:2:18: error: unknown protocol `upd`
  /// protocols: [tcp, upd]
  ///                  ^~~
  /// note: did you mean `udp`?
  /// ```
  public func render() -> String {
    let place = location.line > 0 ? "\(location)" : location.file
    var lines = ["\(place): \(severity.rawValue): \(message)"]
    if let sourceLine, location.line > 0 {
      let (shown, offset) = Diagnostic.window(sourceLine, column: location.column)
      lines.append(shown)
      let room = max(1, shown.unicodeScalars.count - offset)
      let carets = "^" + String(repeating: "~", count: max(0, min(length, room) - 1))
      lines.append(String(repeating: " ", count: offset) + carets)
    }
    for note in notes {
      lines.append((note.location.map { "\($0): " } ?? "") + "note: \(note.message)")
    }
    return lines.map(Diagnostic.escaped).joined(separator: "\n")
  }

  /// The part of a long line around `column`, and how far the column is from its start.
  private static func window(_ line: String, column: Int) -> (String, Int) {
    let scalars = Array(line.unicodeScalars)
    let target = min(max(0, column - 1), scalars.count)
    let start = scalars.count <= 160 ? 0 : max(0, target - 60)
    var shown = String.UnicodeScalarView()
    for scalar in scalars[start..<min(scalars.count, start + 160)] {
      shown.append(scalar == "\t" ? " " : scalar)
    }
    return (String(shown), target - start)
  }

  private static func escaped(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      let isControl =
        scalar.properties.generalCategory == .control
        || scalar.properties.generalCategory == .format
      result.append(isControl ? "·" : scalar)
    }
    return String(result)
  }
}

extension [Diagnostic] {
  /// All messages, a count at the end; at most `maximum` in full.
  ///
  /// Example of the last line: `2 errors, 1 warning`.
  public func render(maximum: Int = 50) -> String {
    var parts = prefix(maximum).map { $0.render() }
    if count > maximum { parts.append("… and \(count - maximum) more") }
    let errors = count { $0.severity == .error }
    let warnings = count - errors
    func text(_ number: Int, _ word: String) -> String? {
      number == 0 ? nil : "\(number) \(word)\(number == 1 ? "" : "s")"
    }
    let counts = [text(errors, "error"), text(warnings, "warning")].compactMap(\.self)
    if !counts.isEmpty { parts.append(counts.joined(separator: ", ")) }
    return parts.map { $0 + "\n" }.joined()
  }
}
