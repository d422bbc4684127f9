import ConnectionReplay
import HostFacts
import NetworkTypes

extension HostSocket {
  /// Every socket of one protocol and family in the calling thread's namespace.
  ///
  /// - Parameters:
  ///   - number: the protocol, up to 65535: MPTCP is 262.
  ///   - ipProtocol: what the packets of such a socket say.
  ///   - family: the family of the sockets.
  /// - Returns: nil where the kernel has no diagnosis for the protocol.
  /// - Throws: ``LinuxError/refused(operation:errno:)``.
  static func diagnosed(
    _ number: UInt32, as ipProtocol: IPProtocol, _ family: Family
  ) throws(LinuxError) -> [HostSocket]? {
    let operation = "list \(ipProtocol) sockets"
    let replies = try KernelSocket.diagnose(operation) {
      // struct inet_diag_req_v2: every state, no address.
      $0.append(family.rawValue)
      $0.append(UInt8(truncatingIfNeeded: number))
      $0.append(UInt16(0))
      $0.append(UInt32.max)
      for _ in 0..<6 { $0.append(UInt64(0)) }
      if number > 255 { $0.attribute(3, number: number) }  // INET_DIAG_REQ_PROTOCOL
    }
    guard let replies else { return nil }
    var sockets: [HostSocket] = []
    sockets.reserveCapacity(replies.count)
    for reply in replies {
      guard let socket = HostSocket(reply, as: ipProtocol) else {
        throw .malformedReply(operation: operation)
      }
      sockets.append(socket)
    }
    return sockets
  }

  /// Reads one `struct inet_diag_msg`, 72 bytes, and its attributes.
  ///
  /// Ports and addresses are in network order. Source: `inet_sk_diag_fill`, `net/ipv4/inet_diag.c`.
  init?(_ reply: RouteReply, as ipProtocol: IPProtocol) {
    let head = reply.payload
    guard reply.type == 20, let number = head.number(UInt8.self, at: 0),
      let family = Family(rawValue: number), let state = head.number(UInt8.self, at: 1),
      let localPort = head.number(UInt16.self, at: 4),
      let remotePort = head.number(UInt16.self, at: 6),
      let link = head.number(Int32.self, at: 40), let user = head.number(UInt32.self, at: 64),
      let inode = head.number(UInt32.self, at: 68)
    else { return nil }
    let size = family == .ipv4 ? 4 : 16
    guard let local = IPAddress(networkOrderBytes: head.dropFirst(8).prefix(size)),
      let remote = IPAddress(networkOrderBytes: head.dropFirst(24).prefix(size))
    else { return nil }
    let attributes = reply.attributes(after: 72)
    self.init(
      ipProtocol: ipProtocol, state: state, localAddress: local,
      localPort: UInt16(bigEndian: localPort), remoteAddress: remote,
      remotePort: UInt16(bigEndian: remotePort), link: link == 0 ? nil : link, user: user,
      inode: UInt64(inode), mark: attributes[15]?.number(UInt32.self, at: 0),
      cgroup: attributes[21]?.number(UInt64.self, at: 0),
      isIPv6Only: attributes[11]?.first.map { $0 != 0 })
  }

  /// Family, addresses, ports, inode.
  static func isBefore(_ left: HostSocket, _ right: HostSocket) -> Bool {
    if left.localAddress != right.localAddress { return left.localAddress < right.localAddress }
    if left.localPort != right.localPort { return left.localPort < right.localPort }
    if left.remoteAddress != right.remoteAddress {
      return left.remoteAddress < right.remoteAddress
    }
    return (left.remotePort, left.ipProtocol, left.state, left.inode)
      < (right.remotePort, right.ipProtocol, right.state, right.inode)
  }
}

extension KernelSocket {
  /// Asks for sockets, `SOCK_DIAG_BY_FAMILY`; nil where the kernel has no diagnosis for them.
  static func diagnose(
    _ operation: String, _ build: (inout RouteMessage) -> Void
  ) throws(LinuxError) -> [RouteReply]? {
    let socket = try KernelSocket(.sockets)
    do throws(LinuxError) {
      return try socket.exchange(operation, type: 20, flags: 0x300, build)
    } catch .refused(_, .noSuchFile) {
      return nil
    }
  }
}
