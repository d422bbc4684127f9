import ConnectionReplay
import Glibc

/// Settings of a network namespace that was made for a test.
enum ThrowAwaySetting {
  /// Writes a value under `/proc/sys/net`, for the namespace of the calling thread.
  ///
  /// - Throws: ``LinuxError/machinesOwnNamespace``, or ``LinuxError/refused(operation:errno:)`` where
  ///   `/proc/sys` is not writable.
  static func write(_ value: String, to name: String) throws(LinuxError) {
    guard try !NetworkNamespace.current().identity.isMachinesOwn else {
      throw .machinesOwnNamespace
    }
    let file = FileDescriptor(
      owning: try checked("set \(name)") {
        unsafe open("/proc/sys/\(name)", O_WRONLY | O_CLOEXEC)
      })
    let number = file.number
    let bytes = Array(value.utf8)
    _ = try checked("set \(name)") { Int32(unsafe Glibc.write(number, bytes, bytes.count)) }
  }
}
