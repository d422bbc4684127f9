/// A JSON value with the members of objects in order.
enum JSONValue {
  case null
  case bool(Bool)
  case number(UInt64)
  case string(String)
  case array([JSONValue])
  case object([(String, JSONValue)])

  /// An object with one member, as libnftables writes most things.
  static func tagged(_ name: String, _ value: JSONValue) -> JSONValue { .object([(name, value)]) }

  /// Writes the value without spaces.
  func write(to out: inout TextBuffer) {
    switch self {
    case .null: out.put("null")
    case .bool(let value): out.put(value ? "true" : "false")
    case .number(let value): out.put(decimal: value)
    case .string(let text): JSONValue.write(text, to: &out)
    case .array(let items):
      out.put("[")
      for (index, item) in items.enumerated() {
        if index > 0 { out.put(",") }
        item.write(to: &out)
      }
      out.put("]")
    case .object(let members):
      out.put("{")
      for (index, (name, value)) in members.enumerated() {
        if index > 0 { out.put(",") }
        JSONValue.write(name, to: &out)
        out.put(":")
        value.write(to: &out)
      }
      out.put("}")
    }
  }

  private static func write(_ text: String, to out: inout TextBuffer) {
    out.put("\"")
    for byte in text.utf8 {
      switch byte {
      case 0x22: out.put("\\\"")
      case 0x5c: out.put("\\\\")
      case 0..<0x20:
        out.put("\\u")
        out.put(hex: byte, width: 4)
      default: out.put(byte: byte)
      }
    }
    out.put("\"")
  }
}
