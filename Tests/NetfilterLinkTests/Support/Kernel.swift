import Glibc
import LinuxSystem
import NetfilterLink
import Testing

/// Kernel tests: each runs in a network namespace of its own, never in the machine's.
enum Kernel {
  static let isThere: Bool = (try? NetworkNamespace.make()) != nil
  static let reason: Comment =
    "needs network namespaces: run as root, or the test binary under unshare -Urn"

  /// Runs a body inside a fresh namespace, after making sure that it is one.
  static func inNamespace<Value>(_ body: () throws -> Value) throws -> Value {
    try NetworkNamespace.make().run {
      try NetworkNamespace.assertThrowAway()
      return try body()
    }
  }

  /// Runs `nft` in the calling thread's namespace and gives what it printed.
  ///
  /// Spawned from this very thread, since a child starts in its parent thread's namespace.
  static func nft(_ arguments: String..., input: String = "") throws -> String {
    try NetworkNamespace.assertThrowAway()
    let output = try TemporaryFile(text: "")
    let source = try TemporaryFile(text: input)
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, source.descriptor, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, output.descriptor, 1)
    unsafe posix_spawn_file_actions_adddup2(&actions, output.descriptor, 2)
    var words: [UnsafeMutablePointer<CChar>?] = unsafe (["nft"] + arguments).map {
      unsafe strdup($0)
    }
    unsafe words.append(nil)
    defer { unsafe words.forEach { unsafe free($0) } }
    var process = pid_t()
    guard unsafe posix_spawn(&process, "/usr/sbin/nft", &actions, nil, words, environ) == 0
    else { throw NftFailed(text: "cannot start nft") }
    var status: Int32 = 0
    while unsafe waitpid(process, &status, 0) < 0 && errno == EINTR {}
    let text = try output.text()
    guard status == 0 else { throw NftFailed(text: text) }
    return text
  }

  /// A session over a real socket of the calling thread's namespace.
  static func session() throws -> NetfilterSession<NetlinkSocket> {
    NetfilterSession(try NetlinkSocket.open())
  }
}

/// `nft` ended with an error; the text is what it said.
struct NftFailed: Error {
  var text: String
}

/// An unlinked file of its own, open for reading and writing.
final class TemporaryFile {
  let descriptor: Int32

  init(text: String) throws {
    var path = Array("/tmp/weir-test-XXXXXX".utf8CString)
    descriptor = unsafe mkstemp(&path)
    guard descriptor >= 0 else { throw NftFailed(text: "cannot make a temporary file") }
    unsafe unlink(path)
    let bytes = Array(text.utf8)
    guard unsafe pwrite(descriptor, bytes, bytes.count, 0) == bytes.count else {
      throw NftFailed(text: "cannot write a temporary file")
    }
  }

  deinit { close(descriptor) }

  /// Everything in the file.
  func text() throws -> String {
    var bytes = [UInt8](repeating: 0, count: Int(lseek(descriptor, 0, SEEK_END)))
    guard unsafe pread(descriptor, &bytes, bytes.count, 0) == bytes.count else {
      throw NftFailed(text: "cannot read a temporary file")
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
