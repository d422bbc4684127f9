/// The data types of nft 1.0.6: number, word, bytes of a value (0 when any), byte order.
///
/// Source: `enum datatypes`, nftables 1.0.6 `include/datatype.h`, and the definitions that
/// `src/datatype.c`, `src/proto.c`, `src/meta.c`, `src/ct.c`, `src/rt.c`, `src/fib.c` hold.
enum KeyTypeTable {
  /// nft's `enum byteorder`.
  enum ByteOrder: UInt32 {
    case none = 0
    case host = 1
    case network = 2
  }

  typealias Entry = (keyword: String, lengthBytes: Int, order: ByteOrder)

  /// The type of a number, if nft knows it.
  static func entry(_ number: UInt32) -> Entry? {
    number < entries.count ? entries[Int(number)] : nil
  }

  private static let entries: [Entry] = [
    ("invalid", 0, .none), ("verdict", 0, .none), ("nf_proto", 1, .none), ("bitmask", 0, .none),
    ("integer", 4, .network), ("string", 0, .none), ("ll_addr", 0, .none),
    ("ipv4_addr", 4, .network), ("ipv6_addr", 16, .network), ("ether_addr", 6, .network),
    ("ether_type", 2, .network), ("arp_op", 2, .network), ("inet_proto", 1, .network),
    ("inet_service", 2, .network), ("icmp_type", 1, .network), ("tcp_flag", 1, .network),
    ("dccp_pkttype", 1, .network), ("mh_type", 1, .network), ("time", 8, .host),
    ("mark", 4, .host), ("iface_index", 4, .host), ("iface_type", 2, .host), ("realm", 4, .host),
    ("classid", 4, .host), ("uid", 4, .host), ("gid", 4, .host), ("ct_state", 4, .host),
    ("ct_dir", 1, .none), ("ct_status", 4, .host), ("icmpv6_type", 1, .network),
    ("ct_label", 16, .host), ("pkt_type", 1, .host), ("icmp_code", 1, .network),
    ("icmpv6_code", 1, .network), ("icmpx_code", 1, .network), ("devgroup", 4, .host),
    ("dscp", 1, .network), ("ecn", 1, .network), ("fib_addrtype", 4, .host),
    ("boolean", 1, .none), ("ct_event", 4, .host), ("ifname", 16, .host),
    ("igmp_type", 1, .network), ("time", 8, .host), ("hour", 8, .host), ("day", 1, .none),
    ("cgroupsv2", 8, .host),
  ]
}
