import NetworkTypes

/// Types raw scalars; every value that programs read in two ways is refused with the reason.
extension DiagnosticLog {
  /// One of a few words.
  func word<Value: RawRepresentable<String> & CaseIterable>(
    _ field: Field?, _ type: Value.Type
  ) -> Sourced<Value>? {
    guard let node = field?.value else { return nil }
    let words = Value.allCases.map(\.rawValue)
    guard let text = text(node, alternatives(words)) else { return nil }
    if let value = Value(rawValue: text) { return Sourced(value, at: node.location) }
    let trap = yamlTrap(text)
    error(
      trap == nil ? .invalidValue : .ambiguousScalar,
      "expected \(alternatives(words)), found `\(text)`", at: node,
      trap, didYouMean(text, among: words))
    return nil
  }

  /// The name of a policy, group or clause.
  func name(_ node: SyntaxNode, _ what: String) -> String? {
    guard let text = text(node, "a \(what) name") else { return nil }
    if isName(text) { return text }
    var proposal = ""
    for byte in text.lowercased().utf8 {
      switch byte {
      case 0x61...0x7a, 0x30...0x39, 0x2d: proposal.append(Character(Unicode.Scalar(byte)))
      default: if !proposal.hasSuffix("-"), !proposal.isEmpty { proposal.append("-") }
      }
    }
    error(
      .invalidName, "`\(text)` is no \(what) name", at: node,
      .init("a name is 1 to 64 lower-case letters, digits and dashes, with at least one letter"),
      text.utf8.allSatisfy { $0 < 0x80 } && isName(proposal) ? .init("write `\(proposal)`") : nil)
    return nil
  }

  /// Seconds of `10m`, `90s`, `2h`, `1d`; nil inside for `off`.
  func duration(_ field: Field?) -> Sourced<Int?>? {
    guard let node = field?.value,
      let text = text(node, "a duration like `10m`")
    else { return nil }
    if text == "off" { return Sourced(nil, at: node.location) }
    let units = ["s": 1, "m": 60, "h": 3600, "d": 86400]
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let unit = units[String(text.dropFirst(digits.count))]
    if let unit, let count = Int(digits), String(count) == digits, 1...(30 * 86400 / unit) ~= count
    {
      return Sourced(count * unit, at: node.location)
    }
    let trap = yamlTrap(text)
    error(
      trap == nil ? .invalidValue : .ambiguousScalar, "`\(text)` is no duration", at: node, trap,
      .init(
        "write a number of seconds, minutes, hours or days up to 30d: `90s`, `10m`, `2h`; or `off`")
    )
    return nil
  }

  /// `10/second`; nil inside for `off`.
  func logRate(_ field: Field?) -> Sourced<LogRate?>? {
    guard let node = field?.value, let text = text(node, "a rate like `10/second`") else {
      return nil
    }
    if text == "off" { return Sourced(nil, at: node.location) }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    if parts.count == 2, let count = Int(parts[0]), String(count) == parts[0],
      1...10_000 ~= count, let period = LogRate.Period(rawValue: parts[1])
    {
      return Sourced(LogRate(count, per: period), at: node.location)
    }
    let trap = yamlTrap(text)
    error(
      trap == nil ? .invalidValue : .ambiguousScalar, "`\(text)` is no rate", at: node, trap,
      .init("write 1 to 10000 for each second, minute, hour or day: `10/second`; or `off`"))
    return nil
  }

  func isName(_ text: String) -> Bool {
    1...64 ~= text.utf8.count
      && text.utf8.allSatisfy {
        switch $0 {
        case 0x61...0x7a, 0x30...0x39, 0x2d: true
        default: false
        }
      } && text.utf8.contains { 0x61...0x7a ~= $0 } && !text.hasPrefix("-") && !text.hasSuffix("-")
  }

  func alternatives(_ words: [String]) -> String {
    words.map { "`\($0)`" }.joined(separator: " or ")
  }

  /// Why YAML readers disagree about a scalar; nil when they do not.
  func yamlTrap(_ text: String) -> Diagnostic.Note? {
    let lowered = text.lowercased()
    switch lowered {
    case "yes", "no", "on", "off", "true", "false", "y", "n":
      return .init("YAML 1.1 programs read `\(text)` as a boolean, which is no value here")
    case "null", "~": return .init("YAML programs read `\(text)` as no value at all")
    default: break
    }
    let isDigits = { (part: Substring) in
      !part.isEmpty && part.utf8.allSatisfy { 0x30...0x39 ~= $0 }
    }
    let parts = lowered.split(separator: ":", omittingEmptySubsequences: false)
    if 2...3 ~= parts.count, parts.allSatisfy(isDigits) {
      return .init("YAML 1.1 programs read `\(text)` as a number to the base of 60")
    }
    if lowered.hasPrefix("0x") || lowered.hasPrefix("0o") || lowered.hasPrefix("0b") {
      return .init("write numbers in plain decimal")
    }
    if lowered.count > 1, lowered.hasPrefix("0"), isDigits(lowered[...]) {
      return .init("YAML 1.1 programs read `\(text)` as octal; write it without leading zeros")
    }
    if lowered.contains("_"), lowered.utf8.allSatisfy({ 0x30...0x39 ~= $0 || $0 == 0x5f }) {
      return .init("YAML 1.1 programs skip the `_`; write the digits only")
    }
    return nil
  }
}
