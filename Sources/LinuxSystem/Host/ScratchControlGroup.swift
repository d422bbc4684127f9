import ConnectionReplay
import Glibc

/// A cgroup made for a test, right below the hierarchy's root; gone with this value.
public final class ScratchControlGroup: Sendable {
  /// The cgroup.
  public let group: ControlGroup

  private let folder: String
  /// Where this process belongs.
  private let home: String

  /// Makes one.
  ///
  /// - Throws: ``LinuxError/refused(operation:errno:)`` where cgroups may not be made, or this process
  ///   could not come back.
  public init() throws(LinuxError) {
    guard let root = ControlGroup.root(), let home = ScratchControlGroup.home(under: root) else {
      throw .refused(
        operation: "make a cgroup: no cgroup2 is mounted",
        errno: ErrorNumber(rawValue: EOPNOTSUPP))
    }
    _ = try checked("come back to a cgroup") { unsafe access("\(home)/cgroup.procs", W_OK) }
    let name = "weir-verify-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    let folder = "\(root)/\(name)"
    _ = try checked("make a cgroup") { unsafe mkdir(folder, 0o755) }
    self.home = home
    self.folder = folder
    do throws(LinuxError) {
      group = try ControlGroup(name, under: root)
    } catch {
      unsafe rmdir(folder)
      throw error
    }
  }

  deinit { unsafe rmdir(folder) }

  /// Runs a body while the whole process is in the cgroup, then comes back.
  ///
  /// Sockets that are made meanwhile belong to the cgroup for good. Not from two threads at once.
  ///
  /// - Throws: what the body throws, or ``LinuxError/refused(operation:errno:)``.
  public func run<Value>(_ body: () throws -> Value) throws -> Value {
    try ScratchControlGroup.move(to: folder)
    let result = Result { try body() }
    try ScratchControlGroup.move(to: home)
    return try result.get()
  }

  private static func move(to folder: String) throws(LinuxError) {
    let file = FileDescriptor(
      owning: try checked("enter the cgroup \(folder)") {
        unsafe open("\(folder)/cgroup.procs", O_WRONLY | O_CLOEXEC)
      })
    let number = file.number
    // Zero is the process that writes.
    _ = try checked("enter the cgroup \(folder)") { Int32(unsafe write(number, "0", 1)) }
  }

  /// The folder of the cgroup that this process is in; nil where it is outside of what is mounted.
  private static func home(under root: String) -> String? {
    guard let bytes = try? HostReading.file("/proc/self/cgroup") else { return nil }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    guard let line = lines.first(where: { $0.hasPrefix("0::") }) else { return nil }
    let path = line.dropFirst(3)
    return path.hasPrefix("/..") ? nil : path == "/" ? root : root + path
  }
}
