import CNetfilter

/// Listens to the kernel's trace of packets in the namespace it was opened in.
///
/// Only packets that a rule has marked are traced; see
/// ``NetfilterSession/startTracing()``. Names are kept from event to event, so that reading one
/// allocates nothing after the first of its kind.
public struct TraceMonitor: ~Copyable {
  private var socket: NetlinkSocket
  /// Room for one event.
  private static let slotBytes = 2048
  private var buffer = [UInt8](
    repeating: 0, count: slotBytes * Int(WEIR_NETLINK_SLOTS))
  private var lengths = [UInt32](repeating: 0, count: Int(WEIR_NETLINK_SLOTS))
  private var names = NameCache()

  /// Starts listening.
  ///
  /// An event takes about 1.3 kB of the buffer, a packet 5 to 20 events.
  ///
  /// - Returns: the monitor; events from now on are kept for it.
  /// - Throws: ``KernelError``, EPERM without CAP_NET_ADMIN.
  public static func open(
    receiveBufferBytes: Int32 = 64 << 20
  ) throws(KernelError) -> TraceMonitor {
    var socket = try NetlinkSocket.open(
      sendBufferBytes: 1 << 16, receiveBufferBytes: receiveBufferBytes)
    try socket.join(group: UInt32(NFNLGRP_NFTRACE.rawValue))
    return TraceMonitor(socket)
  }

  private init(_ socket: consuming NetlinkSocket) { self.socket = socket }

  /// Visits every event that has arrived, without waiting.
  ///
  /// A packet's events have all arrived when the call that sent it returns, as long as it met its
  /// hooks on the same CPU and in the same call.
  ///
  /// - Returns: how many events there were.
  /// - Throws: ``KernelError/Cause/repliesLost`` when the buffer overflowed: some events of the
  ///   packets since the last call are missing, and those packets are to be sent again.
  @discardableResult
  public mutating func drain(_ visit: (TraceEvent) -> Void) throws(KernelError) -> Int {
    var events = 0
    var names = NameCache()
    swap(&names, &self.names)
    defer { self.names = names }
    while true {
      let count = try socket.receiveMany(
        into: &buffer, slotBytes: TraceMonitor.slotBytes, lengths: &lengths)
      for slot in 0..<count {
        let start = slot * TraceMonitor.slotBytes
        let datagram = buffer.span.extracting(start..<start + Int(lengths[slot]))
        try datagram.forEachMessage { message throws(KernelError) in
          guard message.type == UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(NFT_MSG_TRACE.rawValue)
          else { return }
          visit(try TraceEvent(datagram, message, &names))
          events += 1
        }
      }
      if count < lengths.count { break }
    }
    return events
  }
}

/// Strings by the bytes they were made from.
struct NameCache {
  private var names: [UInt64: String] = [:]

  /// The text of a NUL-terminated name.
  mutating func name(_ message: Span<UInt8>, _ range: Range<Int>) -> String {
    // FNV-1a; two names with the same sum are told apart by comparing bytes.
    var sum: UInt64 = 0xcbf2_9ce4_8422_2325
    for index in range { sum = (sum ^ UInt64(message[index])) &* 0x100_0000_01b3 }
    if let known = names[sum], NameCache.isEqual(known, message, range) { return known }
    let made = message.name(range) ?? ""
    names[sum] = made
    return made
  }

  private static func isEqual(_ text: String, _ message: Span<UInt8>, _ range: Range<Int>) -> Bool {
    guard text.utf8.count + 1 == range.count else { return false }
    var index = range.lowerBound
    for byte in text.utf8 {
      if message[index] != byte { return false }
      index += 1
    }
    return true
  }
}

extension TraceEvent {
  /// Reads a `NFT_MSG_TRACE`.
  init(
    _ message: Span<UInt8>, _ reply: ReplyMessage, _ names: inout NameCache
  ) throws(KernelError) {
    guard let attributes = reply.attributes else { throw message.malformed("a short trace event") }
    var offset = attributes.lowerBound
    while offset < attributes.upperBound {
      guard let attribute = message.attribute(at: offset, end: attributes.upperBound) else {
        throw message.malformed("a trace event's attributes")
      }
      take(attribute, message, &names)
      offset += (attribute.payload.count + 4 + 3) / 4 * 4
    }
  }

  private mutating func take(
    _ attribute: Attribute, _ message: Span<UInt8>, _ names: inout NameCache
  ) {
    let range = attribute.payload
    switch nft_trace_attributes(UInt32(attribute.type)) {
    case NFTA_TRACE_TABLE: table = names.name(message, range)
    case NFTA_TRACE_CHAIN: chain = names.name(message, range)
    case NFTA_TRACE_RULE_HANDLE: ruleHandle = message.uint64(range)
    case NFTA_TRACE_TYPE: kind = message.uint32(range).flatMap(Kind.init(rawValue:)) ?? .rule
    case NFTA_TRACE_VERDICT: takeVerdict(range, message, &names)
    case NFTA_TRACE_ID: identifier = message.uint32(range) ?? 0
    case NFTA_TRACE_NETWORK_HEADER: networkHeader = TraceHeader(message, range)
    case NFTA_TRACE_TRANSPORT_HEADER: transportHeader = TraceHeader(message, range)
    case NFTA_TRACE_NFPROTO: nfproto = UInt8(exactly: message.uint32(range) ?? 0) ?? 0
    case NFTA_TRACE_POLICY:
      outcome = Outcome(code: Int32(bitPattern: message.uint32(range) ?? 0))
    default: break
    }
  }

  private mutating func takeVerdict(
    _ range: Range<Int>, _ message: Span<UInt8>, _ names: inout NameCache
  ) {
    var offset = range.lowerBound
    while let attribute = message.attribute(at: offset, end: range.upperBound) {
      if attribute.type == UInt16(NFTA_VERDICT_CODE.rawValue) {
        outcome = Outcome(code: Int32(bitPattern: message.uint32(attribute.payload) ?? 0))
      } else if attribute.type == UInt16(NFTA_VERDICT_CHAIN.rawValue) {
        target = names.name(message, attribute.payload)
      }
      offset += (attribute.payload.count + 4 + 3) / 4 * 4
    }
  }
}
