import ConnectionReplay
import Glibc

/// Names in a folder, targets of links, and which namespace a file is.
enum Folder {
  /// The names in a folder without `.` and `..`, in no order.
  ///
  /// - Throws: ``LinuxError/refused(operation:errno:)``, also when there are more than `limit`.
  static func names(_ path: String, limit: Int = 1_000_000) throws(LinuxError) -> [String] {
    guard let folder = unsafe opendir(path) else {
      throw .refused(operation: "list \(path)", errno: ErrorNumber(rawValue: errno))
    }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    // Safe: the entry is valid until the next call, and the kernel ends its name with a zero.
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
          unsafe String(cString: $0)
        }
      }
      if name == "." || name == ".." { continue }
      guard names.count < limit else {
        throw .refused(operation: "list \(path)", errno: ErrorNumber(rawValue: EFBIG))
      }
      names.append(name)
    }
    return names
  }

  /// The numbers among the names in a folder, ascending; nil when it cannot be listed.
  static func numbers(_ path: String) -> [Int32]? {
    (try? names(path))?.compactMap { Int32($0) }.sorted()
  }

  /// Where a symbolic link points to; nil when it cannot be read.
  static func target(_ path: String) -> [UInt8]? {
    let room = 4096
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, used in
      let count = unsafe buffer.withMemoryRebound(to: CChar.self) { characters in
        guard let start = characters.baseAddress else { return 0 }
        return unsafe readlink(path, start, room)
      }
      used = max(count, 0)
    }
    return bytes.isEmpty ? nil : bytes
  }

  /// The device and inode of what a path leads to; nil when it cannot be seen.
  static func identity(_ path: String) -> (device: UInt64, inode: UInt64)? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return (UInt64(status.st_dev), UInt64(status.st_ino))
  }
}

extension Folder {
  /// Whether something has that name; links are not followed.
  static func exists(_ path: String) -> Bool {
    var status = stat()
    return unsafe lstat(path, &status) == 0
  }

  /// Whether a path is a folder; links are not followed.
  static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}
