import CLinux
import Glibc

/// Whose the sockets are that a thread makes.
public enum SocketUser {
  /// Runs a body on this thread whose sockets belong to a user, as `meta skuid` tells them.
  ///
  /// Threads that the body starts belong to the user too. Nothing else changes but the right to
  /// override permissions of files.
  ///
  /// - Parameters:
  ///   - user: its number in the thread's user namespace.
  ///   - body: what to run.
  /// - Returns: what the body returns.
  /// - Throws: ``LinuxError/refused(operation:errno:)``, with EPERM where the namespace has no such
  ///   user; and what the body throws.
  ///
  /// Source: setfsuid(2); `nft_meta_get_eval_skugid`, `net/netfilter/nft_meta.c`.
  public static func run<Value>(as user: UInt32, _ body: () throws -> Value) throws -> Value {
    try become(user)
    defer { comeBack() }
    return try body()
  }

  /// Whether ``run(as:_:)`` can make sockets of a user.
  public static func canBe(_ user: UInt32) -> Bool {
    (try? run(as: user) {}) != nil
  }

  private static func become(_ user: UInt32) throws(LinuxError) {
    do throws(LinuxError) {
      _ = try checkedShim("make sockets as user \(user)", linux_set_file_user(user))
    } catch {
      comeBack()
      throw error
    }
  }

  /// Going on as somebody else could read or write the wrong files, so a failure ends the process.
  private static func comeBack() {
    precondition(
      linux_set_file_user(geteuid()) == 0, "cannot be the user again that this is")
  }
}
