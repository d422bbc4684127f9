import ConnectionReplay
import Glibc

/// Folders, links and their removal, for files that are installed.
public enum FileTree {
  /// Makes a folder and those above it, readable by all.
  ///
  /// - Throws: ``LinuxError/refused(operation:errno:)``.
  public static func makeFolder(_ path: String) throws(LinuxError) {
    var built = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/") {
      built += "/\(part)"
      let folder = built
      do throws(LinuxError) {
        _ = try checked("make '\(folder)'") { unsafe mkdir(folder, 0o755) }
      } catch .refused(_, ErrorNumber(rawValue: EEXIST)) {
        continue
      }
    }
  }

  /// Makes a symbolic link, or leaves one that is there.
  ///
  /// - Throws: ``LinuxError/refused(operation:errno:)``.
  public static func link(_ path: String, to target: String) throws(LinuxError) {
    do throws(LinuxError) {
      _ = try checked("link '\(path)'") { unsafe symlink(target, path) }
    } catch .refused(_, ErrorNumber(rawValue: EEXIST)) {
      return
    }
  }

  /// Removes a file or link; whether one was there.
  ///
  /// - Throws: ``LinuxError/refused(operation:errno:)``.
  public static func remove(_ path: String) throws(LinuxError) -> Bool {
    do throws(LinuxError) {
      _ = try checked("remove '\(path)'") { unsafe unlink(path) }
      return true
    } catch .refused(_, .noSuchFile) {
      return false
    }
  }

  /// Whether a path leads to a regular file.
  public static func isFile(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  /// Whether a path leads to a folder.
  public static func isFolder(_ path: String) -> Bool { Folder.isFolder(path) }

  /// Removes a folder that is empty, and leaves one that is not.
  public static func removeEmptyFolder(_ path: String) { unsafe rmdir(path) }
}
