/// The ways to write an IPv4 address inside an IPv6 one.
public enum EmbeddedAddress: String, Hashable, Sendable, CaseIterable {
  /// 64:ff9b::/96 (RFC 6052).
  case nat64 = "NAT64"
  /// 64:ff9b:1::/48 with the address in the last 32 bits (RFC 8215).
  case localNAT64 = "local NAT64"
  /// 2002::/16, bits 16 to 47 (RFC 3056).
  case sixToFour = "6to4"
  /// 2001::/32, the client inverted in the last 32 bits (RFC 4380).
  case teredo = "Teredo"
  /// ::ffff:0:0/96 (RFC 4291).
  case mapped = "mapped"
  /// ::/96, deprecated (RFC 4291).
  case compatible = "compatible"
  /// ::ffff:0:0:0/96 (RFC 2765).
  case translated = "translated"
  /// The interface identifier 0:5efe with the address behind it, in a public prefix (RFC 5214).
  case isatap = "ISATAP"

  /// The IPv6 address that carries `address`.
  ///
  /// Example: `.nat64` of 10.0.0.1 is 64:ff9b::a00:1; `.sixToFour` is 2002:a00:1::.
  ///
  /// - Parameter address: host order.
  /// - Returns: host order.
  public func carrying(_ address: UInt32) -> UInt128 {
    let bits = UInt128(address)
    switch self {
    case .nat64: return 0x0064_ff9b << 96 | bits
    case .localNAT64: return 0x0064_ff9b_0001 << 80 | bits
    case .sixToFour: return 0x2002 << 112 | bits << 80
    case .teredo: return 0x2001_0000 << 96 | UInt128(~address)
    case .mapped: return 0xffff << 32 | bits
    case .compatible: return bits
    case .translated: return 0xffff << 48 | bits
    case .isatap: return 0x2a00_1450 << 96 | 0x0000_5efe << 32 | bits
    }
  }
}
