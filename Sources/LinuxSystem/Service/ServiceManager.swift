import CLinux
import Glibc

/// The service manager that started this process, if one did; sd_notify(3) without its library.
public struct ServiceManager: Sendable {
  private let path: [UInt8]
  /// How often it wants to hear from a service; nil when it does not watch.
  public let watchdogMilliseconds: Int?

  /// Reads `NOTIFY_SOCKET` and `WATCHDOG_USEC`; nil when no manager listens.
  public init?() {
    guard let place = unsafe getenv("NOTIFY_SOCKET") else { return nil }
    var bytes = unsafe Array(String(cString: place).utf8)
    guard bytes.count > 1, bytes.count < 108, bytes[0] == 0x2f || bytes[0] == 0x40 else {
      return nil
    }
    // An abstract address is written with an at sign.
    if bytes[0] == 0x40 { bytes[0] = 0 }
    path = bytes
    let limit = unsafe getenv("WATCHDOG_USEC").flatMap { unsafe Int(String(cString: $0)) }
    let owner = unsafe getenv("WATCHDOG_PID").flatMap { unsafe Int32(String(cString: $0)) }
    watchdogMilliseconds = owner == nil || owner == getpid() ? limit.map { $0 / 2000 } : nil
  }

  /// Tells something: `READY=1`, `WATCHDOG=1`, `STOPPING=1`, `STATUS=…`.
  ///
  /// Whoever does not listen any more misses it.
  public func tell(_ state: String) {
    let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { return }
    defer { close(number) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { room in
      for (place, byte) in path.enumerated() where place < room.count { unsafe room[place] = byte }
    }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
    let text = Array(state.utf8)
    unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = unsafe sendto(number, text, text.count, Int32(MSG_NOSIGNAL), $0, length)
      }
    }
  }
}
