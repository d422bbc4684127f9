import Glibc

/// What a program left when it ended.
public struct ProgramOutcome: Hashable, Sendable {
  /// How it ended.
  public enum Ending: Hashable, Sendable {
    /// By itself, with this exit code.
    case exit(Int32)
    /// By this signal.
    case signal(Int32)
  }

  /// How it ended.
  public var ending: Ending
  /// What it wrote to standard output.
  public var output: String
  /// What it wrote to standard error.
  public var error: String
}

/// Programs that run to their end, in the namespaces of the calling thread.
public enum Program {
  /// Runs a program found on the PATH and waits for it.
  ///
  /// Its output goes to unlinked files, so that no pipe can fill up. `folder` is where it starts.
  public static func run(
    _ words: [String], input: String = "", in folder: String? = nil
  ) throws -> ProgramOutcome {
    let source = try UnlinkedFile(input)
    let output = try UnlinkedFile()
    let error = try UnlinkedFile()
    var streams = Child.Streams()
    streams.input = source.descriptor
    streams.output = output.descriptor
    streams.error = error.descriptor
    let moved = folder.map { ["env", "-C", $0] } ?? []
    let status = try Child(moved + words, streams).waitForExit()
    let signal = status & 0x7f
    return ProgramOutcome(
      ending: signal == 0 ? .exit(status >> 8 & 0xff) : .signal(signal),
      output: try output.text(), error: try error.text())
  }
}

/// A file without a name, open for reading and writing.
private final class UnlinkedFile {
  struct Failure: Error {}

  let descriptor: Int32

  init(_ text: String = "") throws {
    var path = Array("/tmp/weir-test-XXXXXX".utf8CString)
    descriptor = unsafe mkstemp(&path)
    guard descriptor >= 0, fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else { throw Failure() }
    unsafe unlink(path)
    let bytes = Array(text.utf8)
    guard unsafe pwrite(descriptor, bytes, bytes.count, 0) == bytes.count else { throw Failure() }
  }

  deinit { close(descriptor) }

  func text() throws -> String {
    var bytes = [UInt8](repeating: 0, count: Int(lseek(descriptor, 0, SEEK_END)))
    guard unsafe pread(descriptor, &bytes, bytes.count, 0) == bytes.count else { throw Failure() }
    return String(decoding: bytes, as: UTF8.self)
  }
}
