import Glibc
public import LinuxSystem
public import NetworkTypes

/// What the tests plant in namespaces of their own.
public enum HostPlant {
  /// What could not be planted.
  public struct Failed: Error {
    var what: String

    /// Names it.
    public init(what: String) { self.what = what }
  }

  /// Whether this process is root of the whole machine, and not of a user namespace only.
  public static let isMachineRoot: Bool = {
    let map = try? BoundedFile.read("/proc/self/uid_map", limitBytes: 65_536)
    return getuid() == 0 && String(decoding: map ?? [], as: UTF8.self).contains("4294967295")
  }()

  /// Runs a command in the calling thread's namespace, which must not be the machine's own.
  public static func run(_ command: String) throws {
    try NetworkNamespace.assertThrowAway()
    let line = "PATH=$PATH:/usr/sbin:/sbin; \(command)"
    guard unsafe system(line) == 0 else { throw Failed(what: command) }
  }

  /// Opens a socket in the calling thread's namespace; the caller closes it.
  public static func socket(_ family: Int32, _ type: UInt32, _ number: Int32) throws -> Int32 {
    try NetworkNamespace.assertThrowAway()
    let descriptor = Glibc.socket(family, Int32(type | SOCK_CLOEXEC.rawValue), number)
    guard descriptor >= 0 else { throw Failed(what: "socket: errno \(errno)") }
    return descriptor
  }

  /// A TCP socket that listens.
  public static func listener(_ address: IPAddress, port: UInt16) throws -> Int32 {
    let descriptor = try bound(address, port: port, SOCK_STREAM.rawValue)
    guard listen(descriptor, 1) == 0 else { throw Failed(what: "listen: errno \(errno)") }
    return descriptor
  }

  /// A socket with an address of its own.
  public static func bound(_ address: IPAddress, port: UInt16, _ type: UInt32) throws -> Int32 {
    let family = address.family == .ipv4 ? AF_INET : AF_INET6
    let descriptor = try socket(family, type, 0)
    try bind(descriptor, address, port: port)
    return descriptor
  }

  /// Gives a socket an address of its own.
  public static func bind(_ descriptor: Int32, _ address: IPAddress, port: UInt16) throws {
    let status = unsafe withAddress(address, port) { unsafe Glibc.bind(descriptor, $0, $1) }
    guard status == 0 else { throw Failed(what: "bind: errno \(errno)") }
  }

  /// Connects a socket.
  public static func connect(_ descriptor: Int32, to address: IPAddress, port: UInt16) throws {
    let status = unsafe withAddress(address, port) { unsafe Glibc.connect(descriptor, $0, $1) }
    guard status == 0 else { throw Failed(what: "connect: errno \(errno)") }
  }

  /// Sends one byte.
  public static func send(_ descriptor: Int32, to address: IPAddress, port: UInt16) throws {
    let count = unsafe withAddress(address, port) { pointer, length in
      unsafe sendto(descriptor, [7] as [UInt8], 1, 0, pointer, length)
    }
    guard count == 1 else { throw Failed(what: "send: errno \(errno)") }
  }

  /// A pair of links with one end in another namespace.
  public static func pair(_ here: String, _ there: String, in other: NetworkNamespace) throws {
    try run(
      "ip link add \(here) type veth peer name \(there) netns /proc/\(getpid())/fd/\(try number(of: other))"
    )
  }

  /// Makes the kernel register a table of iptables-legacy, as asking for it by name does.
  ///
  /// Source: `get_info`, `net/ipv4/netfilter/ip_tables.c`: `IPT_SO_GET_INFO` 64.
  public static func legacyTable(_ name: String) throws {
    let descriptor = try socket(AF_INET, SOCK_RAW.rawValue, Int32(IPPROTO_RAW))
    defer { close(descriptor) }
    var information = Array(name.utf8) + [UInt8](repeating: 0, count: 84 - name.utf8.count)
    var length = socklen_t(information.count)
    guard unsafe getsockopt(descriptor, 0, 64, &information, &length) == 0 else {
      throw Failed(what: "legacy table: errno \(errno)")
    }
  }

  /// A descriptor of this process that is the namespace.
  public static func number(of namespace: NetworkNamespace) throws -> Int32 {
    for number in Int32(3)..<1024 {
      var status = stat()
      if unsafe fstat(number, &status) == 0, UInt64(status.st_ino) == namespace.identity.inode,
        UInt64(status.st_dev) == namespace.identity.device
      {
        return number
      }
    }
    throw Failed(what: "no descriptor of the namespace")
  }

  private static func withAddress<Value>(
    _ address: IPAddress, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value
  ) -> Value {
    var bytes = [UInt8](repeating: 0, count: address.family == .ipv4 ? 16 : 28)
    bytes[0] = address.family == .ipv4 ? 2 : 10
    bytes[2] = UInt8(port >> 8)
    bytes[3] = UInt8(port & 0xff)
    let start = address.family == .ipv4 ? 4 : 8
    bytes.replaceSubrange(
      start..<start + address.networkOrderBytes.count, with: address.networkOrderBytes)
    let length = socklen_t(bytes.count)
    return unsafe bytes.withUnsafeBytes { buffer in
      unsafe buffer.withMemoryRebound(to: sockaddr.self) { rebound in
        guard let start = rebound.baseAddress else { preconditionFailure("an address has bytes") }
        return unsafe body(start, length)
      }
    }
  }
}
