/// A network-layer family; the raw value is the kernel's `NFPROTO_*` number.
///
/// Source: `enum nfproto`, `linux/netfilter.h`.
public enum Family: UInt8, Hashable, Sendable, CaseIterable, Comparable {
  /// IPv4, `NFPROTO_IPV4`.
  case ipv4 = 2
  /// IPv6, `NFPROTO_IPV6`.
  case ipv6 = 10

  /// Orders IPv4 before IPv6.
  public static func < (left: Family, right: Family) -> Bool { left.rawValue < right.rawValue }
}
