import Glibc
import LinuxSystem
import TestSupport
import Testing

/// Runs weir under strace, which kills it by SIGKILL at a message it sends or receives.
///
/// strace counts the system calls and kills on entry, before the kernel has seen the call; so the
/// moments between two calls are all there: a kill after a send is a kill before the receive.
enum Killer {
  /// The only calls that weir uses to speak to the kernel's packet filter.
  static let calls = ["sendto", "recvmsg"]

  /// Whether strace is there and this user may trace its children.
  static let isThere =
    (try? Program.run(["strace", "-o", "/dev/null", "true"]))?.ending == .exit(0)

  /// Runs a verb and kills it at the n-th call; tells whether there was such a call.
  static func run(_ arguments: [String], at number: Int, of call: String) throws -> Bool {
    try NetworkNamespace.assertThrowAway()
    let outcome = try Program.run(
      [
        "strace", "-o", "/dev/null", "-e", "trace=\(call)", "-e",
        "inject=\(call):signal=KILL:when=\(number)", Weir.path,
      ] + arguments)
    if outcome.ending == .exit(0) { return false }
    #expect(outcome.ending == .signal(SIGKILL))
    return true
  }
}
