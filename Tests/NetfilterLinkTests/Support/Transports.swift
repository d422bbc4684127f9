import NetfilterLink

/// A real socket that stops answering at a given message boundary, as if the program were killed.
///
/// Boundaries are counted over sends and receives. At the boundary the call either is not made, or
/// is made and its result is lost; from there on every call fails.
struct StoppingTransport: NetlinkTransport, ~Copyable {
  enum Moment: CaseIterable {
    case beforeCall
    case afterCall
  }

  private var socket: NetlinkSocket
  private var callsLeft: Int
  private let moment: Moment
  var largestSendBytes: Int { socket.largestSendBytes }

  init(_ socket: consuming NetlinkSocket, atBoundary boundary: Int, _ moment: Moment) {
    self.socket = socket
    callsLeft = boundary
    self.moment = moment
  }

  private static let stopped = KernelError(operation: "test", cause: .stopped)

  mutating func send(_ datagram: RawSpan) throws(KernelError) {
    callsLeft -= 1
    if callsLeft < 0 || callsLeft == 0 && moment == .beforeCall { throw Self.stopped }
    try socket.send(datagram)
    if callsLeft == 0 { throw Self.stopped }
  }

  mutating func receive(
    into buffer: inout [UInt8], waits: Bool
  ) throws(KernelError) -> Int? {
    callsLeft -= 1
    if callsLeft < 0 || callsLeft == 0 && moment == .beforeCall { throw Self.stopped }
    let count = try socket.receive(into: &buffer, waits: waits)
    if callsLeft == 0 { throw Self.stopped }
    return count
  }
}

/// A real socket that loses the replies to one batch, as a full receive buffer does.
struct LosingTransport: NetlinkTransport, ~Copyable {
  private var socket: NetlinkSocket
  /// How many batches are still answered.
  private var answeredBatches: Int
  private var isLosing = false
  var largestSendBytes: Int { socket.largestSendBytes }

  init(_ socket: consuming NetlinkSocket, answeredBatches: Int) {
    self.socket = socket
    self.answeredBatches = answeredBatches
  }

  mutating func send(_ datagram: RawSpan) throws(KernelError) {
    try socket.send(datagram)
    // A batch begins with NFNL_MSG_BATCH_BEGIN, 16.
    guard datagram.number16(at: 4) == 16 else { return }
    answeredBatches -= 1
    isLosing = answeredBatches == -1
  }

  mutating func receive(
    into buffer: inout [UInt8], waits: Bool
  ) throws(KernelError) -> Int? {
    if isLosing {
      isLosing = false
      while try socket.receive(into: &buffer, waits: false) != nil {}
      throw KernelError(operation: "test", cause: .repliesLost)
    }
    return try socket.receive(into: &buffer, waits: waits)
  }
}

/// A real socket that lets somebody else change the ruleset before chosen sends.
struct InterferingTransport: NetlinkTransport, ~Copyable {
  private var socket: NetlinkSocket
  private var sends = 0
  private let countsBatchesOnly: Bool
  private let interfere: (Int) -> Void
  var largestSendBytes: Int { socket.largestSendBytes }

  /// Calls `interfere` with the number of each batch, or of each request, before it is sent.
  init(
    _ socket: consuming NetlinkSocket, countsBatchesOnly: Bool = true,
    before interfere: @escaping (Int) -> Void
  ) {
    self.socket = socket
    self.countsBatchesOnly = countsBatchesOnly
    self.interfere = interfere
  }

  mutating func send(_ datagram: RawSpan) throws(KernelError) {
    if !countsBatchesOnly || datagram.number16(at: 4) == 16 {
      sends += 1
      interfere(sends)
    }
    try socket.send(datagram)
  }

  mutating func receive(
    into buffer: inout [UInt8], waits: Bool
  ) throws(KernelError) -> Int? {
    try socket.receive(into: &buffer, waits: waits)
  }
}

/// No socket at all: takes everything and never answers, as a kernel does that has no objection.
struct SilentTransport: NetlinkTransport, ~Copyable {
  var largestSendBytes: Int { 1 << 20 }

  mutating func send(_ datagram: RawSpan) throws(KernelError) {}

  mutating func receive(
    into buffer: inout [UInt8], waits: Bool
  ) throws(KernelError) -> Int? { nil }
}

