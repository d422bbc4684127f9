import Glibc
import LinuxSystem
import NetworkTypes
import TestSupport

/// A conversation over the loopback whose both ends this process has open.
final class OpenFlow {
  let text: String
  private let client: Int32
  private let server: Int32

  /// Opens it in the calling thread's namespace, or between two others.
  ///
  /// - Parameters:
  ///   - address: the far end's.
  ///   - port: the far end's.
  ///   - type: `SOCK_STREAM` or `SOCK_DGRAM`.
  ///   - own: the near end's address; nil for the same.
  ///   - near: where the near end is; nil for here.
  ///   - far: where the far end is; nil for here.
  /// - Throws: when an end cannot be made.
  init(
    _ address: IPAddress, _ port: UInt16, _ type: UInt32, from own: IPAddress? = nil,
    in near: NetworkNamespace? = nil, to far: NetworkNamespace? = nil
  ) throws {
    let family = address.family == .ipv4 ? AF_INET : AF_INET6
    let here = try NetworkNamespace.current()
    let near = near ?? here
    let far = far ?? here
    let client = try near.run { try HostPlant.socket(family, type, 0) }
    self.client = client
    if type == SOCK_STREAM.rawValue {
      let listener = try far.run { try HostPlant.listener(address, port: port) }
      defer { close(listener) }
      try near.run { try HostPlant.connect(client, to: address, port: port) }
      server = accept(listener, nil, nil)
    } else {
      // Both ends connected, and answered once: conntrack knows it as a flow.
      let ownPort: UInt16 = 40_000 + port
      let server = try far.run { try HostPlant.bound(address, port: port, type) }
      self.server = server
      try near.run {
        try HostPlant.bind(client, own ?? address, port: ownPort)
        try HostPlant.connect(client, to: address, port: port)
      }
      try far.run { try HostPlant.connect(server, to: own ?? address, port: ownPort) }
    }
    let host = address.family == .ipv4 ? "\(address)" : "[\(address)]"
    text = "\(type == SOCK_STREAM.rawValue ? "tcp" : "udp") from \(host):"
    for descriptor in [client, server] {
      var limit = timeval(tv_sec: 0, tv_usec: 200_000)
      _ = unsafe setsockopt(
        descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }
    if type != SOCK_STREAM.rawValue { _ = isAlive() }
  }

  deinit {
    close(client)
    close(server)
  }

  /// Whether a byte gets across, each way, within 0.2 s.
  func isAlive() -> Bool { crosses(client, server) && crosses(server, client) }

  /// Whether the near end was told that its connection is over.
  var isReset: Bool {
    var byte: UInt8 = 7
    return unsafe send(client, &byte, 1, Int32(MSG_NOSIGNAL)) < 0
      && [EPIPE, ECONNRESET, ECONNABORTED].contains(errno)
  }

  /// Whether a byte gets from the far end to the near one within 0.2 s.
  func hears() -> Bool { crosses(server, client) }

  private func crosses(_ from: Int32, _ to: Int32) -> Bool {
    var byte: UInt8 = 7
    guard unsafe send(from, &byte, 1, Int32(MSG_NOSIGNAL)) == 1 else { return false }
    return unsafe recv(to, &byte, 1, 0) == 1
  }
}
