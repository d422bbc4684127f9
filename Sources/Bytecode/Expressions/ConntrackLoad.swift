/// What `ct` can load and set.
///
/// Source: `enum nft_ct_keys`, `linux/netfilter/nf_tables.h`.
public enum ConntrackKey: UInt32, Hashable, Sendable, CaseIterable {
  /// State as one bit, 4 bytes host order; see ``ConntrackState``.
  case state = 0
  /// Direction of the packet in its flow, 1 byte: 0 original, 1 reply.
  case direction = 1
  /// Status bits, 4 bytes host order.
  case status = 2
  /// Mark of the flow, 4 bytes host order.
  case mark = 3
  /// Security mark of the flow, 4 bytes host order.
  case secmark = 4
  /// Milliseconds until the flow expires, 4 bytes host order.
  case expiration = 5
  /// Name of the flow's helper, 16 bytes.
  case helper = 6
  /// Family of the flow, 1 byte.
  case l3protocol = 7
  /// Source address, of the flow's own family; needs a direction.
  case source = 8
  /// Destination address, of the flow's own family; needs a direction.
  case destination = 9
  /// Layer-4 protocol, 1 byte.
  case `protocol` = 10
  /// Source port, 2 bytes network order; needs a direction.
  case sourcePort = 11
  /// Destination port, 2 bytes network order; needs a direction.
  case destinationPort = 12
  /// Label bits, 16 bytes host order.
  case labels = 13
  /// Packets counted, 8 bytes host order.
  case packets = 14
  /// Bytes counted, 8 bytes host order.
  case bytes = 15
  /// Mean packet length, 8 bytes host order.
  case averagePacket = 16
  /// Zone, 2 bytes host order.
  case zone = 17
  /// Which events are told, 4 bytes host order; set only.
  case eventMask = 18
  /// IPv4 source address, 4 bytes; needs a direction.
  case sourceIPv4 = 19
  /// IPv4 destination address, 4 bytes; needs a direction.
  case destinationIPv4 = 20
  /// IPv6 source address, 16 bytes; needs a direction.
  case sourceIPv6 = 21
  /// IPv6 destination address, 16 bytes; needs a direction.
  case destinationIPv6 = 22
  /// Id of the flow, 4 bytes host order.
  case id = 23

  /// The word `nft --debug=netlink` uses; nft(8)'s own for the first four.
  public var keyword: String {
    switch self {
    case .state: "state"
    case .direction: "direction"
    case .status: "status"
    case .mark: "mark"
    case .secmark: "secmark"
    case .expiration: "expiration"
    case .helper: "helper"
    case .l3protocol: "l3protocol"
    case .source: "src"
    case .destination: "dst"
    case .protocol: "protocol"
    case .sourcePort: "proto_src"
    case .destinationPort: "proto_dst"
    case .labels: "label"
    case .packets: "packets"
    case .bytes: "bytes"
    case .averagePacket: "avgpkt"
    case .zone: "zone"
    case .eventMask: "event"
    case .sourceIPv4: "src_ip"
    case .destinationIPv4: "dst_ip"
    case .sourceIPv6: "src_ip6"
    case .destinationIPv6: "dst_ip6"
    case .id: "id"
    }
  }

  /// How many bytes the load writes; for the addresses of the flow's own family at most.
  public var lengthBytes: Int {
    switch self {
    case .direction, .l3protocol, .protocol: 1
    case .sourcePort, .destinationPort, .zone: 2
    case .packets, .bytes, .averagePacket: 8
    case .helper, .source, .destination, .labels, .sourceIPv6, .destinationIPv6: 16
    default: 4
    }
  }
}

/// The bit that `ct state` loads; exactly one is set.
///
/// Source: `NF_CT_STATE_BIT`, `linux/netfilter/nf_conntrack_common.h`.
public enum ConntrackState: UInt32, Hashable, Sendable, CaseIterable {
  /// No entry fits: a stray or malformed packet, or conntrack is off.
  case invalid = 1
  /// A flow that has seen packets in both directions.
  case established = 2
  /// An ICMP error or a helper's expectation of a known flow.
  case related = 4
  /// The first packet of a flow, or any before a reply.
  case new = 8
  /// Exempt from tracking: IPv6 neighbour discovery and MLD always are.
  case untracked = 64

  /// The word nft(8) uses.
  public var keyword: String {
    switch self {
    case .invalid: "invalid"
    case .established: "established"
    case .related: "related"
    case .new: "new"
    case .untracked: "untracked"
    }
  }
}

/// Loads conntrack data of the packet's flow; every key but the state breaks without a flow.
///
/// Source: `nft_ct_get_eval`, `net/netfilter/nft_ct.c`.
public struct ConntrackLoad: Hashable, Sendable {
  /// What to load.
  public var key: ConntrackKey
  /// Of which direction: 0 original, 1 reply; nil where that makes no difference.
  public var direction: UInt8?
  /// Where to.
  public var destination: Register

  /// Makes a load.
  public init(
    _ key: ConntrackKey, direction: UInt8? = nil, into destination: Register
  ) {
    self.key = key
    self.direction = direction
    self.destination = destination
  }
}

/// Sets conntrack data of the packet's flow; nothing happens without a flow.
///
/// Source: `nft_ct_set_eval`, `nft_ct_set_zone_eval`, `net/netfilter/nft_ct.c`.
public struct ConntrackSet: Hashable, Sendable {
  /// What to set.
  public var key: ConntrackKey
  /// Of which direction, for a zone: 0 original, 1 reply; nil for both.
  public var direction: UInt8?
  /// Where from.
  public var source: Register

  /// Makes it.
  public init(
    _ key: ConntrackKey, direction: UInt8? = nil, from source: Register
  ) {
    self.key = key
    self.direction = direction
    self.source = source
  }
}
