public import NetworkTypes

extension IPAddress: Codable {
  /// Reads an address in its strict spelling.
  ///
  /// - Throws: `DecodingError` with the path.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard text.utf8.count <= 64, let address = try? IPAddress(strict: text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "expected an IPv4 or IPv6 address")
    }
    self = address
  }

  /// Writes the canonical spelling.
  ///
  /// - Throws: what the encoder throws.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension IPProtocol: Codable {}

extension Family: Codable {
  /// Reads `ipv4` or `ipv6`.
  ///
  /// - Throws: `DecodingError` with the path.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    switch try container.decode(String.self) {
    case "ipv4": self = .ipv4
    case "ipv6": self = .ipv6
    default:
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "expected ipv4 or ipv6")
    }
  }

  /// Writes `ipv4` or `ipv6`.
  ///
  /// - Throws: what the encoder throws.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(self == .ipv4 ? "ipv4" : "ipv6")
  }
}
