/// What `ct` can load.
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

  /// The word nft(8) uses after `ct`.
  public var keyword: String {
    switch self {
    case .state: "state"
    case .direction: "direction"
    case .status: "status"
    case .mark: "mark"
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
  /// Where to.
  public var destination: Register

  /// Makes a load.
  public init(_ key: ConntrackKey, into destination: Register) {
    self.key = key
    self.destination = destination
  }
}
