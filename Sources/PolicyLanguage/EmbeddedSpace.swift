import NetworkTypes

/// IPv6 blocks whose last 32 bits are an IPv4 address that a policy should name instead.
enum EmbeddedSpace: CaseIterable {
  /// 64:ff9b::/96, RFC 6052.
  case nat64
  /// ::ffff:0:0/96, RFC 4291 section 2.5.5.2.
  case mapped

  private var first: UInt128 {
    switch self {
    case .nat64: IPAddress.nat64Prefix
    case .mapped: 0xffff_0000_0000
    }
  }

  /// The whole space.
  var block: AddressBlock { .v6(Interval(first, first | 0xffff_ffff)) }

  /// Whether all of `other` lies inside.
  func covers(_ other: AddressBlock) -> Bool {
    guard case .v6(let interval) = other else { return false }
    return interval.first >> 32 == first >> 32 && interval.last >> 32 == first >> 32
  }

  /// The IPv4 addresses inside a covered block.
  func embedded(_ other: AddressBlock) -> AddressBlock {
    guard case .v6(let interval) = other else { return other }
    return .v4(
      Interval(UInt32(interval.first & 0xffff_ffff), UInt32(interval.last & 0xffff_ffff)))
  }
}
