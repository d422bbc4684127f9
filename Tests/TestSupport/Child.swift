import Glibc

/// A program that this process started, in the namespaces of the calling thread.
///
/// Signalled only by its own process id, and only before it was waited for. Foundation's `Process`
/// is of no use here: outside of the main thread its wait may never end.
public final class Child {
  /// Why there is no such child.
  public enum Failure: Error {
    /// The program is not there or may not be run.
    case cannotStart(String)
  }

  /// Open files that become a program's own; nil is `/dev/null`.
  public struct Streams {
    var input: Int32?
    var output: Int32?
    var error: Int32?

    /// Nothing to read, and nobody reads.
    public init() {}
  }

  private let identifier: pid_t
  private var status: Int32?

  /// Starts a program found on the PATH; `words` are its name and its arguments.
  ///
  /// Safe: every pointer that C is given lives until `posix_spawnp` is back, which keeps none.
  public init(_ words: [String], _ streams: Streams = Streams()) throws {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    let standard = [
      (STDIN_FILENO, streams.input), (STDOUT_FILENO, streams.output),
      (STDERR_FILENO, streams.error),
    ]
    for (number, descriptor) in standard {
      if let descriptor {
        unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, number)
      } else {
        unsafe posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0)
      }
    }
    var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
    var environment = unsafe [strdup("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), nil]
    defer { unsafe (arguments + environment).forEach { unsafe free($0) } }
    var identifier: pid_t = 0
    let code = unsafe posix_spawnp(
      &identifier, words[0], &actions, nil, &arguments, &environment)
    guard code == 0 else { throw Failure.cannotStart(words[0]) }
    self.identifier = identifier
  }

  /// Whether it has not ended yet.
  public var isRunning: Bool { status == nil && !reap(WNOHANG) }

  /// Sends a signal, if it has not ended yet.
  public func signal(_ number: Int32) {
    if isRunning { kill(identifier, number) }
  }

  /// The status of `waitpid(2)`, zero for success; may be called again.
  public func waitForExit() -> Int32 {
    while status == nil, !reap(0) {}
    return status ?? -1
  }

  private func reap(_ options: Int32) -> Bool {
    var value: Int32 = 0
    let result = unsafe waitpid(identifier, &value, options)
    if result == identifier { status = value }
    if result < 0, errno != EINTR { status = -1 }
    return status != nil
  }
}
