import ConnectionReplay
import Glibc

/// Reads whole files up to a limit.
public enum BoundedFile {
  /// The bytes of a regular file, pipe or /proc file.
  ///
  /// - Parameters:
  ///   - path: absolute, or relative to the working directory; links are followed.
  ///   - limitBytes: the most bytes that are acceptable, 0 or more.
  /// - Returns: the whole content, not yet checked to be text.
  /// - Throws: ``LinuxError/unreadableFile(path:problem:)``.
  ///
  /// Never reads more than `limitBytes` + 1 bytes, so a file that grows is refused too.
  public static func read(_ path: String, limitBytes: Int) throws(LinuxError) -> [UInt8] {
    do throws(LinuxError) {
      return try readWhole(path, limitBytes: limitBytes)
    } catch .refused(_, .noSuchFile) {
      throw .unreadableFile(path: path, problem: .missing)
    } catch .refused(_, let errno) {
      throw .unreadableFile(path: path, problem: .refused(errno))
    }
  }

  private static func readWhole(_ path: String, limitBytes: Int) throws(LinuxError) -> [UInt8] {
    // Without O_NONBLOCK, opening a pipe that nobody writes would wait for ever.
    let file = FileDescriptor(
      owning: try checked("open") { unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) })
    let number = file.number
    var status = stat()
    _ = try checked("stat") { unsafe fstat(number, &status) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw .unreadableFile(path: path, problem: .directory)
    case S_IFIFO: _ = fcntl(number, F_SETFL, 0)
    default: throw .unreadableFile(path: path, problem: .notRegular)
    }
    if status.st_size > limitBytes {
      throw .unreadableFile(path: path, problem: .tooLarge(limitBytes: limitBytes))
    }
    var bytes: [UInt8] = []
    var capacity = max(Int(status.st_size) + 1, 4096)
    while true {
      let room = min(capacity, limitBytes + 1 - bytes.count)
      let chunk = try unsafe [UInt8](unsafeUninitializedCapacity: room) {
        (buffer, used) throws(LinuxError) in
        let start = buffer.baseAddress
        used = Int(
          try checked("read") { Int32(clamping: unsafe Glibc.read(number, start, room)) })
      }
      if chunk.isEmpty { return bytes }
      if bytes.isEmpty { bytes = chunk } else { bytes.append(contentsOf: chunk) }
      if bytes.count > limitBytes {
        throw .unreadableFile(path: path, problem: .tooLarge(limitBytes: limitBytes))
      }
      capacity = 1 << 20
    }
  }
}
