import Glibc
import LinuxSystem
import Testing

@Suite struct BoundedFileTests {
  /// Runs a body with a file of `count` bytes.
  private func withFile(of count: Int, _ body: (String) throws -> Void) throws {
    let path = "/tmp/weir-bounded-file-\(getpid())-\(count)"
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    let bytes = [UInt8](repeating: 7, count: count)
    let written = unsafe write(file, bytes, count)
    #expect(written == count)
    close(file)
    defer { unsafe unlink(path) }
    try body(path)
  }

  @Test(arguments: [0, 1, 4096, 70_000])
  func `a file of exactly the limit is read whole, and one byte less refuses it`(
    count: Int
  ) throws {
    try withFile(of: count) { path in
      let bytes = try BoundedFile.read(path, limitBytes: count)
      #expect(bytes == [UInt8](repeating: 7, count: count))
      guard count > 0 else { return }
      let problem = FileProblem.tooLarge(limitBytes: count - 1)
      #expect(throws: LinuxError.unreadableFile(path: path, problem: problem)) {
        try BoundedFile.read(path, limitBytes: count - 1)
      }
    }
  }

  @Test func `a file that does not tell its size is held to the limit too`() throws {
    let whole = try BoundedFile.read("/proc/self/status", limitBytes: 65_536)
    #expect(whole.count > 100)
    let problem = FileProblem.tooLarge(limitBytes: 10)
    #expect(throws: LinuxError.unreadableFile(path: "/proc/self/status", problem: problem)) {
      try BoundedFile.read("/proc/self/status", limitBytes: 10)
    }
  }

  @Test(arguments: [
    ("/nonexistent/policy.yaml", FileProblem.missing), ("/tmp", .directory),
    ("/dev/null", .notRegular), ("/dev/zero", .notRegular),
  ])
  func `what is no readable file is refused with the reason`(path: String, problem: FileProblem) {
    #expect(throws: LinuxError.unreadableFile(path: path, problem: problem)) {
      try BoundedFile.read(path, limitBytes: 100)
    }
  }
}
