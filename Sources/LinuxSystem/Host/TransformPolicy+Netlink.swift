import ConnectionReplay
import HostFacts
import NetworkTypes

extension TransformPolicy {
  /// Every IPsec policy of the calling thread's namespace; none where the kernel has no IPsec.
  ///
  /// - Throws: ``LinuxError/refused(operation:errno:)``; reading them needs CAP_NET_ADMIN.
  static func all() throws(LinuxError) -> [TransformPolicy] {
    let operation = "list IPsec policies"
    let replies: [RouteReply]
    do throws(LinuxError) {
      let socket = try KernelSocket(.transform)
      // XFRM_MSG_GETPOLICY with struct xfrm_userpolicy_id, 64 bytes
      replies = try socket.exchange(operation, type: 0x15, flags: 0x300) { message in
        for _ in 0..<8 { message.append(UInt64(0)) }
      }
    } catch .refused(_, ErrorNumber(rawValue: 93)) {
      return []  // EPROTONOSUPPORT: no such bus
    }
    var policies: [TransformPolicy] = []
    for reply in replies {
      guard let policy = TransformPolicy(reply) else {
        throw .malformedReply(operation: operation)
      }
      policies.append(policy)
    }
    return policies
  }

  /// Reads one `XFRM_MSG_NEWPOLICY`; nil when it is something else or cut short.
  ///
  /// Source: `struct xfrm_userpolicy_info` and `struct xfrm_selector`, `linux/xfrm.h`.
  init?(_ reply: RouteReply) {
    let head = reply.payload
    guard reply.type == 0x13, let number = head.number(UInt16.self, at: 40),
      let destinationLength = head.number(UInt8.self, at: 42),
      let sourceLength = head.number(UInt8.self, at: 43),
      let direction = head.number(UInt8.self, at: 160),
      let action = head.number(UInt8.self, at: 161)
    else { return nil }
    // A selector without a family selects everything.
    let size = number == 2 ? 4 : 16
    guard let destination = IPAddress(networkOrderBytes: head.prefix(size)),
      let source = IPAddress(networkOrderBytes: head.dropFirst(16).prefix(size))
    else { return nil }
    self.init(
      direction: direction, action: action, source: source, sourcePrefixLength: sourceLength,
      destination: destination, destinationPrefixLength: destinationLength)
  }
}
