import Bytecode
import NetworkTypes

extension PacketContext {
  /// States what conntrack makes of the packet when it belongs to no flow that is known.
  ///
  /// Sets the state, the direction, status and mark, and that the packet is the first of its flow.
  /// What depends on how the kernel was built or on more than one packet (SCTP, DCCP, PPTP) stays unknown.
  ///
  /// - Parameter isLoose: whether flows may be picked up in the middle,
  ///   `net.netfilter.nf_conntrack_tcp_loose`, 1 by default.
  ///
  /// Source: `nf_conntrack_in`, `net/netfilter/nf_conntrack_core.c`, and the protocol's file.
  /// Example: a TCP SYN is new; a SYN with ACK is invalid.
  public mutating func trackAsFirst(isLoose: Bool = true) {
    ctState = firstState(isLoose: isLoose)
    let hasEntry = ctState == .new
    isFirstOfFlow = ctState == nil ? .unknown : hasEntry ? .known(true) : .absent
    ctDirection = ctState == nil ? .unknown : hasEntry ? .known(0) : .absent
    ctStatus = ctState == nil ? .unknown : hasEntry ? .known(0) : .absent
    ctMark = ctStatus
    flow = .unknown
  }

  private func firstState(isLoose: Bool) -> ConntrackState? {
    // Fragments come here only past reassembly, by `IP_NODEFRAG`, and are not tracked.
    if family == .ipv4, bytes.count >= 20, bytes[6] & 0x3f != 0 || bytes[7] != 0 {
      return .invalid
    }
    guard let headers = TrackedHeaders(bytes, family) else { return .invalid }
    if headers.ipProtocol == 33 { return nil }
    guard FlowDirection(bytes, family) != nil else { return .invalid }
    let start = headers.offset
    let count = bytes.count - start
    switch headers.ipProtocol {
    case 1 where family == .ipv4:
      return [8, 13, 15, 17].contains(bytes[start]) ? .new : .invalid
    case 58 where family == .ipv6:
      switch bytes[start] {
      case 130...136, 143, 151, 152: return .untracked
      case 128, 139: return .new
      default: return .invalid
      }
    case 6: return tcpState(start, count, isLoose)
    case 17:
      guard count >= 8 else { return .invalid }
      let length = Int(bytes[start + 4]) << 8 | Int(bytes[start + 5])
      return length >= 8 && length <= count ? .new : .invalid
    case 136:
      guard count >= 8, bytes[start + 6] != 0 || bytes[start + 7] != 0 else { return .invalid }
      let covered = Int(bytes[start + 4]) << 8 | Int(bytes[start + 5])
      return covered == 0 || (8...count).contains(covered) ? .new : .invalid
    case 47: return count >= 4 && bytes[start + 1] & 7 == 1 ? nil : .new
    case 132: return nil
    default: return .new
    }
  }

  /// Source: `tcp_error`, `tcp_new`, `net/netfilter/nf_conntrack_proto_tcp.c`.
  private func tcpState(_ start: Int, _ count: Int, _ isLoose: Bool) -> ConntrackState {
    guard count >= 20 else { return .invalid }
    let length = Int(bytes[start + 12] >> 4) * 4
    guard length >= 20, length <= count else { return .invalid }
    // Without CWR, ECE and PSH.
    switch bytes[start + 13] & 0x37 {
    case 0x02, 0x22: return .new
    case 0x10, 0x30: return isLoose ? .new : .invalid
    default: return .invalid
    }
  }
}
