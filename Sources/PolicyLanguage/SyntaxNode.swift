import NetworkTypes

/// A YAML node with its place; scalars are raw text, typed by whoever reads them.
struct SyntaxNode {
  enum Content {
    case scalar(String)
    case sequence([SyntaxNode])
    case mapping([SyntaxPair])
  }

  var content: Content
  var location: SourceLocation
  /// How many characters the text has in the file; 1 for lists and mappings.
  var length = 1

  var scalar: String? {
    if case .scalar(let text) = content { text } else { nil }
  }

  /// What the node is, for messages.
  var kindText: String {
    switch content {
    case .scalar(""): "nothing"
    case .scalar: "a single value"
    case .sequence: "a list"
    case .mapping: "a mapping"
    }
  }
}

/// A key of a mapping and its value.
struct SyntaxPair {
  var key: SyntaxNode
  var value: SyntaxNode
}
