import Foundation

/// As much of JSON Schema 2020-12 as the schemas of `schema/` use.
public struct JSONSchema {
  private let root: [String: Any]

  /// Reads a schema.
  public init(_ text: String) throws {
    let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
    guard let root = value as? [String: Any] else { throw CocoaError(.propertyListReadCorrupt) }
    self.root = root
  }

  /// The property names of the schema under `$defs/<name>`, or of the root; of all its branches.
  public func keys(of name: String?) -> Set<String> {
    let definitions = root["$defs"] as? [String: Any] ?? [:]
    return keys(name.flatMap { definitions[$0] } ?? root)
  }

  private func keys(_ schema: Any) -> Set<String> {
    let schema = schema as? [String: Any] ?? [:]
    let branches = (schema["oneOf"] as? [Any] ?? []).map(keys)
    return branches.reduce(Set((schema["properties"] as? [String: Any] ?? [:]).keys)) {
      $0.union($1)
    }
  }

  /// Whether `value` is valid; `known` keywords are checked, an unknown one is a failure.
  public func accepts(_ value: Any) -> Bool { accepts(value, root) }

  private static let annotations: Set<String> = [
    "$schema", "$id", "title", "description", "$defs",
  ]

  private func accepts(_ value: Any, _ schema: [String: Any]) -> Bool {
    schema.allSatisfy { keyword, argument in
      Self.annotations.contains(keyword) || holds(keyword, argument, value, schema)
    }
  }

  private func holds(_ keyword: String, _ argument: Any, _ value: Any, _ schema: [String: Any])
    -> Bool
  {
    let schemas = argument as? [[String: Any]] ?? []
    switch keyword {
    case "$ref": return accepts(value, resolved(argument as? String ?? ""))
    case "oneOf": return schemas.count { accepts(value, $0) } == 1
    case "anyOf": return schemas.contains { accepts(value, $0) }
    case "allOf": return schemas.allSatisfy { accepts(value, $0) }
    case "not": return !accepts(value, argument as? [String: Any] ?? [:])
    case "type": return Self.isType(value, argument as? String ?? "")
    case "enum": return (argument as? [String] ?? []).contains { $0 == value as? String }
    case "pattern", "minLength", "maxLength":
      guard let text = value as? String else { return true }
      return holdsText(keyword, argument, text)
    case "minimum", "maximum":
      guard let number = value as? Int, let bound = argument as? Int else { return true }
      return keyword == "minimum" ? number >= bound : number <= bound
    case "minItems", "uniqueItems", "items":
      guard let items = value as? [Any] else { return true }
      return holdsItems(keyword, argument, items)
    case "required", "properties", "additionalProperties", "propertyNames":
      guard let object = value as? [String: Any] else { return true }
      return holdsObject(keyword, argument, object, schema)
    default: return false
    }
  }

  private func holdsText(_ keyword: String, _ argument: Any, _ text: String) -> Bool {
    switch keyword {
    case "minLength": text.unicodeScalars.count >= argument as? Int ?? 0
    case "maxLength": text.unicodeScalars.count <= argument as? Int ?? 0
    default: text.range(of: argument as? String ?? "", options: .regularExpression) != nil
    }
  }

  private func holdsItems(_ keyword: String, _ argument: Any, _ items: [Any]) -> Bool {
    switch keyword {
    case "minItems": items.count >= argument as? Int ?? 0
    case "uniqueItems": Set(items.map { "\($0)" }).count == items.count
    default: items.allSatisfy { accepts($0, argument as? [String: Any] ?? [:]) }
    }
  }

  private func holdsObject(
    _ keyword: String, _ argument: Any, _ object: [String: Any], _ schema: [String: Any]
  ) -> Bool {
    let properties = schema["properties"] as? [String: [String: Any]] ?? [:]
    switch keyword {
    case "required": return (argument as? [String] ?? []).allSatisfy { object[$0] != nil }
    case "properties":
      return object.allSatisfy { key, value in properties[key].map { accepts(value, $0) } ?? true }
    case "additionalProperties":
      let extra = object.filter { properties[$0.key] == nil }
      guard let rest = argument as? [String: Any] else { return extra.isEmpty }
      return extra.values.allSatisfy { accepts($0, rest) }
    default:
      return object.keys.allSatisfy { accepts($0, argument as? [String: Any] ?? [:]) }
    }
  }

  private func resolved(_ reference: String) -> [String: Any] {
    let name = String(reference.dropFirst("#/$defs/".count))
    return (root["$defs"] as? [String: [String: Any]])?[name] ?? ["unresolved": reference]
  }

  /// Foundation reads `true` and `1` as numbers that both are `Bool`; only their class differs.
  private static func isBoolean(_ value: Any) -> Bool { "\(type(of: value))".contains("Bool") }

  private static func isType(_ value: Any, _ type: String) -> Bool {
    switch type {
    case "object": value is [String: Any]
    case "array": value is [Any]
    case "string": value is String
    case "integer": value is Int && !isBoolean(value)
    case "number": value is Double && !isBoolean(value)
    case "boolean": isBoolean(value)
    default: false
    }
  }
}
