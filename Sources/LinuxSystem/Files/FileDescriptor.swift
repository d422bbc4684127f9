import ConnectionReplay
import Glibc

/// An open file descriptor, owned: closed when the value ends.
struct FileDescriptor: ~Copyable, Sendable {
  /// The kernel's number, valid as long as this value lives.
  let number: Int32

  /// Takes over an open descriptor.
  init(owning number: Int32) { self.number = number }

  deinit { close(number) }

  /// Gives the number away: it is the caller's to close.
  consuming func takeNumber() -> Int32 {
    let number = number
    discard self
    return number
  }

  /// Opens `path` for reading; never inherited by a child.
  static func open(_ path: String) throws(LinuxError) -> FileDescriptor {
    FileDescriptor(
      owning: try checked("open \(path)") { unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC) })
  }
}

/// The result of a system call that leaves errno, repeated while interrupted.
///
/// Errno is read here and nowhere else, with nothing between the call and the reading.
func checked(_ operation: @autoclosure () -> String, _ call: () -> Int32) throws(LinuxError)
  -> Int32
{
  while true {
    let status = call()
    let code = errno
    if status >= 0 { return status }
    if code != EINTR {
      throw .refused(operation: operation(), errno: ErrorNumber(rawValue: code))
    }
  }
}

/// The result of a shim that returns a negative errno itself.
func checkedShim(_ operation: @autoclosure () -> String, _ status: Int32) throws(LinuxError)
  -> Int32
{
  if status >= 0 { return status }
  throw .refused(operation: operation(), errno: ErrorNumber(rawValue: -status))
}