/// A real socket that says it carries less at once than it does.
struct NarrowTransport: NetlinkTransport, ~Copyable {
  private var socket: NetlinkSocket
  let largestSendBytes: Int

  init(_ socket: consuming NetlinkSocket, largestSendBytes: Int) {
    self.socket = socket
    self.largestSendBytes = largestSendBytes
  }

  mutating func send(_ datagram: RawSpan) throws(KernelError) {
    guard datagram.byteCount <= largestSendBytes else {
      throw KernelError(operation: "test", cause: .refused(90))
    }
    try socket.send(datagram)
  }

  mutating func receive(
    into buffer: inout [UInt8], waits: Bool
  ) throws(KernelError) -> Int? {
    try socket.receive(into: &buffer, waits: waits)
  }
}

extension RawSpan {
  /// Two bytes in host order.
  fileprivate func number16(at offset: Int) -> UInt16 {
    unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self)
  }
}

/// A real socket that keeps a copy of every datagram sent and received.
struct RecordingTransport: NetlinkTransport, ~Copyable {
  final class Tape {
    var datagrams: [[UInt8]] = []
    var sent: [[UInt8]] = []
  }

  private var socket: NetlinkSocket
  private let tape: Tape
  var largestSendBytes: Int { socket.largestSendBytes }

  init(_ socket: consuming NetlinkSocket, onto tape: Tape) {
    self.socket = socket
    self.tape = tape
  }

  mutating func send(_ datagram: RawSpan) throws(KernelError) {
    tape.sent.append(unsafe datagram.withUnsafeBytes { unsafe Array($0) })
    try socket.send(datagram)
  }

  mutating func receive(
    into buffer: inout [UInt8], waits: Bool
  ) throws(KernelError) -> Int? {
    let count = try socket.receive(into: &buffer, waits: waits)
    if let count { tape.datagrams.append(Array(buffer[..<count])) }
    return count
  }
}

/// No socket at all: answers whatever is asked with the datagrams of a tape, in order.
struct ReplayingTransport: NetlinkTransport, ~Copyable {
  private var datagrams: ArraySlice<[UInt8]>
  var largestSendBytes: Int { 1 << 20 }

  init(_ datagrams: [[UInt8]]) { self.datagrams = datagrams[...] }

  mutating func send(_ datagram: RawSpan) throws(KernelError) {}

  mutating func receive(
    into buffer: inout [UInt8], waits: Bool
  ) throws(KernelError) -> Int? {
    guard let next = datagrams.popFirst() else {
      throw KernelError(operation: "test", cause: .stopped)
    }
    buffer.replaceSubrange(..<next.count, with: next)
    return next.count
  }
}

/// A real socket whose first dumps end with the kernel's word that somebody changed the ruleset in
/// between: the flag stands at NLMSG_DONE alone when the change comes after the last entry.
struct InterruptedTransport: NetlinkTransport, ~Copyable {
  private var socket: NetlinkSocket
  private var interruptionsLeft: Int
  private var isOver = false
  var largestSendBytes: Int { socket.largestSendBytes }

  init(_ socket: consuming NetlinkSocket, interruptions: Int) {
    self.socket = socket
    interruptionsLeft = interruptions
  }

  mutating func send(_ datagram: RawSpan) throws(KernelError) {
    isOver = false
    try socket.send(datagram)
  }

  mutating func receive(
    into buffer: inout [UInt8], waits: Bool
  ) throws(KernelError) -> Int? {
    // Nothing comes after the end of a dump: who waits then waits for ever.
    if isOver, waits { throw KernelError(operation: "test", cause: .stopped) }
    let count = try socket.receive(into: &buffer, waits: waits)
    guard let count else { return nil }
    var start = 0
    while start + 16 <= count {
      let length = Int(buffer[start]) | Int(buffer[start + 1]) << 8
      // NLMSG_DONE 3, NLM_F_DUMP_INTR 0x10.
      if buffer[start + 4] == 3, buffer[start + 5] == 0 {
        isOver = true
        if interruptionsLeft > 0 {
          interruptionsLeft -= 1
          buffer[start + 6] |= 0x10
        }
      }
      guard length >= 16 else { break }
      start += (length + 3) & ~3
    }
    return count
  }
}
