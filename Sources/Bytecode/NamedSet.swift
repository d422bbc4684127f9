public import NetworkTypes

/// A field of a set key, by nft's data type number.
///
/// Source: `enum datatypes`, nftables `include/datatype.h`; the number goes to `NFTA_SET_KEY_TYPE`.
public enum KeyType: UInt32, Hashable, Sendable, CaseIterable {
  /// Raw bytes, from `@nh`/`@th` loads (`integer`).
  case integer = 4
  /// Family, 1 byte (`nf_proto`).
  case nfproto = 2
  /// IPv4 address, 4 bytes network order (`ipv4_addr`).
  case ipv4Address = 7
  /// IPv6 address, 16 bytes network order (`ipv6_addr`).
  case ipv6Address = 8
  /// Layer-4 protocol, 1 byte (`inet_proto`).
  case inetProtocol = 12
  /// Port, 2 bytes network order (`inet_service`).
  case inetService = 13
  /// ICMP type, 1 byte (`icmp_type`).
  case icmpType = 14
  /// Mark, 4 bytes host order (`mark`).
  case mark = 19
  /// Conntrack state, 4 bytes host order (`ct_state`).
  case ctState = 26
  /// ICMPv6 type, 1 byte (`icmpv6_type`).
  case icmpv6Type = 29

  /// The word nft(8) uses after `type`.
  public var keyword: String {
    switch self {
    case .integer: "integer"
    case .nfproto: "nf_proto"
    case .ipv4Address: "ipv4_addr"
    case .ipv6Address: "ipv6_addr"
    case .inetProtocol: "inet_proto"
    case .inetService: "inet_service"
    case .icmpType: "icmp_type"
    case .mark: "mark"
    case .ctState: "ct_state"
    case .icmpv6Type: "icmpv6_type"
    }
  }

  /// Bytes of one value; for `integer` the common 4.
  public var lengthBytes: Int {
    switch self {
    case .nfproto, .inetProtocol, .icmpType, .icmpv6Type: 1
    case .inetService: 2
    case .integer, .ipv4Address, .mark, .ctState: 4
    case .ipv6Address: 16
    }
  }
}

/// `NFT_SET_*` flags of a set.
public struct SetFlags: OptionSet, Hashable, Sendable {
  /// The bits as netlink carries them.
  public let rawValue: UInt32
  /// Any bits.
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// Made for one rule and gone with it.
  public static let anonymous = SetFlags(rawValue: 1)
  /// Never changed after its rule was added.
  public static let constant = SetFlags(rawValue: 2)
  /// Elements are ranges.
  public static let interval = SetFlags(rawValue: 4)
  /// Elements carry data.
  public static let map = SetFlags(rawValue: 8)
  /// Elements may expire.
  public static let timeout = SetFlags(rawValue: 16)
  /// Rules may add elements.
  public static let evaluated = SetFlags(rawValue: 32)
  /// Elements refer to objects.
  public static let object = SetFlags(rawValue: 64)
  /// Ranges in a concatenated key.
  public static let concatenation = SetFlags(rawValue: 128)
}

/// One element of a set or map.
public struct SetElement: Hashable, Sendable {
  /// The key as the kernel holds it, each field padded to 4 bytes in concatenations; the lower
  /// bound of a range.
  ///
  /// Empty for the catch-all element.
  public var key: [UInt8]
  /// The upper bound of a range, inside; nil for a single value.
  public var keyEnd: [UInt8]?
  /// Whether it is the catch-all element `*`.
  public var isCatchAll: Bool
  /// The verdict, in a verdict map.
  public var verdict: Verdict?
  /// The data, in a map of another type.
  public var data: [UInt8]?
  /// Milliseconds until it expires, counted from adding; nil for never.
  public var timeoutMilliseconds: UInt64?
  /// The comment that `nft list` shows.
  public var comment: String?

  /// Makes an element.
  public init(
    key: [UInt8], keyEnd: [UInt8]? = nil, isCatchAll: Bool = false, verdict: Verdict? = nil,
    data: [UInt8]? = nil, timeoutMilliseconds: UInt64? = nil, comment: String? = nil
  ) {
    self.key = key
    self.keyEnd = keyEnd
    self.isCatchAll = isCatchAll
    self.verdict = verdict
    self.data = data
    self.timeoutMilliseconds = timeoutMilliseconds
    self.comment = comment
  }

  /// The catch-all element with a verdict.
  public static func catchAll(_ verdict: Verdict, comment: String? = nil) -> SetElement {
    SetElement(key: [], isCatchAll: true, verdict: verdict, comment: comment)
  }
}

/// What a set holds.
///
/// Ranges are disjoint in every case.
///
/// Plain address sets are kept as intervals, 8 or 32 bytes each, so that a million costs little.
public enum SetContent: Hashable, Sendable {
  /// Any elements, in the order the kernel should get them.
  case elements([SetElement])
  /// IPv4 addresses without data, of key type `ipv4Address` or 4-byte `integer`.
  case ipv4(IntervalSet<UInt32>)
  /// IPv6 addresses without data, of key type `ipv6Address`.
  case ipv6(IntervalSet<UInt128>)

  /// How many elements or ranges.
  public var count: Int {
    switch self {
    case .elements(let elements): elements.count
    case .ipv4(let set): set.intervals.count
    case .ipv6(let set): set.intervals.count
    }
  }
}

/// A set or map of a table.
public struct NamedSet: Hashable, Sendable {
  /// The name; anonymous sets are called `__set0`, `__map0`, … in order of appearance.
  public var name: String
  /// The flags.
  public var flags: SetFlags
  /// The key's fields; more than one is a concatenation.
  public var key: [KeyType]
  /// Whether data are verdicts (a verdict map).
  public var isVerdictMap: Bool
  /// Data type of a map that is no verdict map.
  public var dataType: KeyType?
  /// The size hint given to the kernel (`NFTA_SET_DESC_SIZE`); nil for none.
  public var size: UInt32?
  /// The comment that `nft list` shows.
  public var comment: String?
  /// For `typeof` sets over raw loads: the expression whose type the key has.
  public var typeof: PayloadLoad?
  /// Whether the contents are runtime state (answers of names), not part of the policy.
  public var isRuntimeState: Bool
  /// What it holds.
  public var content: SetContent
  /// Which policy line it came from, when the compiler made it.
  public var provenance: Provenance?

  /// Makes a set.
  public init(
    name: String, flags: SetFlags = [], key: [KeyType], isVerdictMap: Bool = false,
    dataType: KeyType? = nil, size: UInt32? = nil, comment: String? = nil,
    typeof: PayloadLoad? = nil, isRuntimeState: Bool = false, content: SetContent,
    provenance: Provenance? = nil
  ) {
    self.name = name
    self.flags = flags
    self.key = key
    self.isVerdictMap = isVerdictMap
    self.dataType = dataType
    self.size = size
    self.comment = comment
    self.typeof = typeof
    self.isRuntimeState = isRuntimeState
    self.content = content
    self.provenance = provenance
  }

  /// Bytes of a whole key: each field padded to 4 in a concatenation.
  public var keyLengthBytes: Int {
    key.count == 1
      ? key[0].lengthBytes : key.reduce(0) { $0 + ($1.lengthBytes + 3) / 4 * 4 }
  }
}
