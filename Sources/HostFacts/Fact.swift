/// Something about a host that was read, or could not be.
///
/// What could not be read is never an empty list or a zero: those are answers.
public enum Fact<Value: Hashable & Sendable & Codable>: Hashable, Sendable {
  /// The host said so.
  case known(Value)
  /// The host did not say, and why, in words that go on after a colon.
  case unknown(String)

  /// The value where it is known.
  public var value: Value? {
    switch self {
    case .known(let value): value
    case .unknown: nil
    }
  }

  /// Why it is not known; nil where it is.
  public var reason: String? {
    switch self {
    case .known: nil
    case .unknown(let reason): reason
    }
  }

  /// The same fact seen through a function of its value.
  public func map<Other>(_ transform: (Value) -> Other) -> Fact<Other> {
    switch self {
    case .known(let value): .known(transform(value))
    case .unknown(let reason): .unknown(reason)
    }
  }
}

extension Fact: Codable {
  private enum CodingKeys: String, CodingKey {
    case known
    case unknown
  }

  /// Reads `{"known": …}` or `{"unknown": "why"}`; both keys or neither are refused.
  ///
  /// - Throws: `DecodingError` with the path.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    switch (container.contains(.known), container.contains(.unknown)) {
    case (true, false): self = .known(try container.decode(Value.self, forKey: .known))
    case (false, true): self = .unknown(try container.decode(String.self, forKey: .unknown))
    default:
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath, debugDescription: "expected either known or unknown"))
    }
  }

  /// Writes one of the two keys.
  ///
  /// - Throws: what the encoder throws.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .known(let value): try container.encode(value, forKey: .known)
    case .unknown(let reason): try container.encode(reason, forKey: .unknown)
    }
  }
}
