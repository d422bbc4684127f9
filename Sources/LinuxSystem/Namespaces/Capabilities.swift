import CLinux

/// The rights of the calling thread within its user namespace.
///
/// Source: `linux/capability.h`, bit n is capability n.
public struct Capabilities: OptionSet, Hashable, Sendable {
  /// Bit n for capability n.
  public let rawValue: UInt64

  /// Any combination.
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// Rules, links, addresses, routes: `CAP_NET_ADMIN`.
  public static let networkAdministration = Capabilities(rawValue: 1 << 12)
  /// Raw and packet sockets: `CAP_NET_RAW`.
  public static let rawSockets = Capabilities(rawValue: 1 << 13)
  /// Making and entering namespaces: `CAP_SYS_ADMIN`.
  public static let systemAdministration = Capabilities(rawValue: 1 << 21)

  /// What the calling thread may do now; the empty set when the kernel does not say.
  public static func effective() -> Capabilities {
    var bits: UInt64 = 0
    return unsafe linux_effective_capabilities(&bits) < 0 ? [] : Capabilities(rawValue: bits)
  }
}
