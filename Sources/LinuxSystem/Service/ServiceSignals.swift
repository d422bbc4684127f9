import CLinux
import Glibc

/// Signals that a service waits for, as a descriptor.
///
/// From its making on the signals end nothing: they are read. Not for two at a time.
public final class ServiceSignals: Sendable {
  /// What a signal asks for.
  public enum Request: Hashable, Sendable {
    /// SIGTERM or SIGINT.
    case stop
    /// SIGHUP.
    case reload
  }

  private let descriptor: FileDescriptor

  /// Takes the signals over for the whole process; to be called before other threads are made.
  ///
  /// - Throws: ``LinuxError/refused(operation:errno:)``.
  public init() throws(LinuxError) {
    descriptor = FileDescriptor(
      owning: try checkedShim("take signals over", linux_service_signals()))
  }

  /// The descriptor to wait on.
  public var number: Int32 { descriptor.number }

  /// The requests that have come, without waiting.
  public func take() -> [Request] {
    var found: [Request] = []
    while true {
      switch linux_take_signal(descriptor.number) {
      case SIGHUP: found.append(.reload)
      case SIGTERM, SIGINT: found.append(.stop)
      default: return found
      }
    }
  }
}

/// Waits for descriptors.
public enum Waiting {
  /// Waits until one can be read or the time is up.
  ///
  /// - Parameters:
  ///   - descriptors: what to wait for.
  ///   - milliseconds: how long at most; nil for ever.
  /// - Returns: those that can be read.
  public static func untilReadable(_ descriptors: [Int32], milliseconds: Int?) -> Set<Int32> {
    var requests = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    let patience = milliseconds.map { Int32(clamping: max(0, $0)) } ?? -1
    _ = unsafe poll(&requests, nfds_t(requests.count), patience)
    return Set(requests.filter { $0.revents != 0 }.map(\.fd))
  }
}
