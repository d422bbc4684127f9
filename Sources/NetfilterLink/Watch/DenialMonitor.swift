import CNetfilter

/// Listens to a group of nfnetlink_log in the namespace that it was opened in.
///
/// Example:
/// ```
/// let monitor = try DenialMonitor(group: 30565)
/// // poll(2) monitor.descriptor
/// let told = try monitor.packets()
/// ```
public final class DenialMonitor {
  private var socket: NetlinkSocket
  private var buffer = [UInt8](repeating: 0, count: 1 << 17)
  /// So many packets are read at a time; the rest waits.
  private static let mostPackets = 1000

  /// Starts listening.
  ///
  /// - Parameters:
  ///   - group: the group that rules name.
  ///   - packetBytes: how much of each packet is wanted.
  /// - Throws: ``KernelError``: EBUSY where another program listens, EPERM without CAP_NET_ADMIN.
  ///
  /// Source: `nfulnl_recv_config`, `net/netfilter/nfnetlink_log.c`.
  public init(group: UInt16, packetBytes: UInt32 = 128) throws(KernelError) {
    socket = try NetlinkSocket.open(sendBufferBytes: 1 << 16, receiveBufferBytes: 8 << 20)
    var message = MessageBuffer(capacity: 256)
    message.append(littleEndian: UInt16(0))
    message.append(littleEndian: UInt16(0))
    message.append(
      littleEndian: UInt16(NFNL_SUBSYS_ULOG) << 8 | UInt16(NFULNL_MSG_CONFIG.rawValue))
    message.append(littleEndian: UInt16(NLM_F_REQUEST | NLM_F_ACK))
    message.append(bigEndian: UInt32(0))
    message.append(bigEndian: UInt32(0))
    // nfgenmsg: any family, version 0, the group in network order.
    message.append(bigEndian: UInt32(group))
    message.append(attribute: UInt16(NFULA_CFG_CMD.rawValue), payloadBytes: 1)
    message.append(padded: [UInt8(NFULNL_CFG_CMD_BIND.rawValue)])
    message.append(attribute: UInt16(NFULA_CFG_MODE.rawValue), payloadBytes: 6)
    message.append(
      padded: (0..<4).map { UInt8(truncatingIfNeeded: packetBytes >> (24 - 8 * $0)) }
        + [UInt8(NFULNL_COPY_PACKET), 0])
    message.append(attribute: UInt16(NFULA_CFG_QTHRESH.rawValue), payloadBytes: 4)
    message.append(bigEndian: UInt32(1))
    message.append(attribute: UInt16(NFULA_CFG_FLAGS.rawValue), payloadBytes: 2)
    message.append(padded: [0, UInt8(NFULNL_CFG_F_SEQ)])
    message.patch(at: 0, UInt32(message.count))
    try message.withBytes { bytes throws(KernelError) in try socket.send(bytes) }
    while let count = try socket.receive(into: &buffer, waits: true) {
      if try Self.isAccepted(buffer.prefix(count), group) { return }
    }
  }

  private static func isAccepted(
    _ bytes: ArraySlice<UInt8>, _ group: UInt16
  ) throws(KernelError) -> Bool {
    let datagram = bytes.span
    var isAccepted = false
    try datagram.forEachMessage { reply throws(KernelError) in
      guard reply.type == UInt16(NLMSG_ERROR) else { return }
      let answer = try datagram.errorReply(reply)
      guard answer.errorNumber == 0 else {
        throw KernelError(
          operation: "listening to log group \(group)", cause: .refused(answer.errorNumber))
      }
      isAccepted = true
    }
    return isAccepted
  }

  /// What to wait on.
  public var descriptor: Int32 { socket.pollDescriptor }

  /// Packets that were told since the last call, a thousand at most, without waiting.
  ///
  /// - Throws: ``KernelError/Cause/repliesLost`` when there were more than the buffer holds.
  public func packets() throws(KernelError) -> [DeniedPacket] {
    var found: [DeniedPacket] = []
    while found.count < Self.mostPackets,
      let count = try socket.receive(into: &buffer, waits: false)
    {
      try Self.read(buffer.prefix(count), into: &found)
    }
    return found
  }

  private static func read(
    _ bytes: ArraySlice<UInt8>, into found: inout [DeniedPacket]
  ) throws(KernelError) {
    let datagram = bytes.span
    try datagram.forEachMessage { message throws(KernelError) in
      if let packet = DeniedPacket(datagram, message) { found.append(packet) }
    }
  }
}

extension DeniedPacket {
  /// Reads a `NFULNL_MSG_PACKET`; nil for any other message.
  fileprivate init?(_ message: Span<UInt8>, _ reply: ReplyMessage) {
    guard reply.type == UInt16(NFNL_SUBSYS_ULOG) << 8 | UInt16(NFULNL_MSG_PACKET.rawValue),
      let range = reply.attributes
    else { return nil }
    self.init()
    var offset = range.lowerBound
    while let attribute = message.attribute(at: offset, end: range.upperBound) {
      let payload = attribute.payload
      switch nfulnl_attr_type(UInt32(attribute.type)) {
      case NFULA_PREFIX: prefix = message.name(payload) ?? ""
      case NFULA_UID: user = message.uint32(payload)
      case NFULA_SEQ: sequence = message.uint32(payload)
      case NFULA_IFINDEX_INDEV: inputLink = message.uint32(payload)
      case NFULA_IFINDEX_OUTDEV: outputLink = message.uint32(payload)
      case NFULA_PAYLOAD: read(message.extracting(payload))
      default: break
      }
      offset += (payload.count + 4 + 3) / 4 * 4
    }
  }
}
