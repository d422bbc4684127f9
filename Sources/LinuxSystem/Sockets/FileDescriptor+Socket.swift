import CLinux
import ConnectionReplay
import Glibc
import NetworkTypes

/// The kinds of socket that this module opens.
enum SocketKind {
  case stream
  case datagram
  case raw(Int32)
}

extension FileDescriptor {
  /// Opens a socket in the calling thread's network namespace; never blocks unless said so.
  static func socket(
    _ family: Family, _ kind: SocketKind, isBlocking: Bool = false
  ) throws(LinuxError) -> FileDescriptor {
    var type: UInt32
    var number: Int32 = 0
    switch kind {
    case .stream: type = SOCK_STREAM.rawValue
    case .datagram: type = SOCK_DGRAM.rawValue
    case .raw(let ipProtocol):
      type = SOCK_RAW.rawValue
      number = ipProtocol
    }
    type |= SOCK_CLOEXEC.rawValue | (isBlocking ? 0 : SOCK_NONBLOCK.rawValue)
    let domain = Int32(family.rawValue)
    return FileDescriptor(
      owning: try checked("open a socket") { Glibc.socket(domain, Int32(type), number) })
  }

  /// Sets a socket option that is a whole number.
  func set(_ level: Int32, _ option: Int32, to value: Int32 = 1) throws(LinuxError) {
    var value = value
    let number = self.number
    _ = try checked("set socket option \(level)/\(option)") {
      unsafe setsockopt(number, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
  }

  /// Gives the socket its own address and port.
  func bind(to address: SocketAddress) throws(LinuxError) {
    let number = self.number
    _ = try checked("bind \(address)") {
      unsafe address.lend { unsafe Glibc.bind(number, $0, $1) }
    }
  }

  /// The socket's own address and port.
  func localAddress(_ family: Family) throws(LinuxError) -> SocketAddress {
    var address = SocketAddress(any: family)
    let number = self.number
    _ = try checked("read a socket's address") {
      unsafe address.fill { unsafe getsockname(number, $0, $1) }
    }
    return address
  }

  /// The error that waits on the socket, nil for none.
  func pendingError() -> ErrorNumber? {
    var code: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    let status = unsafe getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &length)
    return status == 0 && code == 0 ? nil : ErrorNumber(rawValue: code)
  }
}

/// Numbers of the option levels that Swift's Glibc does not import as numbers.
enum SocketLevel {
  static let ipv4: Int32 = 0
  static let ipv6: Int32 = 41
  static let packet: Int32 = 263

  /// The level of a family's own options.
  static func of(_ family: Family) -> Int32 { family == .ipv4 ? ipv4 : ipv6 }
}
