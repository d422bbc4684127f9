import Glibc
import NetworkTypes

/// An address and a port as the socket calls take them.
///
/// Safe because the pointer that it lends is valid for the call and its length is the structure's.
@safe struct SocketAddress {
  private var v4 = sockaddr_in()
  private var v6 = sockaddr_in6()
  /// The family that the calls see.
  let family: Family

  /// - Parameters:
  ///   - address: either family.
  ///   - port: host order, 0 for any.
  ///   - scope: the link of a link-local IPv6 address, 0 for none.
  init(_ address: IPAddress, port: UInt16 = 0, scope: UInt32 = 0) {
    family = address.family
    switch address {
    case .v4(let bits):
      v4.sin_family = sa_family_t(AF_INET)
      v4.sin_port = port.bigEndian
      v4.sin_addr.s_addr = bits.bigEndian
    case .v6(let bits):
      v6.sin6_family = sa_family_t(AF_INET6)
      v6.sin6_port = port.bigEndian
      v6.sin6_scope_id = scope
      unsafe withUnsafeMutableBytes(of: &v6.sin6_addr) { bytes in
        unsafe bytes.storeBytes(of: bits.bigEndian, as: UInt128.self)
      }
    }
  }

  /// Any address of a family.
  init(any family: Family, port: UInt16 = 0) {
    self.init(family == .ipv4 ? .v4(0) : .v6(0), port: port)
  }

  /// The address inside.
  var address: IPAddress {
    switch family {
    case .ipv4: .v4(UInt32(bigEndian: v4.sin_addr.s_addr))
    case .ipv6:
      .v6(
        unsafe withUnsafeBytes(of: v6.sin6_addr) { bytes in
          UInt128(bigEndian: unsafe bytes.loadUnaligned(as: UInt128.self))
        })
    }
  }

  /// The port inside, host order.
  var port: UInt16 { UInt16(bigEndian: family == .ipv4 ? v4.sin_port : v6.sin6_port) }

  /// Lends the structure for one call.
  func lend<Value>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
    family == .ipv4 ? unsafe SocketAddress.lend(v4, body) : unsafe SocketAddress.lend(v6, body)
  }

  /// Lends the structure for one call that fills it in.
  mutating func fill<Value>(
    _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Value
  ) -> Value {
    family == .ipv4
      ? unsafe SocketAddress.fill(&v4, body) : unsafe SocketAddress.fill(&v6, body)
  }

  private static func lend<Structure, Value>(
    _ structure: Structure, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value
  ) -> Value {
    unsafe withUnsafePointer(to: structure) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bound in
        unsafe body(bound, socklen_t(MemoryLayout<Structure>.size))
      }
    }
  }

  private static func fill<Structure, Value>(
    _ structure: inout Structure,
    _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Value
  ) -> Value {
    var length = socklen_t(MemoryLayout<Structure>.size)
    return unsafe withUnsafeMutablePointer(to: &structure) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bound in
        unsafe body(bound, &length)
      }
    }
  }
}

extension SocketAddress: CustomStringConvertible {
  /// `192.0.2.1:53`, `[2001:db8::1]:53`.
  var description: String { family == .ipv4 ? "\(address):\(port)" : "[\(address)]:\(port)" }
}
