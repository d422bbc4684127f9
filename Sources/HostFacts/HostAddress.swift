public import NetworkTypes

/// An address that the namespace has.
///
/// Source: `struct ifaddrmsg`, `linux/if_addr.h`.
public struct HostAddress: Hashable, Sendable, Codable {
  /// The link that has it.
  public var link: Int32
  /// The address.
  public var address: IPAddress
  /// The bits of its network, 0…32 or 0…128.
  public var prefixLength: UInt8
  /// The directed broadcast address; IPv4 only.
  public var broadcast: IPAddress?
  /// `RT_SCOPE_*`: 0 universe, 253 link, 254 host.
  public var scope: UInt8
  /// `IFA_F_*`.
  public var flags: UInt32

  /// Makes an address.
  public init(
    link: Int32, address: IPAddress, prefixLength: UInt8, broadcast: IPAddress? = nil,
    scope: UInt8 = 0, flags: UInt32 = 0
  ) {
    self.link = link
    self.address = address
    self.prefixLength = prefixLength
    self.broadcast = broadcast
    self.scope = scope
    self.flags = flags
  }
}
