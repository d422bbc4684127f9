import ConnectionReplay
public import HostFacts
import NetworkTypes

/// An open TCP connection, and for how long it has carried no data.
public struct SocketSilence: Hashable, Sendable {
  /// The connection's socket here.
  public var socket: HostSocket
  /// Milliseconds since data last went either way; keep-alive probes are none.
  public var silentMilliseconds: UInt32

  /// Every open TCP connection of the calling thread's namespace, both families.
  ///
  /// - Returns: those that are established or closed by the other end.
  /// - Throws: ``LinuxError/refused(operation:errno:)``.
  ///
  /// Source: `inet_sk_diag_fill`, `net/ipv4/inet_diag.c`; `tcp_get_info`, `net/ipv4/tcp.c`:
  /// `tcpi_last_data_sent` at 44 and `tcpi_last_data_recv` at 52, milliseconds.
  public static func allHere() throws(LinuxError) -> [SocketSilence] {
    let operation = "list TCP sockets with their times"
    var found: [SocketSilence] = []
    for family in Family.allCases {
      let replies = try KernelSocket.diagnose(operation) {
        $0.append(family.rawValue)
        $0.append(IPProtocol.tcp.rawValue)
        $0.append(UInt8(1 << 1))  // INET_DIAG_INFO 2
        $0.append(UInt8(0))
        $0.append(UInt32(1 << 1 | 1 << 8))  // established, close-wait
        for _ in 0..<6 { $0.append(UInt64(0)) }
      }
      for reply in replies ?? [] {
        guard let socket = HostSocket(reply, as: .tcp) else {
          throw .malformedReply(operation: operation)
        }
        guard let info = reply.attributes(after: 72)[2],
          let sent = info.number(UInt32.self, at: 44),
          let received = info.number(UInt32.self, at: 52)
        else { continue }
        found.append(SocketSilence(socket: socket, silentMilliseconds: min(sent, received)))
      }
    }
    return found
  }
}
