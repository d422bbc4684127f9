/// A field of a set key, or the data of a map: nft's data type number and a length.
///
/// The kernel keeps the number for listings and compares nothing but bytes; any number and any
/// length can be read from one.
///
/// Source: `enum datatypes`, nftables `include/datatype.h`; the number goes to `NFTA_SET_KEY_TYPE`.
public struct KeyType: Hashable, Sendable {
  /// The number; for concatenated data six bits a field, the last field lowest.
  public var rawValue: UInt32
  /// Bytes of one value.
  public var lengthBytes: Int

  /// Any number and length.
  public init(rawValue: UInt32, lengthBytes: Int) {
    self.rawValue = rawValue
    self.lengthBytes = lengthBytes
  }

  /// A type that nft 1.0.6 knows, by its number; nil for others and those without one length.
  public init?(rawValue: UInt32) {
    guard let length = KeyTypeTable.entry(rawValue)?.lengthBytes, length > 0 else { return nil }
    self.init(rawValue: rawValue, lengthBytes: length)
  }

  /// Raw bytes, from `@nh`/`@th` loads (`integer`), commonly 4.
  public static let integer = KeyType(rawValue: 4, lengthBytes: 4)
  /// Raw bytes of any length.
  public static func integer(lengthBytes: Int) -> KeyType {
    KeyType(rawValue: 4, lengthBytes: lengthBytes)
  }
  /// Family, 1 byte (`nf_proto`).
  public static let nfproto = KeyType(rawValue: 2, lengthBytes: 1)
  /// IPv4 address, 4 bytes network order (`ipv4_addr`).
  public static let ipv4Address = KeyType(rawValue: 7, lengthBytes: 4)
  /// IPv6 address, 16 bytes network order (`ipv6_addr`).
  public static let ipv6Address = KeyType(rawValue: 8, lengthBytes: 16)
  /// Ethernet address, 6 bytes (`ether_addr`).
  public static let etherAddress = KeyType(rawValue: 9, lengthBytes: 6)
  /// Ethertype, 2 bytes network order (`ether_type`).
  public static let etherType = KeyType(rawValue: 10, lengthBytes: 2)
  /// Layer-4 protocol, 1 byte (`inet_proto`).
  public static let inetProtocol = KeyType(rawValue: 12, lengthBytes: 1)
  /// Port, 2 bytes network order (`inet_service`).
  public static let inetService = KeyType(rawValue: 13, lengthBytes: 2)
  /// ICMP type, 1 byte (`icmp_type`).
  public static let icmpType = KeyType(rawValue: 14, lengthBytes: 1)
  /// Mark, 4 bytes host order (`mark`).
  public static let mark = KeyType(rawValue: 19, lengthBytes: 4)
  /// Interface index, 4 bytes host order (`iface_index`).
  public static let interfaceIndex = KeyType(rawValue: 20, lengthBytes: 4)
  /// User id, 4 bytes host order (`uid`).
  public static let userID = KeyType(rawValue: 24, lengthBytes: 4)
  /// Group id, 4 bytes host order (`gid`).
  public static let groupID = KeyType(rawValue: 25, lengthBytes: 4)
  /// Conntrack state, 4 bytes host order (`ct_state`).
  public static let ctState = KeyType(rawValue: 26, lengthBytes: 4)
  /// ICMPv6 type, 1 byte (`icmpv6_type`).
  public static let icmpv6Type = KeyType(rawValue: 29, lengthBytes: 1)
  /// Interface name, 16 bytes NUL padded (`ifname`).
  public static let interfaceName = KeyType(rawValue: 41, lengthBytes: 16)
  /// Id of a cgroup, 8 bytes host order (`cgroupsv2`).
  public static let cgroupv2 = KeyType(rawValue: 46, lengthBytes: 8)

  /// The word nft(8) uses after `type`; fields of concatenated data are joined by ` . `; `0` and
  /// the like for a number it does not know.
  public var keyword: String {
    var fields: [String] = []
    var rest = rawValue
    repeat {
      fields.append(KeyTypeTable.entry(rest & 63)?.keyword ?? String(rest & 63))
      rest >>= 6
    } while rest != 0
    return fields.reversed().joined(separator: " . ")
  }

  /// nft's byte order of a single value: 0 none, 1 host, 2 network.
  ///
  /// Source: `enum byteorder`, nftables `include/datatype.h`.
  public var byteOrder: UInt32 { KeyTypeTable.entry(rawValue)?.order.rawValue ?? 0 }

  /// Whether it is raw bytes of any length.
  public var isInteger: Bool { rawValue == KeyType.integer.rawValue }
}

extension KeyType: CustomStringConvertible {
  /// `ipv4_addr`, or with the length where that is not the usual one: `integer/2`.
  public var description: String {
    KeyType(rawValue: rawValue) == self ? keyword : "\(keyword)/\(lengthBytes)"
  }
}
