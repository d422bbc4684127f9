/// A process, as far as one may look.
public struct HostProcess: Hashable, Sendable, Codable, Comparable {
  /// The number in the reader's PID namespace.
  public var pid: Int32
  /// The name, at most 15 bytes; the process chooses it.
  public var name: String
  /// The path of its program; nil where that is not readable.
  public var program: String?
  /// The effective user in the reader's user namespace; nil where that is not readable.
  public var user: UInt32?

  /// Makes a process.
  public init(pid: Int32, name: String, program: String? = nil, user: UInt32? = nil) {
    self.pid = pid
    self.name = name
    self.program = program
    self.user = user
  }

  /// Orders by number.
  public static func < (left: HostProcess, right: HostProcess) -> Bool {
    (left.pid, left.name) < (right.pid, right.name)
  }
}
