/// What carries netlink messages to a kernel and its replies back.
///
/// ``NetlinkSocket`` is the real one. A recording or stopping one makes every message boundary a
/// place where a test can look.
public protocol NetlinkTransport: ~Copyable {
  /// How many bytes one ``send(_:)`` can carry.
  var largestSendBytes: Int { get }

  /// Sends one datagram: a request, or a whole batch.
  ///
  /// - Parameter datagram: aligned netlink messages.
  /// - Throws: ``KernelError`` with the errno; EMSGSIZE when it is longer than the kernel takes.
  mutating func send(_ datagram: RawSpan) throws(KernelError)

  /// Receives one datagram.
  ///
  /// - Parameters:
  ///   - buffer: where to; not resized.
  ///   - waits: whether to wait for one.
  /// - Returns: its length in bytes; nil when nothing is there and `waits` is false.
  /// - Throws: ``KernelError``; ENOBUFS (``KernelError/Cause/repliesLost``) when the kernel had to
  ///   throw replies away.
  mutating func receive(into buffer: inout [UInt8], waits: Bool) throws(KernelError) -> Int?
}
