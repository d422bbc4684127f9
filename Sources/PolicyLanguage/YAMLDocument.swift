import NetworkTypes
import Yams

/// YAML text → ``SyntaxNode``; the only file that knows Yams.
///
/// Anchors, aliases and tags are refused: a value of a policy has one place and one reading.
struct YAMLDocument {
  let file: String
  let log: DiagnosticLog
  let limits: ParserLimits
  /// Keys that were masked because Yams refuses a mapping with duplicates, by place.
  private var masked: [SourceLocation: String] = [:]
  private var nodeCount = 0

  init(file: String, log: DiagnosticLog, limits: ParserLimits) {
    self.file = file
    self.log = log
    self.limits = limits
  }

  /// The root node; nil after an error was logged.
  mutating func root(of original: String) -> SyntaxNode? {
    guard isHarmless(original) else { return nil }
    var text = original
    for _ in 0..<limits.diagnostics {
      do {
        let parser = try Yams.Parser(yaml: text, resolver: .basic, encoding: .utf8)
        // The parser owns the anchors; without it, nodes forget that they had one.
        return try withExtendedLifetime(parser) {
          guard let node = try parser.singleRoot() else { return nil }
          return converted(node, depth: 0)
        }
      } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
        guard let masked = mask(keys, at: context.mark, in: text) else { return nil }
        text = masked
      } catch {
        report(error)
        return nil
      }
    }
    return nil
  }

  /// Whether composing the text takes time in proportion to its size.
  ///
  /// Yams hashes every key, so that a key made of nested aliases would take forever; a few aliases
  /// cannot hurt and get their proper message later.
  private func isHarmless(_ text: String) -> Bool {
    guard text.utf8.contains(UInt8(ascii: "&")), text.utf8.contains(UInt8(ascii: "*")) else {
      return true
    }
    var anchors: Set<Substring> = []
    var aliases = 0
    for line in text.split(whereSeparator: \.isNewline) {
      for word in line.split(whereSeparator: { " \t[]{},:?-\r".contains($0) }) {
        if word.hasPrefix("#") { break }
        if word.hasPrefix("&") { anchors.insert(word.dropFirst()) }
        if word.hasPrefix("*"), anchors.contains(word.dropFirst()) { aliases += 1 }
      }
    }
    guard aliases > 4 else { return true }
    log.fileError(.alias, "the file uses \(aliases) aliases", file: file, Self.aliasAdvice)
    return false
  }

  private static let aliasAdvice =
    "a policy has no anchors and aliases; name the addresses in `groups:` and use the name"

  // MARK: Nodes

  private mutating func converted(_ node: Yams.Node, depth: Int) -> SyntaxNode? {
    let location = location(node.mark)
    nodeCount += 1
    let here = SyntaxNode(content: .scalar(""), location: location)
    guard nodeCount <= limits.nodes else {
      if nodeCount == limits.nodes + 1 {
        log.error(
          .tooManyNodes, "the file has more than \(limits.nodes) values", at: here,
          .init("put long address lists into a file of their own: `{file: many.txt}`"))
      }
      return nil
    }
    guard depth <= limits.nesting else {
      log.error(.nestingTooDeep, "nested more than \(limits.nesting) levels deep", at: here)
      return nil
    }
    if node.anchor != nil {
      log.error(
        .alias, "anchors are not part of the policy language", at: here,
        .init(Self.aliasAdvice))
    }
    switch node {
    case .scalar(let scalar): return converted(scalar, at: location)
    case .sequence(let sequence):
      refuse(sequence.tag, at: here)
      return SyntaxNode(
        content: .sequence(sequence.compactMap { converted($0, depth: depth + 1) }),
        location: location)
    case .mapping(let mapping):
      refuse(mapping.tag, at: here)
      var pairs: [SyntaxPair] = []
      for (key, value) in mapping {
        guard let key = converted(key, depth: depth + 1),
          let value = converted(value, depth: depth + 1)
        else { continue }
        pairs.append(SyntaxPair(key: key, value: value))
      }
      return SyntaxNode(content: .mapping(pairs), location: location)
    case .alias:
      log.error(
        .alias, "aliases are not part of the policy language", at: here,
        .init(Self.aliasAdvice))
      return nil
    }
  }

  private func converted(_ scalar: Yams.Node.Scalar, at location: SourceLocation) -> SyntaxNode {
    let text = masked[location] ?? scalar.string
    let isQuoted = scalar.style == .singleQuoted || scalar.style == .doubleQuoted
    let isBlock = scalar.style == .literal || scalar.style == .folded
    let length = isBlock ? 1 : max(1, text.unicodeScalars.count + (isQuoted ? 2 : 0))
    let node = SyntaxNode(content: .scalar(text), location: location, length: length)
    refuse(scalar.tag, at: node)
    return node
  }

  private func refuse(_ tag: Tag, at node: SyntaxNode) {
    guard ![Tag.Name.implicit, .str, .seq, .map].map(\.rawValue).contains(tag.rawValue) else {
      return
    }
    log.error(
      .tag, "tags are not part of the policy language", at: node,
      .init("write the value without `!`"))
  }

  private func location(_ mark: Mark?) -> SourceLocation {
    SourceLocation(file: file, line: mark?.line ?? 1, column: mark?.column ?? 1)
  }

  // MARK: Errors of Yams

  /// The text with the first of two equal keys replaced by as many private-use characters.
  ///
  /// So the file can be composed after all, and the second key be reported in its turn with every
  /// other error. Answers nil, with the error logged, where the key is not plainly spelled.
  private mutating func mask(_ keys: [String], at mark: Mark, in text: String) -> String? {
    var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .map(String.init)
    let place = location(mark)
    if lines.indices.contains(mark.line - 1), masked[place] == nil {
      var scalars = Array(lines[mark.line - 1].unicodeScalars)
      let start = mark.column - 1
      let key = keys.first { key in
        start + key.unicodeScalars.count <= scalars.count && !key.isEmpty
          && scalars[start..<(start + key.unicodeScalars.count)].elementsEqual(key.unicodeScalars)
      }
      if let key, let stand = Unicode.Scalar(0xe000 + UInt32(masked.count)) {
        for index in start..<(start + key.unicodeScalars.count) { scalars[index] = stand }
        lines[mark.line - 1] = String(String.UnicodeScalarView(scalars))
        masked[place] = key
        return lines.joined(separator: "\n")
      }
    }
    log.error(
      .duplicateKey, "key `\(keys.joined(separator: "`, `"))` is written twice in one mapping",
      at: SyntaxNode(content: .scalar(""), location: place))
    return nil
  }

  private func report(_ error: any Error) {
    guard let error = error as? YamlError else {
      return log.fileError(.syntax, "\(error)", file: file)
    }
    switch error {
    case .parser(_, let problem, let mark, _) where problem.contains("nesting level"):
      log.error(
        .nestingTooDeep, "nested more than \(limits.nesting) levels deep",
        at: SyntaxNode(content: .scalar(""), location: location(mark)))
    case .scanner(let context, let problem, let mark, _),
      .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let note = context.map {
        Diagnostic.Note("\($0.text)", at: location($0.mark))
      }
      log.error(
        .syntax, "not valid YAML: \(problem)",
        at: SyntaxNode(content: .scalar(""), location: location(mark)), note,
        .init(
          "indent with spaces; quote texts with brackets, and IPv6 addresses that start or end with `:`"
        ))
    case .reader(let problem, _, _, _):
      log.fileError(.syntax, "not valid YAML: \(problem)", file: file)
    default:
      log.fileError(.syntax, "not valid YAML: \(error)", file: file)
    }
  }
}
