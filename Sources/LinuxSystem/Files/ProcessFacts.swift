import Glibc

/// What the kernel tells about this process and about its own settings.
public enum ProcessFacts {
  /// The kernel's release, as `uname -r` prints it.
  public static func kernelRelease() -> String {
    kernelSetting("kernel/osrelease") ?? "unknown"
  }

  /// The kind of machine, as `uname -m` prints it: `x86_64`, `aarch64`.
  public static func machine() -> String {
    var names = utsname()
    guard unsafe uname(&names) == 0 else { return "unknown" }
    return unsafe withUnsafeBytes(of: names.machine) { field in
      unsafe String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  /// Resident memory now, in bytes; 0 where /proc does not say.
  public static func residentBytes() -> Int { statusField("VmRSS").map { $0 * 1024 } ?? 0 }

  /// The most resident memory so far, in bytes; 0 where /proc does not say.
  public static func peakResidentBytes() -> Int { statusField("VmHWM").map { $0 * 1024 } ?? 0 }

  /// The number of threads; 0 where /proc does not say.
  public static func threadCount() -> Int { statusField("Threads") ?? 0 }

  /// The clock on the wall, which may jump.
  public static func secondsSince1970() -> Int { time(nil) }

  /// The number of this process.
  public static var processID: UInt32 { UInt32(getpid()) }

  /// Nanoseconds on the clock that never jumps, since an unspecified start.
  public static func monotonicNanoseconds() -> UInt64 {
    var now = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
  }

  /// Whether standard output is a terminal.
  public static var isOutputTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  /// Whether standard error is a terminal.
  public static var isErrorTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// A value under `/proc/sys`, trimmed; nil when this kernel or user has none.
  ///
  /// Values under `net/` belong to the network namespace of the calling thread.
  /// Example: `kernelSetting("net/ipv4/ip_local_port_range")` is `"32768\t60999"`.
  public static func kernelSetting(_ name: String) -> String? {
    guard let bytes = try? BoundedFile.read("/proc/sys/\(name)", limitBytes: 65_536) else {
      return nil
    }
    let text = String(decoding: bytes, as: UTF8.self)
    return String(text.reversed().drop { $0.isWhitespace }.reversed())
  }

  /// The local ports that the kernel chooses from in the calling thread's namespace.
  ///
  /// Both ends inside; nil when unreadable. Source: `net.ipv4.ip_local_port_range`, which holds
  /// for IPv6 too.
  public static func ephemeralPorts() -> ClosedRange<UInt16>? {
    let parts = kernelSetting("net/ipv4/ip_local_port_range")?.split { $0.isWhitespace } ?? []
    guard parts.count == 2, let first = UInt16(parts[0]), let last = UInt16(parts[1]),
      first <= last
    else { return nil }
    return first...last
  }

  /// The groups that may open ICMP echo sockets in the calling thread's namespace.
  ///
  /// Nil when nobody may: the kernel writes that as a reversed range, `1 0`. In a user namespace
  /// that does not map those groups it writes `65534 65534` instead.
  /// Source: `net.ipv4.ping_group_range`.
  public static func pingGroups() -> ClosedRange<UInt32>? {
    let parts = kernelSetting("net/ipv4/ping_group_range")?.split { $0.isWhitespace } ?? []
    guard parts.count == 2, let first = UInt32(parts[0]), let last = UInt32(parts[1]),
      first <= last
    else { return nil }
    return first...last
  }

  private static func statusField(_ name: String) -> Int? {
    guard let bytes = try? BoundedFile.read("/proc/self/status", limitBytes: 65_536) else {
      return nil
    }
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    where line.hasPrefix(name + ":") {
      return line.split { $0.isWhitespace }.dropFirst().first.flatMap { Int($0) }
    }
    return nil
  }
}
