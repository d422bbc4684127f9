import ConnectionReplay
import Glibc

/// Writes whole files, so that a reader never sees half of one.
public enum WholeFile {
  /// Puts pieces of bytes, one behind the other, in a file, readable by its owner only unless it is
  /// public.
  ///
  /// A regular file is made anew beside the old one and takes its place at the end; a device or
  /// pipe is written to.
  ///
  /// - Throws: ``LinuxError/refused(operation:errno:)``; a file that was there is then as it was.
  public static func write(
    _ pieces: [ArraySlice<UInt8>], to path: String, isPublic: Bool = false
  ) throws(LinuxError) {
    var status = stat()
    if unsafe stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      let file = FileDescriptor(
        owning: try checked("write '\(path)'") { unsafe open(path, O_WRONLY | O_CLOEXEC) })
      return try write(pieces, to: file, path)
    }
    let draft = "\(path).\(getpid()).part"
    do throws(LinuxError) {
      try writeNew(pieces, draft, path, isPublic ? 0o644 : 0o600)
      _ = try checked("write '\(path)'") { unsafe Glibc.rename(draft, path) }
    } catch {
      unsafe unlink(draft)
      throw error
    }
  }

  /// Writes pieces of bytes to standard output.
  ///
  /// - Throws: ``LinuxError/refused(operation:errno:)``.
  public static func writeToStandardOutput(
    _ pieces: [ArraySlice<UInt8>]
  ) throws(LinuxError) {
    let copy = try checked("write to standard output") { dup(STDOUT_FILENO) }
    try write(pieces, to: FileDescriptor(owning: copy), "standard output")
  }

  /// Lets a finished file take the place of another.
  ///
  /// - Throws: ``LinuxError/refused(operation:errno:)``.
  public static func rename(_ path: String, to place: String) throws(LinuxError) {
    _ = try checked("write '\(place)'") { unsafe Glibc.rename(path, place) }
  }

  private static func writeNew(
    _ pieces: [ArraySlice<UInt8>], _ draft: String, _ path: String, _ mode: mode_t
  ) throws(LinuxError) {
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
    let file = FileDescriptor(
      owning: try checked("write '\(path)'") { unsafe open(draft, flags, mode) })
    try write(pieces, to: file, path)
    // A name must not survive a power failure that its content does not.
    let number = file.number
    _ = try checked("write '\(path)'") { fsync(number) }
  }

  private static func write(
    _ pieces: [ArraySlice<UInt8>], to file: borrowing FileDescriptor, _ name: String
  ) throws(LinuxError) {
    let number = file.number
    for piece in pieces {
      var rest = piece
      while !rest.isEmpty {
        let written = try checked("write '\(name)'") {
          unsafe rest.prefix(1 << 30).withUnsafeBytes { bytes in
            Int32(clamping: unsafe Glibc.write(number, bytes.baseAddress, bytes.count))
          }
        }
        rest = rest.dropFirst(Int(written))
      }
    }
  }
}
