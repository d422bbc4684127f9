import CLinux
import ConnectionReplay
import Glibc

/// Another run of the program that is running, whose output is read while others things go on.
///
/// What handles strangers' bytes crashes, if it does, away from what watches over the rules.
public final class OwnChild {
  private let output: FileDescriptor
  private let process: pid_t
  private var bytes: [UInt8] = []
  /// More output than this is cut off.
  private static let outputLimit = 4 << 20

  /// Starts it with these arguments, without input, with this program's environment and errors.
  ///
  /// - Throws: ``LinuxError/refused(operation:errno:)``.
  public init(_ arguments: [String]) throws(LinuxError) {
    var ends: [Int32] = [0, 0]
    _ = try checkedShim("make a pipe", unsafe linux_pipe(&ends))
    output = FileDescriptor(owning: ends[0])
    let input = FileDescriptor(owning: ends[1])
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, input.number, STDOUT_FILENO)
    // The signals that a service reads are ordinary ones in what it starts.
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    unsafe sigemptyset(&none)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    // Safe: every pointer that C is given lives until posix_spawn is back, which keeps none.
    var words = unsafe (["weir"] + arguments).map { unsafe strdup($0) } + [nil]
    defer { unsafe words.forEach { unsafe free($0) } }
    var started: pid_t = 0
    let code = unsafe posix_spawn(
      &started, "/proc/self/exe", &actions, &attributes, &words, environ)
    guard code == 0 else {
      throw .refused(operation: "start weir", errno: ErrorNumber(rawValue: code))
    }
    process = started
  }

  /// What to wait on.
  public var number: Int32 { output.number }

  /// What it wrote and how it ended; nil while it runs.
  ///
  /// Does not wait.
  ///
  /// - Returns: its output, and its exit code, nil when a signal ended it.
  public func ended() -> (output: [UInt8], exitCode: Int32?)? {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe read(number, &buffer, buffer.count)
      if count < 0 { return nil }
      if count == 0 { break }
      bytes += buffer.prefix(min(count, Self.outputLimit - bytes.count))
    }
    var status: Int32 = 0
    // It has closed its output, so that it ends at once.
    while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
    return (bytes, status & 0x7f == 0 ? status >> 8 & 0xff : nil)
  }

  /// Ends it now.
  public func kill() {
    _ = Glibc.kill(process, SIGKILL)
    var status: Int32 = 0
    while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
  }
}
