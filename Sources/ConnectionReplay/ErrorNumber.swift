/// An errno value as a system call left it.
///
/// Source: `asm-generic/errno-base.h` and `asm-generic/errno.h`. Example: 1 prints as `EPERM`.
public struct ErrorNumber: RawRepresentable, Hashable, Sendable {
  /// The positive number.
  public let rawValue: Int32

  /// Any number, named here or not.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// Operation not permitted: what a netfilter drop or reject gives at send.
  public static let notPermitted = ErrorNumber(rawValue: 1)
  /// No such file, directory or device name.
  public static let noSuchFile = ErrorNumber(rawValue: 2)
  /// Permission denied.
  public static let accessDenied = ErrorNumber(rawValue: 13)
  /// Invalid argument.
  public static let invalidArgument = ErrorNumber(rawValue: 22)
  /// No space left: for namespaces, a limit of `/proc/sys/user` is reached.
  public static let noSpace = ErrorNumber(rawValue: 28)
  /// Message too long.
  public static let messageTooLong = ErrorNumber(rawValue: 90)
  /// Network unreachable: no route.
  public static let networkUnreachable = ErrorNumber(rawValue: 101)
  /// No buffer space: the queue is full, try again.
  public static let noBufferSpace = ErrorNumber(rawValue: 105)
  /// The other side, or a reject rule in its name, refused.
  public static let connectionRefused = ErrorNumber(rawValue: 111)
  /// No route to host.
  public static let hostUnreachable = ErrorNumber(rawValue: 113)

  private static let names: [Int32: String] = [
    1: "EPERM", 2: "ENOENT", 3: "ESRCH", 11: "EAGAIN", 12: "ENOMEM", 13: "EACCES", 16: "EBUSY",
    17: "EEXIST", 19: "ENODEV", 21: "EISDIR", 22: "EINVAL", 24: "EMFILE", 25: "ENOTTY",
    28: "ENOSPC", 38: "ENOSYS", 87: "EUSERS", 90: "EMSGSIZE", 92: "ENOPROTOOPT",
    93: "EPROTONOSUPPORT", 95: "EOPNOTSUPP", 97: "EAFNOSUPPORT", 98: "EADDRINUSE",
    99: "EADDRNOTAVAIL", 101: "ENETUNREACH", 104: "ECONNRESET", 105: "ENOBUFS",
    110: "ETIMEDOUT", 111: "ECONNREFUSED", 113: "EHOSTUNREACH", 115: "EINPROGRESS",
  ]
}

extension ErrorNumber: CustomStringConvertible {
  /// The C name where it is a common one, else `errno 71`.
  public var description: String { ErrorNumber.names[rawValue] ?? "errno \(rawValue)" }
}
