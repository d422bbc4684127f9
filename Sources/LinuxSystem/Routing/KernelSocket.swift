import CLinux
import ConnectionReplay
import Glibc

/// A netlink socket of one bus: sends requests and collects the whole answer.
///
/// It belongs to the network namespace of the thread that made it. Not for two threads at once.
final class KernelSocket {
  /// Which part of the kernel answers; the raw value is its `NETLINK_*` number.
  enum Bus: Int32 {
    /// Links, addresses, routes, traffic control: `NETLINK_ROUTE`.
    case route = 0
    /// Sockets: `NETLINK_SOCK_DIAG`.
    case sockets = 4
    /// IPsec: `NETLINK_XFRM`.
    case transform = 6
    /// Conntrack: `NETLINK_NETFILTER`.
    case netfilter = 12
  }

  /// The most messages that one answer may have; beyond it the answer is refused.
  static let messageLimit = 2_000_000

  private let descriptor: FileDescriptor
  private var sequence: UInt32 = 0

  /// Opens a socket in the calling thread's network namespace.
  ///
  /// - Throws: ``LinuxError/refused(operation:errno:)``.
  init(_ bus: Bus) throws(LinuxError) {
    let number = try checked("open a netlink socket") {
      socket(AF_NETLINK, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), bus.rawValue)
    }
    descriptor = FileDescriptor(owning: number)
  }

  /// Sends a request and returns every message of the answer.
  ///
  /// A dump that the kernel marks as torn by a change is asked for again, a few times.
  func exchange(
    _ operation: String, type: Int, flags: Int32, _ build: (inout RouteMessage) -> Void
  ) throws(LinuxError) -> [RouteReply] {
    for _ in 0..<8 {
      sequence += 1
      var message = RouteMessage(type: type, flags: flags, sequence: sequence)
      build(&message)
      try send(message.finished(), operation)
      if let replies = try receive(operation, isDump: flags & NLM_F_DUMP == NLM_F_DUMP) {
        return replies
      }
    }
    throw .refused(operation: operation, errno: ErrorNumber(rawValue: EINTR))
  }

  private func send(_ bytes: [UInt8], _ operation: String) throws(LinuxError) {
    let number = descriptor.number
    _ = try checked(operation) {
      Int32(unsafe Glibc.send(number, bytes, bytes.count, 0))
    }
  }

  /// Reads until the acknowledgement, the end of the dump, or the one answer; nil when torn.
  private func receive(
    _ operation: String, isDump: Bool
  ) throws(LinuxError) -> [RouteReply]? {
    var collected: [RouteReply] = []
    var isTorn = false
    while true {
      guard let messages = RouteReply.all(in: try datagram(operation)) else {
        throw .malformedReply(operation: operation)
      }
      for message in messages where message.sequence == sequence {
        if message.flags & NLM_F_DUMP_INTR != 0 { isTorn = true }
        switch message.type {
        case Int(NLMSG_DONE):
          // A dump that fails on the way says so here.
          if let code = message.payload.number(Int32.self, at: 0), code < 0 {
            throw .refused(operation: operation, errno: ErrorNumber(rawValue: -code))
          }
          return isTorn ? nil : collected
        case Int(NLMSG_ERROR):
          let code = message.payload.number(Int32.self, at: 0) ?? -EBADMSG
          if code == 0 { return collected }
          throw .refused(operation: operation, errno: ErrorNumber(rawValue: -code))
        default:
          collected.append(message)
        }
      }
      if !isDump, !collected.isEmpty { return collected }
      if collected.count > KernelSocket.messageLimit {
        throw .refused(operation: operation, errno: .noBufferSpace)
      }
    }
  }

  private func datagram(_ operation: String) throws(LinuxError) -> [UInt8] {
    let number = descriptor.number
    let room = 65_536
    return try unsafe [UInt8](unsafeUninitializedCapacity: room) {
      (buffer, used) throws(LinuxError) in
      let start = buffer.baseAddress
      used = Int(try checked(operation) { Int32(unsafe recv(number, start, room, 0)) })
    }
  }
}
