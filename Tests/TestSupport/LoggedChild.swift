import Foundation
import Glibc

/// A program that goes on while a test does, with what it has written so far.
///
/// It is told to end, and waited for, when the value goes.
public final class LoggedChild {
  private let child: Child
  private let path: String

  /// Starts a program found on the PATH in the namespaces of the calling thread; both its outputs go
  /// to a file of that folder.
  public init(_ words: [String], in folder: TemporaryFolder) throws {
    path = try folder.file("log-\(UUID().uuidString)", "")
    let descriptor = unsafe open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
    defer { close(descriptor) }
    var streams = Child.Streams()
    streams.output = descriptor
    streams.error = descriptor
    child = try Child(words, streams)
  }

  deinit { _ = end() }

  /// What it has written.
  public var text: String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

  /// Whether it has written something that holds the words, within so many seconds.
  public func says(_ words: String, within seconds: Double, times: Int = 1) -> Bool {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while Date() < deadline {
      if text.ranges(of: words).count >= times { return true }
      usleep(10_000)
    }
    return text.ranges(of: words).count >= times
  }

  /// Sends a signal.
  public func signal(_ number: Int32) { child.signal(number) }

  /// Tells it to end; the status of `waitpid(2)`.
  public func end() -> Int32 {
    child.signal(SIGTERM)
    return child.waitForExit()
  }
}
