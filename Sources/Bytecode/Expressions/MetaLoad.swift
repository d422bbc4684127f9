/// What `meta` can load and set.
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
  /// Input interface hardware type, 2 bytes host order; breaks when there is none.
  case iiftype = 8
  /// Output interface hardware type, 2 bytes host order; breaks when there is none.
  case oiftype = 9
  /// Owner of the socket's file, 4 bytes host order; breaks without a full socket.
  case skuid = 10
  /// Group of the socket's file, 4 bytes host order; breaks without a full socket.
  case skgid = 11
  /// Whether the packet is traced, 1 byte; set only.
  case nftrace = 12
  /// Realm of the packet's route, 4 bytes host order.
  case rtclassid = 13
  /// Security mark of the packet, 4 bytes host order.
  case secmark = 14
  /// Family, 1 byte: 2 IPv4, 10 IPv6.
  case nfproto = 15
  /// Layer-4 protocol, 1 byte; breaks when the IPv6 header chain cannot be parsed.
  case l4proto = 16
  /// Name of the bridge the packet came in by, 16 bytes NUL padded.
  case ibrname = 17
  /// Name of the bridge the packet goes out by, 16 bytes NUL padded.
  case obrname = 18
  /// Packet type, 1 byte.
  case pkttype = 19
  /// Number of the CPU, 4 bytes host order.
  case cpu = 20
  /// Input interface group, 4 bytes host order; breaks when there is none.
  case iifgroup = 21
  /// Output interface group, 4 bytes host order; breaks when there is none.
  case oifgroup = 22
  /// Class id of the socket's cgroup (net_cls), 4 bytes host order.
  case cgroup = 23
  /// A random number, 4 bytes.
  case random = 24
  /// Whether the packet came through IPsec, 1 byte.
  case secpath = 25
  /// Kind of the input interface, 16 bytes NUL padded.
  case iifkind = 26
  /// Kind of the output interface, 16 bytes NUL padded.
  case oifkind = 27
  /// VLAN id of the input bridge port, 2 bytes host order.
  case ibrpvid = 28
  /// VLAN protocol of the input bridge, 2 bytes network order.
  case ibrvproto = 29
  /// Nanoseconds since 1970, 8 bytes host order.
  case time = 30
  /// Day of the week, 1 byte, 0 is Sunday.
  case day = 31
  /// Second of the day, 4 bytes host order.
  case hour = 32
  /// Index of the slave device, 4 bytes host order.
  case sdif = 33
  /// Name of the slave device, 16 bytes NUL padded.
  case sdifname = 34
  /// Whether a bridge gives the packet to the routing, 1 byte; set only.
  case broute = 35
  /// Hardware address of the input bridge, 6 bytes.
  case ibrhwaddr = 36

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
    case .iiftype: "iiftype"
    case .oiftype: "oiftype"
    case .skuid: "skuid"
    case .skgid: "skgid"
    case .nftrace: "nftrace"
    case .rtclassid: "rtclassid"
    case .secmark: "secmark"
    case .nfproto: "nfproto"
    case .l4proto: "l4proto"
    case .ibrname: "ibrname"
    case .obrname: "obrname"
    case .pkttype: "pkttype"
    case .cpu: "cpu"
    case .iifgroup: "iifgroup"
    case .oifgroup: "oifgroup"
    case .cgroup: "cgroup"
    case .random: "random"
    case .secpath: "secpath"
    case .iifkind: "iifkind"
    case .oifkind: "oifkind"
    case .ibrpvid: "ibrpvid"
    case .ibrvproto: "ibrvproto"
    case .time: "time"
    case .day: "day"
    case .hour: "hour"
    case .sdif: "sdif"
    case .sdifname: "sdifname"
    case .broute: "broute"
    case .ibrhwaddr: "ibrhwaddr"
    }
  }

  /// How many bytes the load writes.
  public var lengthBytes: Int {
    switch self {
    case .nftrace, .nfproto, .l4proto, .pkttype, .secpath, .day, .broute: 1
    case .protocol, .iiftype, .oiftype, .ibrpvid, .ibrvproto: 2
    case .ibrhwaddr: 6
    case .time: 8
    case .iifname, .oifname, .ibrname, .obrname, .iifkind, .oifkind, .sdifname: 16
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
