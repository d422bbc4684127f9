import Glibc
import LinuxSystem

/// The nft program, as an independent way to put rules into a sandbox.
enum NftProgram {
  static var isThere: Bool { unsafe access("/usr/sbin/nft", X_OK) == 0 }

  /// Loads rules into the calling thread's namespace, which must not be the machine's own.
  static func load(_ rules: String) throws {
    try NetworkNamespace.assertThrowAway()
    let command = "/usr/sbin/nft -f - <<'RULES'\n\(rules)\nRULES\n"
    guard unsafe system(command) == 0 else { throw Refused(rules: rules) }
  }

  struct Refused: Error {
    var rules: String
  }
}
