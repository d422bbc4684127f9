/// Why the host facts of a snapshot cannot be relied on.
///
/// Every case ends the reading.
public enum HostCodingError: Error, Hashable, Sendable {
  /// Larger than ``HostCoding/sizeLimitBytes``.
  case tooLarge(bytes: Int)
  /// Not JSON as weir writes it; what is wrong.
  case notJSON(String)
  /// Nested deeper than weir writes; the offset in bytes.
  case tooDeep(offset: Int)
  /// A key that stands twice in one object; the offset of the second one in bytes.
  case duplicateKey(String, offset: Int)
  /// A version that this weir does not read.
  case version(Int)
  /// A value that is missing, of another type or out of range; its path and what is wrong.
  case value(String)

  /// The error of a decoder, with the path that it names.
  init(_ error: DecodingError) {
    switch error {
    case .typeMismatch(_, let context), .valueNotFound(_, let context),
      .dataCorrupted(let context):
      // The text was found to be JSON. What Foundation then refuses without a path is a number that
      // does not fit its place.
      let problem =
        context.codingPath.isEmpty ? "a number is out of range" : context.debugDescription
      self = .value(HostCodingError.text(context.codingPath) + problem)
    case .keyNotFound(let key, let context):
      self = .value(HostCodingError.text(context.codingPath) + "there is no '\(key.stringValue)'")
    @unknown default:
      self = .notJSON("\(error)")
    }
  }

  private static func text(_ path: [any CodingKey]) -> String {
    var text = ""
    for key in path {
      if let index = key.intValue {
        text += "[\(index)]"
      } else {
        text += (text.isEmpty ? "" : ".") + key.stringValue
      }
    }
    return text.isEmpty ? "" : text + ": "
  }
}

extension HostCodingError: CustomStringConvertible {
  /// One sentence.
  public var description: String {
    switch self {
    case .tooLarge(let bytes):
      "\(bytes) bytes of host facts, more than the \(HostCoding.sizeLimitBytes) that are read"
    case .notJSON(let problem): "host facts: \(problem)"
    case .tooDeep(let offset): "host facts: nested too deep at byte \(offset)"
    case .duplicateKey(let key, let offset):
      "host facts: byte \(offset): '\(key)' stands there twice"
    case .version(let number):
      "host facts of version \(number), and this weir reads version \(HostCoding.version)"
    case .value(let problem): "host facts: \(problem)"
    }
  }
}
