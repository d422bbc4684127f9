import ConnectionReplay
import Glibc

/// A cgroup of the unified hierarchy, found by its path.
public struct ControlGroup: Hashable, Sendable {
  /// The path below the hierarchy's root, no slash at either end: `system.slice/a.service`.
  public let path: String
  /// The number that the kernel knows it by while it lives; one made anew has another.
  public let id: UInt64

  /// How many steps below the root it is, from 1.
  public var level: UInt32 { UInt32(path.split(separator: "/").count) }

  /// Finds a cgroup.
  ///
  /// - Parameters:
  ///   - text: a path below the root, with or without the place where the hierarchy is mounted in
  ///     front.
  ///   - root: that place, where it is known already; see ``root()``.
  /// - Throws: ``LinuxError``: there is no such cgroup, it is the root, or none are mounted.
  ///
  /// Source: the inode number is the id, `kernfs_id_ino`, `linux/kernfs.h`.
  public init(
    _ text: String, under root: String? = ControlGroup.root()
  ) throws(LinuxError) {
    let operation = "find cgroup \(text)"
    guard let root else {
      throw .refused(
        operation: "\(operation): no cgroup2 is mounted", errno: ErrorNumber(rawValue: EOPNOTSUPP))
    }
    var rest = text[...]
    if rest == root || rest.hasPrefix(root + "/") { rest = rest.dropFirst(root.count) }
    let parts = rest.split(separator: "/")
    guard !parts.isEmpty, !parts.contains(".."), !parts.contains(".") else {
      throw .refused(operation: operation, errno: ErrorNumber(rawValue: EINVAL))
    }
    path = parts.joined(separator: "/")
    let place = "\(root)/\(path)"
    guard Folder.isFolder(place), let identity = Folder.identity(place) else {
      throw .refused(operation: operation, errno: .noSuchFile)
    }
    id = identity.inode
  }

  /// The path of a cgroup by its number; nil where it is gone or not found.
  ///
  /// O(cgroups), ten thousand at most.
  public static func path(of id: UInt64, under root: String? = ControlGroup.root()) -> String? {
    guard let root else { return nil }
    var waiting = [""]
    var seen = 0
    while let path = waiting.popLast(), seen < 10_000 {
      seen += 1
      if Folder.identity(root + path)?.inode == id { return String(path.dropFirst()) }
      let names = (try? Folder.names(root + path)) ?? []
      waiting += names.filter { Folder.isFolder("\(root)\(path)/\($0)") }.map { "\(path)/\($0)" }
    }
    return nil
  }

  /// The numbers of a cgroup and of all below it; none where it is gone.
  ///
  /// O(cgroups below), ten thousand at most.
  public static func numbers(
    below path: String, under root: String? = ControlGroup.root()
  ) -> Set<UInt64> {
    guard let root else { return [] }
    var numbers: Set<UInt64> = []
    var waiting = ["\(root)/\(path)"]
    while let folder = waiting.popLast(), numbers.count < 10_000 {
      guard let identity = Folder.identity(folder) else { continue }
      numbers.insert(identity.inode)
      let names = (try? Folder.names(folder)) ?? []
      waiting += names.map { "\(folder)/\($0)" }.filter { Folder.isFolder($0) }
    }
    return numbers
  }

  /// Where the hierarchy is mounted; nil for nowhere.
  public static func root() -> String? {
    guard let bytes = try? HostReading.file("/proc/thread-self/mountinfo") else { return nil }
    return try? MountTable(procText: bytes).mounts.first { $0.type == "cgroup2" }?.path
  }
}
