import ConnectionReplay
public import HostFacts
import NetworkTypes

/// Ends conversations of the calling thread's network namespace, or makes conntrack know them.
///
/// Rules let a known flow go on. After a policy was tightened, that is the flow that must end; before
/// rules come to a host whose conntrack was idle, it is the flow that must become known.
public enum FlowEnder {
  /// Destroys a connected socket, as its process would see an aborted connection.
  ///
  /// TCP tells the other end by a reset. The socket's process reads ECONNABORTED.
  ///
  /// - Returns: whether it was there.
  /// - Throws: ``LinuxError/refused(operation:errno:)``; needs CAP_NET_ADMIN. EOPNOTSUPP where the
  ///   kernel cannot (CONFIG_INET_DIAG_DESTROY).
  ///
  /// Source: `inet_diag_handler_cmd`, `net/ipv4/inet_diag.c`: `SOCK_DESTROY` 21.
  public static func destroy(_ socket: HostSocket) throws(LinuxError) -> Bool {
    do throws(LinuxError) {
      _ = try KernelSocket(.sockets).exchange(
        "destroy a \(socket.ipProtocol) socket", type: 21, flags: 4
      ) { message in
        // struct inet_diag_req_v2: every state, the ends in network order, any cookie.
        message.append(socket.localAddress.family.rawValue)
        message.append(socket.ipProtocol.rawValue)
        message.append(UInt16(0))
        message.append(UInt32.max)
        message.append(socket.localPort.bigEndian)
        message.append(socket.remotePort.bigEndian)
        for address in [socket.localAddress, socket.remoteAddress] {
          let bytes = address.networkOrderBytes
          for byte in bytes + [UInt8](repeating: 0, count: 16 - bytes.count) {
            message.append(byte)
          }
        }
        message.append(UInt32(bitPattern: socket.link ?? 0))
        message.append(UInt64.max)
      }
      return true
    } catch .refused(_, .noSuchFile) {
      return false
    }
  }

  /// Makes conntrack forget conversations, so that their next packet is one of a new flow.
  ///
  /// The entries are listed anew, and deleted by the number that the kernel gave them.
  ///
  /// - Parameter entries: the ones to forget; their ends and zone count, the rest may have moved on.
  /// - Returns: how many were there.
  /// - Throws: ``LinuxError/refused(operation:errno:)``; needs CAP_NET_ADMIN.
  ///
  /// O(tracked conversations). Source: `ctnetlink_del_conntrack`: `IPCTNL_MSG_CT_DELETE` 2.
  public static func forget(_ entries: [ConntrackEntry]) throws(LinuxError) -> Int {
    if entries.isEmpty { return 0 }
    let wanted = Set(entries.map(ConntrackEnds.init))
    let socket = try KernelSocket(.netfilter)
    var count = 0
    for reply in try ConntrackEntry.replies() {
      guard let entry = ConntrackEntry(reply), wanted.contains(ConntrackEnds(entry)) else {
        continue
      }
      // The tuple goes back byte for byte: CTA_TUPLE_ORIG 1, CTA_ZONE 18, CTA_ID 12.
      let attributes = reply.attributes(after: 4)
      do throws(LinuxError) {
        _ = try socket.exchange("forget a tracked connection", type: 1 << 8 | 2, flags: 4) {
          $0.append(entry.original.source.family.rawValue)
          for _ in 0..<3 { $0.append(UInt8(0)) }
          for (number, flag) in [(1, 0x8000), (18, 0), (12, 0)] {
            if let bytes = attributes[number] { $0.attribute(number | flag, Array(bytes)) }
          }
        }
        count += 1
      } catch .refused(_, .noSuchFile) {
        // It ended by itself.
      }
    }
    return count
  }

  /// Makes conntrack know an open TCP connection, as established and answered.
  ///
  /// - Parameters:
  ///   - original: the ends, as the first packet had them.
  ///   - isClosing: whether the other end has closed its side, `TCP_CLOSE_WAIT`.
  /// - Returns: false when it was known already.
  /// - Throws: ``LinuxError/refused(operation:errno:)``; needs CAP_NET_ADMIN.
  ///
  /// Source: `ctnetlink_create_conntrack`: `IPCTNL_MSG_CT_NEW` 0.
  public static func track(
    _ original: ConntrackTuple, isClosing: Bool = false
  ) throws(LinuxError) -> Bool {
    let reply = ConntrackTuple(
      source: original.destination, destination: original.source,
      sourcePort: original.destinationPort, destinationPort: original.sourcePort)
    do throws(LinuxError) {
      // NLM_F_CREATE, NLM_F_EXCL, NLM_F_ACK.
      _ = try KernelSocket(.netfilter).exchange(
        "track an open connection", type: 1 << 8, flags: 0x604
      ) { message in
        message.append(original.source.family.rawValue)
        for _ in 0..<3 { message.append(UInt8(0)) }
        message.tuple(1, original)
        message.tuple(2, reply)
        // IPS_SEEN_REPLY, IPS_ASSURED, IPS_CONFIRMED; five days, as for any established connection.
        message.attribute(3, number: UInt32(14).bigEndian)
        message.attribute(7, number: UInt32(432_000).bigEndian)
        // CTA_PROTOINFO 4, CTA_PROTOINFO_TCP 1, its state 1: established 3, close wait 5.
        message.nested(4 | 0x8000) { info in
          info.nested(1 | 0x8000) { $0.attribute(1, number: UInt8(isClosing ? 5 : 3)) }
        }
      }
      return true
    } catch .refused(_, ErrorNumber(rawValue: 17)) {
      return false
    }
  }
}

/// What tells one tracked conversation from every other.
private struct ConntrackEnds: Hashable {
  var ipProtocol: IPProtocol
  var original: ConntrackTuple
  var reply: ConntrackTuple
  var zone: UInt16

  init(_ entry: ConntrackEntry) {
    ipProtocol = entry.ipProtocol
    original = entry.original
    reply = entry.reply
    zone = entry.zone
  }
}

extension RouteMessage {
  /// `CTA_TUPLE_IP` 1 and `CTA_TUPLE_PROTO` 2 of a TCP connection.
  fileprivate mutating func tuple(_ number: Int, _ ends: ConntrackTuple) {
    let isV4 = ends.source.family == .ipv4
    nested(number | 0x8000) { tuple in
      tuple.nested(1 | 0x8000) {
        $0.attribute(isV4 ? 1 : 3, ends.source.networkOrderBytes)
        $0.attribute(isV4 ? 2 : 4, ends.destination.networkOrderBytes)
      }
      tuple.nested(2 | 0x8000) {
        $0.attribute(1, number: IPProtocol.tcp.rawValue)
        $0.attribute(2, number: (ends.sourcePort ?? 0).bigEndian)
        $0.attribute(3, number: (ends.destinationPort ?? 0).bigEndian)
      }
    }
  }
}
