import CLinux
import ConnectionReplay
import Glibc
import NetworkTypes

/// Sends whole packets of one family, IP header included, through the output hook.
///
/// Belongs to the network namespace of the thread that made it.
final class RawSender {
  private let descriptor: FileDescriptor
  private let family: Family
  private let linkIndex: UInt32

  /// Opens the socket; link-local destinations are on the link `linkIndex`.
  ///
  /// With `bypassesReassembly` it sets `IP_NODEFRAG`, for IPv4 only.
  init(
    _ family: Family, linkIndex: UInt32, bypassesReassembly: Bool = false
  ) throws(LinuxError) {
    let socket = try FileDescriptor.socket(family, .raw(Int32(IPPROTO_RAW)), isBlocking: true)
    try socket.set(SOL_SOCKET, SO_SNDBUF, to: 1 << 20)
    switch family {
    case .ipv4:
      try socket.set(SocketLevel.ipv4, IP_HDRINCL)
      try socket.set(SOL_SOCKET, SO_BROADCAST)
      try socket.set(SocketLevel.ipv4, IP_MULTICAST_LOOP, to: 0)
      if bypassesReassembly { try socket.set(SocketLevel.ipv4, Int32(linux_ip_nodefrag)) }
    case .ipv6:
      try socket.set(SocketLevel.ipv6, Int32(linux_ipv6_hdrincl))
      try socket.set(SocketLevel.ipv6, IPV6_MULTICAST_LOOP, to: 0)
    }
    descriptor = socket
    self.family = family
    self.linkIndex = linkIndex
  }

  /// Gives what is sent from now on a packet mark.
  func set(mark: UInt32) throws(LinuxError) {
    try descriptor.set(SOL_SOCKET, SO_MARK, to: Int32(bitPattern: mark))
  }

  /// Sends one packet; nil when the kernel took it, else why not.
  ///
  /// EPERM is netfilter's drop or reject. A full queue is waited out.
  func send(_ packet: [UInt8], to destination: IPAddress) -> ErrorNumber? {
    let scope = destination.isLinkScoped ? linkIndex : 0
    let address = SocketAddress(destination, scope: scope)
    for _ in 0..<100 {
      let status = unsafe address.lend { pointer, length in
        unsafe sendto(descriptor.number, packet, packet.count, 0, pointer, length)
      }
      let code = errno
      if status >= 0 { return nil }
      if code != EINTR && code != ENOBUFS { return ErrorNumber(rawValue: code) }
    }
    return .noBufferSpace
  }
}

extension IPAddress {
  /// Whether a socket must be told the link: fe80::/10 and multicast of link or interface scope.
  var isLinkScoped: Bool {
    guard case .v6(let bits) = self else { return false }
    if bits >> 118 == 0xfe80 >> 6 { return true }
    return bits >> 120 == 0xff && (1...2).contains(UInt8(truncatingIfNeeded: bits >> 112) & 0xf)
  }

  /// Whether it names a group or everybody on a link, so that nobody in particular answers.
  var isGroup: Bool {
    switch self {
    case .v4(let bits): bits >> 28 == 0xe || bits == .max
    case .v6(let bits): bits >> 120 == 0xff
    }
  }
}
