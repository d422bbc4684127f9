import CLinux
import ConnectionReplay
import Glibc

/// A program of the system that weir runs to its end.
public enum ChildProgram {
  /// What it left.
  public struct Outcome: Hashable, Sendable {
    /// Its exit code; nil when a signal ended it.
    public var exitCode: Int32?
    /// What it wrote to standard error, at most 64 KiB.
    public var error: String
  }

  /// Runs a program in the namespaces of the calling thread, and waits for it.
  ///
  /// It is looked for in the system's folders only, gets no input and no environment, and its output
  /// is thrown away.
  ///
  /// - Parameters:
  ///   - name: the program's name, without a folder.
  ///   - arguments: as the program gets them.
  /// - Returns: how it ended.
  /// - Throws: ``LinuxError/refused(operation:errno:)``, with ENOENT where it is not installed, or
  ///   ``LinuxError/machinesOwnNamespace``: a program runs in a namespace made for it or not at all.
  public static func run(_ name: String, _ arguments: [String]) throws(LinuxError) -> Outcome {
    try NetworkNamespace.assertThrowAway()
    let report = FileDescriptor(
      owning: try checkedShim("keep what \(name) says", linux_memory_file()))
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, report.number, STDERR_FILENO)
    // Safe: every pointer that C is given lives until posix_spawn is back, which keeps none.
    var words = unsafe ([name] + arguments).map { unsafe strdup($0) } + [nil]
    var environment = unsafe [strdup("LC_ALL=C"), nil]
    defer { unsafe (words + environment).forEach { unsafe free($0) } }
    var code: Int32 = ENOENT
    var process: pid_t = 0
    for folder in ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin"]
    where code == ENOENT {
      code = unsafe posix_spawn(
        &process, "\(folder)/\(name)", &actions, nil, &words, &environment)
    }
    guard code == 0 else {
      throw .refused(operation: "start \(name)", errno: ErrorNumber(rawValue: code))
    }
    var status: Int32 = 0
    while unsafe waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else {
        throw .refused(operation: "wait for \(name)", errno: ErrorNumber(rawValue: errno))
      }
    }
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let count = unsafe pread(report.number, &bytes, bytes.count, 0)
    return Outcome(
      exitCode: status & 0x7f == 0 ? status >> 8 & 0xff : nil,
      error: String(decoding: bytes.prefix(max(0, count)), as: UTF8.self))
  }
}
