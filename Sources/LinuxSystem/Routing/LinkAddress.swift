import CLinux
public import NetworkTypes

/// An address of this host.
///
/// Source: `struct ifaddrmsg`, `linux/if_addr.h`.
public struct LinkAddress: Hashable, Sendable {
  /// The link that has it.
  public let linkIndex: Int32
  /// The address itself.
  public let address: IPAddress
  /// The bits of the network, 0…32 or 0…128.
  public let prefixLength: UInt8
  /// The directed broadcast address that goes with it; IPv4 only.
  public let broadcast: IPAddress?

  init?(_ reply: RouteReply) {
    guard reply.type == Int(RTM_NEWADDR), let prefix = reply.payload.number(UInt8.self, at: 1),
      let index = reply.payload.number(Int32.self, at: 4)
    else { return nil }
    let attributes = reply.attributes(after: 8)
    guard let bytes = attributes[Int(IFA_LOCAL)] ?? attributes[Int(IFA_ADDRESS)],
      let address = IPAddress(networkOrderBytes: bytes)
    else { return nil }
    linkIndex = index
    self.address = address
    prefixLength = prefix
    broadcast = attributes[Int(IFA_BROADCAST)].flatMap { IPAddress(networkOrderBytes: $0) }
  }
}
