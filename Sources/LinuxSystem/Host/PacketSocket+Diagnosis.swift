import HostFacts

extension PacketSocket {
  /// Every packet socket of the calling thread's namespace.
  ///
  /// - Returns: nil where the kernel has no diagnosis for them.
  /// - Throws: ``LinuxError/refused(operation:errno:)``.
  static func diagnosed() throws(LinuxError) -> [PacketSocket]? {
    try HostReading.diagnose("list packet sockets", family: 17) { reply, attributes in
      guard let number = reply.payload.number(UInt16.self, at: 2),
        let type = reply.payload.number(UInt8.self, at: 1),
        let inode = reply.payload.number(UInt32.self, at: 4)
      else { return nil }
      // PACKET_DIAG_INFO 0 begins with the link, PACKET_DIAG_UID is 5.
      let link = attributes[0]?.number(Int32.self, at: 0)
      return PacketSocket(
        inode: UInt64(inode), type: type, etherType: number, link: link == 0 ? nil : link,
        user: attributes[5]?.number(UInt32.self, at: 0))
    }
  }
}

extension XDPSocket {
  /// Every AF_XDP socket of the calling thread's namespace.
  ///
  /// - Returns: nil where the kernel has no diagnosis for them.
  /// - Throws: ``LinuxError/refused(operation:errno:)``.
  static func diagnosed() throws(LinuxError) -> [XDPSocket]? {
    try HostReading.diagnose("list XDP sockets", family: 44) { reply, attributes in
      guard let inode = reply.payload.number(UInt32.self, at: 4) else { return nil }
      // XDP_DIAG_INFO 1 begins with the link.
      let link = attributes[1]?.number(Int32.self, at: 0)
      return XDPSocket(inode: UInt64(inode), link: link == 0 ? nil : link)
    }
  }
}

extension HostReading {
  /// Asks for the sockets of an address family whose request has 20 bytes and whose answer 16.
  ///
  /// Source: `struct packet_diag_req`, `linux/packet_diag.h`; `struct xdp_diag_req`,
  /// `linux/xdp_diag.h`: they are alike.
  fileprivate static func diagnose<Item>(
    _ operation: String, family: UInt8,
    _ read: (RouteReply, [Int: ArraySlice<UInt8>]) -> Item?
  ) throws(LinuxError) -> [Item]? {
    let replies = try KernelSocket.diagnose(operation) {
      $0.append(family)
      $0.append(UInt8(0))
      $0.append(UInt16(0))
      $0.append(UInt32(0))
      $0.append(UInt32(1))  // show what the attributes hold
      $0.append(UInt64.max)
    }
    guard let replies else { return nil }
    var items: [Item] = []
    for reply in replies {
      guard reply.type == 20, let item = read(reply, reply.attributes(after: 16)) else {
        throw .malformedReply(operation: operation)
      }
      items.append(item)
    }
    return items
  }
}
