/// An IPv4 or IPv6 address.
///
/// Numbers are in host order: 10.0.0.1 is `.v4(0x0a00_0001)`.
@frozen
public enum IPAddress: Hashable, Sendable {
  /// An IPv4 address.
  case v4(UInt32)
  /// An IPv6 address.
  case v6(UInt128)

  /// The family of the address.
  @inlinable
  public var family: Family {
    switch self {
    case .v4: .ipv4
    case .v6: .ipv6
    }
  }

  /// The address in network order: 4 or 16 bytes.
  public var networkOrderBytes: [UInt8] {
    switch self {
    case .v4(let bits): (0..<4).map { UInt8(bits >> UInt32(24 - 8 * $0) & 0xff) }
    case .v6(let bits): (0..<16).map { UInt8(bits >> UInt128(120 - 8 * $0) & 0xff) }
    }
  }

  /// Reads 4 or 16 bytes in network order; nil for any other count.
  public init?(networkOrderBytes bytes: some Collection<UInt8>) {
    switch bytes.count {
    case 4: self = .v4(bytes.reduce(0) { $0 << 8 | UInt32($1) })
    case 16: self = .v6(bytes.reduce(0) { $0 << 8 | UInt128($1) })
    default: return nil
    }
  }
}

extension IPAddress: Comparable {
  /// IPv4 before IPv6, then by number.
  public static func < (left: IPAddress, right: IPAddress) -> Bool {
    switch (left, right) {
    case (.v4(let a), .v4(let b)): a < b
    case (.v6(let a), .v6(let b)): a < b
    case (.v4, .v6): true
    case (.v6, .v4): false
    }
  }
}

extension IPAddress: CustomStringConvertible {
  /// Dotted quad, or the canonical form of RFC 5952: `8.8.8.8`, `2001:db8::1`.
  public var description: String {
    switch self {
    case .v4(let bits):
      return "\(bits >> 24).\(bits >> 16 & 0xff).\(bits >> 8 & 0xff).\(bits & 0xff)"
    case .v6(let bits):
      return IPAddress.describe(
        groups: (0..<8).map { UInt16(bits >> UInt128(112 - 16 * $0) & 0xffff) })
    }
  }

  private static func describe(groups: [UInt16]) -> String {
    var best = 0..<0
    var index = 0
    while index < 8 {
      var end = index
      while end < 8 && groups[end] == 0 { end += 1 }
      if end - index > best.count && end - index >= 2 { best = index..<end }
      index = max(end, index + 1)
    }
    func text(_ part: ArraySlice<UInt16>) -> String {
      part.map { String($0, radix: 16) }.joined(separator: ":")
    }
    if best.isEmpty { return text(groups[...]) }
    return text(groups[..<best.lowerBound]) + "::" + text(groups[best.upperBound...])
  }
}
