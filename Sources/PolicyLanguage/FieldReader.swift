import NetworkTypes

/// The value of a key, with the key's own place.
struct Field {
  let key: SyntaxNode
  let value: SyntaxNode
}

/// The fields of one mapping; keys that were written without a value are only ``mentioned``.
struct Fields<Key: Hashable> {
  private(set) var fields: [Key: Field] = [:]
  private(set) var mentioned: [Key: SyntaxNode] = [:]

  /// The field of a key that has a value.
  subscript(key: Key) -> Field? { fields[key] }

  mutating func mention(_ key: Key, at node: SyntaxNode) { mentioned[key] = node }

  mutating func set(_ key: Key, _ field: Field) {
    mentioned[key] = field.key
    fields[key] = field
  }
}

extension DiagnosticLog {
  /// The fields of a mapping whose keys are the cases of `Key`.
  ///
  /// Unknown and repeated keys and keys without a value are logged and left out; nil when the node
  /// is no mapping at all.
  func fields<Key: RawRepresentable<String> & CaseIterable & Hashable>(
    of node: SyntaxNode, _ keys: Key.Type, of owner: String
  ) -> Fields<Key>? {
    let names = Key.allCases.map(\.rawValue)
    guard case .mapping(let pairs) = node.content else {
      error(
        .wrongType, "expected \(owner) as a mapping, found \(node.kindText)", at: node,
        .init("its keys are \(list(names))"))
      return nil
    }
    var fields = Fields<Key>()
    for pair in pairs {
      let (keyNode, value) = (pair.key, pair.value)
      guard let name = keyNode.scalar else {
        error(.wrongType, "a key must be a word, found \(keyNode.kindText)", at: keyNode)
        continue
      }
      guard let key = Key(rawValue: name) else {
        error(
          .unknownKey, "unknown key `\(name)` in \(owner)", at: keyNode,
          didYouMean(name, among: names) ?? .init("its keys are \(list(names))"))
        continue
      }
      if let first = fields.mentioned[key] {
        duplicate(name, at: keyNode, first: first)
      } else if value.scalar == "" {
        error(
          .emptyValue, "key `\(name)` has no value", at: keyNode,
          .init("write a value, or leave the key out"))
        fields.mention(key, at: keyNode)
      } else {
        fields.set(key, Field(key: keyNode, value: value))
      }
    }
    return fields
  }

  func duplicate(_ name: String, at node: SyntaxNode, first: SyntaxNode) {
    error(
      .duplicateKey, "key `\(name)` is written twice", at: node,
      .init("the first one is here", at: first.location))
  }

  /// The text of a scalar; nil, with an error logged, for anything else and for nothing.
  func text(_ node: SyntaxNode, _ what: String) -> String? {
    guard let text = node.scalar, !text.isEmpty else {
      error(.wrongType, "expected \(what), found \(node.kindText)", at: node)
      return nil
    }
    return text
  }

  /// The items of a list, or the node itself where one item may stand without brackets.
  func items(_ node: SyntaxNode, _ what: String, orOne: Bool) -> [SyntaxNode]? {
    switch node.content {
    case .sequence(let items):
      if items.isEmpty {
        error(
          .emptyValue, "an empty list of \(plural(what)) says nothing", at: node,
          .init("write at least one \(what), or leave the key out"))
        return nil
      }
      return items
    case _ where orOne: return [node]
    default:
      error(.wrongType, "expected a list of \(plural(what)), found \(node.kindText)", at: node)
      return nil
    }
  }

  private func plural(_ word: String) -> String {
    switch word {
    case "entry": "entries"
    case "address": "addresses"
    default: word + "s"
    }
  }

  /// `a`, `b` and `c`.
  func list(_ names: [String]) -> String {
    let quoted = names.map { "`\($0)`" }
    guard let last = quoted.last, quoted.count > 1 else { return quoted.first ?? "" }
    return quoted.dropLast().joined(separator: ", ") + " and " + last
  }
}
