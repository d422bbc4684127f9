import CLinux

/// A network interface as the kernel describes it.
///
/// Source: `struct ifinfomsg`, `linux/rtnetlink.h`; `IFLA_*`, `linux/if_link.h`.
public struct NetworkLink: Hashable, Sendable {
  /// The number within its namespace, from 1.
  public let index: Int32
  /// The name, at most 15 bytes.
  public let name: String
  /// The link-layer address; empty where the link has none.
  public let hardwareAddress: [UInt8]
  /// Whether an administrator turned it on: `IFF_UP`.
  public let isUp: Bool
  /// Whether it leads back to this host and nowhere else: `IFF_LOOPBACK`.
  public let isLoopback: Bool
  /// Whether it can carry packets now: operational state `IF_OPER_UP`.
  public let isOperational: Bool

  init?(_ reply: RouteReply) {
    guard reply.type == Int(RTM_NEWLINK), let index = reply.payload.number(Int32.self, at: 4),
      let flags = reply.payload.number(UInt32.self, at: 8)
    else { return nil }
    let attributes = reply.attributes(after: 16)
    guard let name = attributes[Int(IFLA_IFNAME)]?.text else { return nil }
    self.index = index
    self.name = name
    hardwareAddress = Array(attributes[Int(IFLA_ADDRESS)] ?? [])
    isUp = flags & 1 != 0
    isLoopback = flags & 8 != 0
    isOperational = attributes[Int(IFLA_OPERSTATE)]?.first == 6
  }
}

extension NetworkLink {
  /// Whether the calling thread's namespace has a link of that name.
  ///
  /// - Throws: ``LinuxError/refused(operation:errno:)``.
  public static func isHere(_ name: String) throws(LinuxError) -> Bool {
    guard 1...15 ~= name.utf8.count else { return false }
    return try RouteSocket().link(named: name)?.name == name
  }
}
