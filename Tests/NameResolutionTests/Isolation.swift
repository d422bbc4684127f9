import Foundation
import Glibc
import NetworkTypes

/// A network namespace of a test's own, with nothing in it but `lo`.
enum Isolation {
  struct Refused: Error, CustomStringConvertible {
    var description: String
  }

  /// Why the tests cannot run here; nil when they can.
  static let obstacle: String? = {
    do {
      try run {}
      return nil
    } catch {
      return "\(error)"
    }
  }()

  /// Runs a body on a thread of its own that has left the machine's network namespace.
  static func run(_ body: @escaping @Sendable () throws -> Void) throws {
    let done = DispatchSemaphore(value: 0)
    let failure = Failure()
    let thread = Thread {
      defer { done.signal() }
      do {
        try leave()
        try body()
      } catch {
        failure.error = error
      }
    }
    thread.start()
    done.wait()
    if let error = failure.error { throw error }
  }

  /// Written before the semaphore is signalled and read after.
  private final class Failure: @unchecked Sendable {
    var error: (any Error)?
  }

  private static func leave() throws {
    let before = try identity()
    typealias Unshare = @convention(c) (Int32) -> Int32
    guard let symbol = unsafe dlsym(nil, "unshare") else {
      throw Refused(description: "no unshare")
    }
    let unshare = unsafe unsafeBitCast(symbol, to: Unshare.self)
    guard unshare(0x4000_0000) == 0 else {
      throw Refused(description: "no right to make a network namespace; try unshare -rn")
    }
    guard try identity() != before else { throw Refused(description: "still in the old namespace") }
    let up = try Child(["ip", "link", "set", "lo", "up"])
    guard up.waitForExit() == 0 else { throw Refused(description: "cannot bring lo up") }
  }

  private static func identity() throws -> String {
    try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self/ns/net")
  }
}
