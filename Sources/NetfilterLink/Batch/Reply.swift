import CNetfilter

/// One netlink message of a reply datagram.
struct ReplyMessage {
  var type: UInt16
  var flags: UInt16
  var sequence: UInt32
  /// The payload behind `nlmsghdr`, as offsets into the datagram.
  var payload: Range<Int>

  /// Where attributes begin, behind `nfgenmsg`; nil when the payload is too short.
  var attributes: Range<Int>? {
    payload.count >= 4 ? payload.lowerBound + 4..<payload.upperBound : nil
  }
}

/// What `NLMSG_ERROR` says.
///
/// Source: `struct nlmsgerr`, `enum nlmsgerr_attrs`, `linux/netlink.h`.
struct ErrorReply {
  /// 0 for an acknowledgement.
  var errorNumber: Int32
  /// The kernel's words.
  var text: String?
  /// The offending attribute, in bytes from the start of the message refused.
  var offset: Int?
}

extension Span<UInt8> {
  /// Visits the messages of a datagram.
  func forEachMessage(
    _ body: (ReplyMessage) throws(KernelError) -> Void
  ) throws(KernelError) {
    var offset = 0
    while offset < count {
      guard offset + 16 <= count else { throw malformed("\(count - offset) stray bytes") }
      let length = Int(hostWord(at: offset))
      guard length >= 16, offset + length <= count else { throw malformed("length \(length)") }
      let kind = hostWord(at: offset + 4)
      try body(
        ReplyMessage(
          type: UInt16(truncatingIfNeeded: kind), flags: UInt16(truncatingIfNeeded: kind >> 16),
          sequence: hostWord(at: offset + 8), payload: offset + 16..<offset + length))
      offset += (length + 3) & ~3
    }
  }

  /// Reads an error message.
  func errorReply(_ message: ReplyMessage) throws(KernelError) -> ErrorReply {
    let payload = message.payload
    guard payload.count >= 20 else { throw malformed("a short error message") }
    let status = Int32(bitPattern: hostWord(at: payload.lowerBound))
    var reply = ErrorReply(errorNumber: 0 &- status)
    guard message.flags & UInt16(NLM_F_ACK_TLVS) != 0 else { return reply }
    var start = payload.lowerBound + 20
    if message.flags & UInt16(NLM_F_CAPPED) == 0 {
      start += (Int(hostWord(at: payload.lowerBound + 4)) - 16 + 3) & ~3
    }
    guard start <= payload.upperBound else { throw malformed("an error message's attributes") }
    do {
      let fields = try AttributeFields(self, start..<payload.upperBound, last: 8)
      reply.text = name(fields[Int(NLMSGERR_ATTR_MSG.rawValue)])
      if let range = fields[Int(NLMSGERR_ATTR_OFFS.rawValue)], range.count == 4 {
        reply.offset = Int(hostWord(at: range.lowerBound))
      }
    } catch { throw malformed(error.place) }
    return reply
  }

  /// A number in host order; the caller has checked that it is inside.
  func hostWord(at offset: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(self[offset + $1]) << UInt32(8 * $1) }
  }

  /// The error for a reply of the wrong shape.
  func malformed(_ place: String) -> KernelError {
    KernelError(operation: "reading replies", cause: .malformedReply(place))
  }
}
