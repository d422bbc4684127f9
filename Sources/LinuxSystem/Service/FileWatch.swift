import CLinux
import Glibc

/// Tells when files are written, replaced or removed, by watching the folders that they are in; or
/// when folders are made and removed.
///
/// A file that does not exist is watched too, as long as its folder exists. A file behind a symbolic
/// link is watched where the link is.
public final class FileWatch {
  private let descriptor: FileDescriptor
  /// The names that matter in each folder, by its watch.
  private var names: [Int32: Set<String>] = [:]
  private var watches: [String: Int32] = [:]
  private let seesNew: Bool

  /// Watches nothing yet.
  ///
  /// - Parameter seesNew: whether to tell when something is made, before anything is in it: right for
  ///   folders such as cgroups, not for files.
  /// - Throws: ``LinuxError/refused(operation:errno:)``, EMFILE when the user watches too much.
  public init(seesNew: Bool = false) throws(LinuxError) {
    self.seesNew = seesNew
    descriptor = FileDescriptor(
      owning: try checkedShim("watch files", linux_file_watch()))
  }

  /// What to wait on.
  public var number: Int32 { descriptor.number }

  /// Watches these files and no others.
  ///
  /// - Parameter paths: as they are opened.
  /// - Returns: those whose folder cannot be watched.
  public func follow(_ paths: [String]) -> [String] {
    var failed: [String] = []
    var wanted: [String: Set<String>] = [:]
    for path in paths {
      let slash = path.lastIndex(of: "/")
      let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
      let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
      wanted[folder, default: []].insert(name)
    }
    for (folder, watch) in watches where wanted[folder] == nil {
      linux_forget_folder(number, watch)
      watches[folder] = nil
    }
    names = [:]
    for (folder, files) in wanted {
      // Watching a folder again gives the watch that it has, so that one made anew is found.
      let watch = unsafe linux_watch_folder(number, folder, seesNew ? 1 : 0)
      if watch < 0 {
        failed += files.map { folder == "." ? $0 : "\(folder)/\($0)" }
        continue
      }
      watches[folder] = watch
      names[watch, default: []].formUnion(files)
    }
    return failed
  }

  /// Whether a watched file was written, replaced or removed since the last call, without waiting.
  public func hasChanged() -> Bool {
    var found = false
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = unsafe read(number, &buffer, buffer.count)
      guard count > 0 else { return found }
      for event in FolderEvent.all(in: buffer[..<count]) {
        // The folder itself went, or more happened than the kernel keeps: anything may have changed.
        if event.name.isEmpty || names[event.watch]?.contains(event.name) ?? false { found = true }
      }
    }
  }
}

/// One event of inotify(7).
private struct FolderEvent {
  let watch: Int32
  /// The file's name in the folder; empty where the event is about the folder.
  let name: String

  /// The events of a read, whose numbers are in the machine's byte order.
  static func all(in bytes: ArraySlice<UInt8>) -> [FolderEvent] {
    var events: [FolderEvent] = []
    var rest = bytes
    while rest.count >= 16 {
      func number(at offset: Int) -> UInt32 {
        let four = rest[(rest.startIndex + offset)..<(rest.startIndex + offset + 4)]
        let little = four.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return UInt32(littleEndian: little)
      }
      let length = Int(number(at: 12))
      let name = rest.dropFirst(16).prefix(length).prefix { $0 != 0 }
      events.append(
        FolderEvent(
          watch: Int32(bitPattern: number(at: 0)), name: String(decoding: name, as: UTF8.self)))
      rest = rest.dropFirst(16 + length)
    }
    return events
  }
}
