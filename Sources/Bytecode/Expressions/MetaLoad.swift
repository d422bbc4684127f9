/// What `meta` can load.
///
/// Source: `enum nft_meta_keys`, `linux/netfilter/nf_tables.h`.
public enum MetaKey: UInt32, Hashable, Sendable, CaseIterable {
  /// Packet length, 4 bytes host order.
  case length = 0
  /// Ethertype, 2 bytes network order.
  case `protocol` = 1
  /// Packet priority, 4 bytes host order.
  case priority = 2
  /// Packet mark, 4 bytes host order.
  case mark = 3
  /// Input interface index, 4 bytes host order; 0 when there is none.
  case iif = 4
  /// Output interface index, 4 bytes host order; 0 when there is none.
  case oif = 5
  /// Input interface name, 16 bytes NUL padded; all zero when there is none.
  case iifname = 6
  /// Output interface name, 16 bytes NUL padded; all zero when there is none.
  case oifname = 7
  /// Owner of the socket's file, 4 bytes host order; breaks without a full socket.
  case skuid = 10
  /// Group of the socket's file, 4 bytes host order; breaks without a full socket.
  case skgid = 11
  /// Whether the packet is traced; set only.
  case nftrace = 12
  /// Family, 1 byte: 2 IPv4, 10 IPv6.
  case nfproto = 15
  /// Layer-4 protocol, 1 byte; breaks when the IPv6 header chain cannot be parsed.
  case l4proto = 16
  /// Packet type, 1 byte.
  case pkttype = 19

  /// The word nft(8) uses after `meta`.
  public var keyword: String {
    switch self {
    case .length: "length"
    case .protocol: "protocol"
    case .priority: "priority"
    case .mark: "mark"
    case .iif: "iif"
    case .oif: "oif"
    case .iifname: "iifname"
    case .oifname: "oifname"
    case .skuid: "skuid"
    case .skgid: "skgid"
    case .nftrace: "nftrace"
    case .nfproto: "nfproto"
    case .l4proto: "l4proto"
    case .pkttype: "pkttype"
    }
  }

  /// How many bytes the load writes.
  public var lengthBytes: Int {
    switch self {
    case .nfproto, .l4proto, .pkttype, .nftrace: 1
    case .protocol: 2
    case .iifname, .oifname: 16
    default: 4
    }
  }
}

/// Loads packet meta data into a register.
///
/// Source: `nft_meta_get_eval`, `net/netfilter/nft_meta.c`.
/// Example: `meta l4proto` is `MetaLoad(.l4proto, into: Register(word: 0))`.
public struct MetaLoad: Hashable, Sendable {
  /// What to load.
  public var key: MetaKey
  /// Where to.
  public var destination: Register

  /// Makes a load.
  public init(_ key: MetaKey, into destination: Register) {
    self.key = key
    self.destination = destination
  }
}

/// Sets packet meta data from a register.
///
/// Source: `nft_meta_set_eval`, `net/netfilter/nft_meta.c`.
public struct MetaSet: Hashable, Sendable {
  /// What to set.
  public var key: MetaKey
  /// Where from.
  public var source: Register

  /// Makes a store.
  public init(_ key: MetaKey, from source: Register) {
    self.key = key
    self.source = source
  }
}
