import CNetfilter
import Glibc

/// One netfilter netlink socket, owned; closed at the end of its life.
///
/// It belongs to the network namespace its thread was in when it was opened, whatever the thread
/// does afterwards. Extended and capped acknowledgements are on; the kernel picks the port id.
///
/// Safe because the pointer is private, non-null from `init` to `deinit`, and never copied.
@safe public struct NetlinkSocket: NetlinkTransport, ~Copyable {
  private let raw: OpaquePointer
  private let descriptor: Int32
  /// How many bytes one ``send(_:)`` can carry: the send buffer, without the kernel's own share.
  public private(set) var largestSendBytes: Int

  /// Opens a socket in the calling thread's network namespace.
  ///
  /// - Parameters:
  ///   - sendBufferBytes: what to ask for; without the capability to force it, the system's limit
  ///     (`net.core.wmem_max`) applies, and ``largestSendBytes`` says what came of it.
  ///   - receiveBufferBytes: the same for replies.
  /// - Returns: the socket, bound.
  /// - Throws: ``KernelError`` when the kernel has no netfilter netlink or memory is short.
  public static func open(
    sendBufferBytes: Int32 = 64 << 20, receiveBufferBytes: Int32 = 16 << 20
  ) throws(KernelError) -> NetlinkSocket {
    var socket = try NetlinkSocket()
    try socket.prepare(sendBufferBytes, receiveBufferBytes)
    return socket
  }

  /// Opens the socket and nothing else.
  private init() throws(KernelError) {
    guard let opened = unsafe mnl_socket_open2(NETLINK_NETFILTER, Int32(SOCK_CLOEXEC.rawValue))
    else { throw KernelError(operation: "opening a netfilter socket", cause: .refused(errno)) }
    unsafe self.raw = opened
    self.descriptor = unsafe mnl_socket_get_fd(opened)
    self.largestSendBytes = 0
  }

  private mutating func prepare(
    _ sendBufferBytes: Int32, _ receiveBufferBytes: Int32
  ) throws(KernelError) {
    try check("binding the netfilter socket") { unsafe mnl_socket_bind(raw, 0, 0) }
    try set(NETLINK_EXT_ACK, "asking for extended acknowledgements")
    try set(NETLINK_CAP_ACK, "asking for capped acknowledgements")
    try setBuffer(SO_SNDBUFFORCE, otherwise: SO_SNDBUF, bytes: sendBufferBytes)
    try setBuffer(SO_RCVBUFFORCE, otherwise: SO_RCVBUF, bytes: receiveBufferBytes)
    largestSendBytes = try bufferBytes(SO_SNDBUF) / 2
  }

  deinit { _ = unsafe mnl_socket_close(raw) }

  /// What poll(2) can wait on, valid as long as this value lives.
  var pollDescriptor: Int32 { descriptor }

  /// Joins a multicast group, `NFNLGRP_*`.
  ///
  /// - Throws: ``KernelError``, EPERM without the capability.
  mutating func join(group: UInt32) throws(KernelError) {
    var group = group
    try check("joining netlink group \(group)") {
      unsafe mnl_socket_setsockopt(
        raw, NETLINK_ADD_MEMBERSHIP, &group, socklen_t(MemoryLayout<UInt32>.size))
    }
  }

  /// Sends one datagram in one system call.
  ///
  /// - Throws: ``KernelError`` with the errno; EMSGSIZE when it is longer than the send buffer.
  public mutating func send(_ datagram: RawSpan) throws(KernelError) {
    let sent = unsafe datagram.withUnsafeBytes { bytes in
      var result = 0
      repeat {
        result = unsafe mnl_socket_sendto(raw, bytes.baseAddress, bytes.count)
      } while result < 0 && errno == EINTR
      return result < 0 ? -Int(errno) : result
    }
    guard sent == datagram.byteCount else {
      throw KernelError(
        operation: "sending \(datagram.byteCount) bytes",
        cause: .refused(sent < 0 ? Int32(-sent) : EMSGSIZE))
    }
  }

  /// Receives one datagram of the kernel's; what others put on the bus is passed over.
  ///
  /// - Returns: its length in bytes; nil when nothing is there and `waits` is false.
  /// - Throws: ``KernelError``.
  public mutating func receive(
    into buffer: inout [UInt8], waits: Bool
  ) throws(KernelError) -> Int? {
    while true {
      let flags = waits ? 0 : Int32(MSG_DONTWAIT)
      let count = unsafe buffer.withUnsafeMutableBytes {
        unsafe weir_netlink_receive(descriptor, $0.baseAddress, $0.count, flags)
      }
      if count > 0 { return count }
      switch Int32(-count) {
      case 0, EINTR: continue
      case EAGAIN where !waits: return nil
      case ENOBUFS: throw KernelError(operation: "reading replies", cause: .repliesLost)
      case let code: throw KernelError(operation: "reading replies", cause: .refused(code))
      }
    }
  }

  /// Receives the datagrams that have arrived, each into a slot of `buffer`, without waiting.
  ///
  /// What others put on the bus has length 0. Returns how many there were, at most 64; 0 for none.
  mutating func receiveMany(
    into buffer: inout [UInt8], slotBytes: Int, lengths: inout [UInt32]
  ) throws(KernelError) -> Int {
    while true {
      let slots = UInt32(min(buffer.count / slotBytes, lengths.count))
      let count = unsafe buffer.withUnsafeMutableBytes { bytes in
        unsafe lengths.withUnsafeMutableBufferPointer {
          unsafe weir_netlink_receive_many(
            descriptor, bytes.baseAddress, slotBytes, $0.baseAddress, slots)
        }
      }
      if count >= 0 { return Int(count) }
      switch -count {
      case EINTR: continue
      case EAGAIN: return 0
      case ENOBUFS: throw KernelError(operation: "reading replies", cause: .repliesLost)
      case let code: throw KernelError(operation: "reading replies", cause: .refused(code))
      }
    }
  }

  private func set(_ option: Int32, _ operation: String) throws(KernelError) {
    var on: Int32 = 1
    try check(operation) {
      unsafe mnl_socket_setsockopt(raw, option, &on, socklen_t(MemoryLayout<Int32>.size))
    }
  }

  /// Forces a buffer size, or takes what the system allows when that is not permitted.
  private func setBuffer(
    _ force: Int32, otherwise: Int32, bytes: Int32
  ) throws(KernelError) {
    var bytes = bytes
    let size = socklen_t(MemoryLayout<Int32>.size)
    if unsafe setsockopt(descriptor, SOL_SOCKET, force, &bytes, size) == 0 { return }
    try check("sizing the socket buffer") {
      unsafe setsockopt(descriptor, SOL_SOCKET, otherwise, &bytes, size)
    }
  }

  private func bufferBytes(_ option: Int32) throws(KernelError) -> Int {
    var bytes: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    try check("reading the socket buffer's size") {
      unsafe getsockopt(descriptor, SOL_SOCKET, option, &bytes, &size)
    }
    return Int(bytes)
  }

  /// Runs one C call and reads errno directly after it.
  private func check(_ operation: String, _ call: () -> Int32) throws(KernelError) {
    let result = call()
    let code = errno
    guard result >= 0 else { throw KernelError(operation: operation, cause: .refused(code)) }
  }
}
