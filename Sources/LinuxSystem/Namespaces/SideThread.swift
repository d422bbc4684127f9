import ConnectionReplay
import Glibc

/// Does two things at once: one on the calling thread, the other on a thread made for it.
public enum SideThread {
  /// Runs both, and returns when both have ended.
  ///
  /// The thread starts in the namespaces of the calling one, and ends whatever it entered.
  ///
  /// - Parameters:
  ///   - other: what the new thread does.
  ///   - own: what the calling thread does meanwhile; what it throws is thrown after both have ended.
  /// - Returns: both results.
  /// - Throws: ``LinuxError`` when no thread can be made, and what `own` throws.
  public static func alongside<Other: Sendable, Own>(
    _ other: @escaping @Sendable () -> Other, _ own: () throws -> Own
  ) throws -> (other: Other, own: Own) {
    let errand = Errand { other() }
    var thread = pthread_t()
    let argument = unsafe Unmanaged.passRetained(errand).toOpaque()
    let status = unsafe pthread_create(&thread, nil, { unsafe run($0) }, argument)
    guard status == 0 else {
      unsafe Unmanaged<Errand>.fromOpaque(argument).release()
      throw LinuxError.refused(
        operation: "start a thread", errno: ErrorNumber(rawValue: status))
    }
    let result = Result { try own() }
    _ = pthread_join(thread, nil)
    guard let value = errand.result as? Other else {
      preconditionFailure("a thread that was joined has left its result")
    }
    return (value, try result.get())
  }
}

/// What a thread is to do, and where it leaves the result.
///
/// Unchecked because the maker reads the result only after it has joined the thread.
private final class Errand: @unchecked Sendable {
  private let body: @Sendable () -> any Sendable
  private(set) var result: (any Sendable)?

  init(_ body: @escaping @Sendable () -> any Sendable) { self.body = body }

  func run() { result = body() }
}

/// The body of the thread: takes over the errand it is given.
private func run(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  if let argument = unsafe argument {
    unsafe Unmanaged<Errand>.fromOpaque(argument).takeRetainedValue().run()
  }
  return nil
}
