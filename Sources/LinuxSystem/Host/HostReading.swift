import ConnectionReplay
import HostFacts

/// What every source of host facts needs: files of the calling thread's namespace, and errors that
/// become reasons.
enum HostReading {
  /// The largest /proc file that is read.
  static let fileLimitBytes = 64 << 20

  /// The value of a body, or the reason why there is none.
  static func fact<Value>(_ body: () throws -> Value) -> Fact<Value> {
    do {
      return .known(try body())
    } catch let error as LinuxError {
      return .unknown(error.reason)
    } catch {
      return .unknown("\(error)")
    }
  }

  /// A file below `/proc/thread-self/net`, which is of the calling thread's network namespace.
  ///
  /// Nil when the kernel has no such file.
  static func netFile(_ name: String) throws(LinuxError) -> [UInt8]? {
    try file("/proc/thread-self/net/\(name)")
  }

  /// A file; nil when there is none of that name.
  static func file(_ path: String) throws(LinuxError) -> [UInt8]? {
    do throws(LinuxError) {
      return try BoundedFile.read(path, limitBytes: fileLimitBytes)
    } catch .unreadableFile(_, .missing) {
      return nil
    }
  }
}

extension LinuxError {
  /// The error as the reason of an unknown fact: one line, without advice.
  var reason: String {
    switch self {
    case .refused(let operation, let errno): "\(operation): \(errno)"
    default: description
    }
  }
}
