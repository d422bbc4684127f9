import CLinux

/// An rtnetlink socket: reads and changes links, addresses, routes and neighbours.
///
/// It belongs to the network namespace of the thread that made it. Not for two threads at once.
public final class RouteSocket {
  private let socket: KernelSocket

  /// Opens a socket in the calling thread's network namespace.
  ///
  /// - Throws: ``LinuxError/refused(operation:errno:)``.
  public init() throws(LinuxError) { socket = try KernelSocket(.route) }

  /// Sends a request and waits until the kernel has done it.
  func perform(
    _ operation: String, type: Int, flags: Int32 = 0, _ build: (inout RouteMessage) -> Void
  ) throws(LinuxError) {
    _ = try exchange(operation, type: type, flags: flags | NLM_F_ACK, build)
  }

  /// Sends a request and returns every message of the answer.
  ///
  /// A dump that the kernel marks as torn by a change is asked for again, a few times.
  func exchange(
    _ operation: String, type: Int, flags: Int32, _ build: (inout RouteMessage) -> Void
  ) throws(LinuxError) -> [RouteReply] {
    try socket.exchange(operation, type: type, flags: flags, build)
  }
}
