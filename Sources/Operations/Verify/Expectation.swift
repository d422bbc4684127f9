import Bytecode
import ConnectionReplay
import NetworkTypes
import PolicyLanguage
import PolicyMeaning

/// What the reference meaning says about one probe.
struct Expectation: Hashable {
  /// The decision and its clause.
  var ruling: Ruling
  /// The conntrack state of the packet when it reaches the rules; nil when it never does, because
  /// the kernel holds a lone fragment back until the rest comes.
  var state: ConntrackState?
}

extension Policy {
  /// The reference's answer for a probe, in the terms of a single packet without a known flow.
  ///
  /// Conntrack checks the sums of what is forwarded only: those of UDP-Lite with the number of UDP,
  /// and those of source routes with the next stop as the destination.
  func expectation(
    for probe: Probe, names: NameAnswers, _ scope: VerifiedScope = .host
  ) -> Expectation {
    if scope == .interface, probe.hasForeignSum {
      return Expectation(ruling: Ruling(.deny, clause: "no-flow"), state: .invalid)
    }
    var packet = LonePacket(flow: probe.flow)
    var state = ConntrackState.new
    switch probe.flow.ipProtocol {
    case .tcp: packet.tcpFlags = TCPFlags.syn.rawValue
    case .icmpv6: packet.icmpv6Type = 128
    default: break
    }
    switch probe.shape {
    case .plain, .looseSourceRoute, .atomicFragment:
      break
    case .flags(let flags):
      packet.tcpFlags = flags.rawValue
      state = flags.isTrackable ? .new : .invalid
    case .truncated:
      packet.piece = .malformed
      state = .invalid
    case .firstFragment, .laterFragment:
      return Expectation(ruling: Ruling(.deny, clause: "fragment"), state: nil)
    case .firstFragmentUnassembled, .laterFragmentUnassembled:
      // Conntrack calls both invalid: a first fragment is shorter than its header says.
      packet.piece = .fragment
      state = .invalid
    case .controlMessage(let type, let hopLimit):
      packet.icmpv6Type = type
      packet.hopLimit = hopLimit
      state = Self.untrackedControl.contains(type) ? .untracked : .invalid
    case .extensionHeader(let header):
      packet.hasRoutingHeader = header.isRouting
      if header == .authentication { packet.flow.ipProtocol = .ah }
    }
    if packet.flow.isMisplacedICMP { state = .invalid }
    return Expectation(ruling: decision(for: packet, names: names), state: state)
  }
}

extension Probe {
  /// Whether conntrack takes its sum for wrong where it looks at sums.
  ///
  /// Source: `udplite_error`, `net/netfilter/nf_conntrack_proto_udp.c`.
  fileprivate var hasForeignSum: Bool {
    let isLite = flow.ipProtocol == .udplite && flow.direction == .outbound
    switch shape {
    case .extensionHeader(let header): return isLite || header.isRouting
    case .plain, .atomicFragment: return isLite
    default: return false
    }
  }
}

extension Policy {
  /// ICMPv6 types that the kernel never tracks.
  ///
  /// Source: `noct_valid_new`, `net/netfilter/nf_conntrack_proto_icmpv6.c`.
  fileprivate static var untrackedControl: Set<UInt8> {
    [130, 131, 132, 133, 134, 135, 136, 143, 151, 152]
  }
}

extension IPv6ExtensionHeader {
  fileprivate var isRouting: Bool {
    switch self {
    case .sourceRoute, .mobility, .segmentRouting: true
    case .hopByHop, .destinationOptions, .authentication: false
    }
  }
}

extension TCPFlags {
  /// Whether conntrack makes a flow of a first segment with these flags.
  ///
  /// A SYN does, and with the loose pick-up that is the default a bare ACK or FIN with ACK does.
  /// Source: the table for state "none" in `net/netfilter/nf_conntrack_proto_tcp.c`.
  fileprivate var isTrackable: Bool {
    switch intersection([.fin, .syn, .rst, .ack]) {
    case .syn, .ack, [.fin, .ack]: true
    default: false
    }
  }
}
