/// How nft(8) reads and writes the bytes of a value.
///
/// Source: `datatype` definitions of nftables, `src/datatype.c`, `src/proto.c`, `src/meta.c`.
enum ValueType: Hashable {
  /// A number of a header field, network order, written in decimal.
  case number
  /// Raw bytes, network order, written in hexadecimal.
  case raw
  /// A number in host order, written in decimal (`length`, user and group).
  case hostNumber
  case nfproto, ipv4Address, ipv6Address, inetProtocol, inetService, etherType
  case icmpType, icmpCode, icmpv6Type, icmpv6Code
  case mark, ctState, ctStatus, ctDirection, tcpFlags
  case packetType, addressType
  /// An interface's index, host order.
  case interfaceIndex
  /// An interface's name, 16 bytes, NUL padded.
  case interfaceName

  init(_ key: KeyType) {
    self =
      switch key {
      case .integer: .raw
      case .nfproto: .nfproto
      case .ipv4Address: .ipv4Address
      case .ipv6Address: .ipv6Address
      case .inetProtocol: .inetProtocol
      case .inetService: .inetService
      case .icmpType: .icmpType
      case .mark: .mark
      case .ctState: .ctState
      case .icmpv6Type: .icmpv6Type
      case .interfaceIndex: .interfaceIndex
      case .interfaceName: .interfaceName
      case .etherType: .etherType
      case .userID, .groupID: .hostNumber
      default: .raw
      }
  }

  /// Whether the bytes are in host order, least significant first.
  var isHostOrder: Bool {
    switch self {
    case .hostNumber, .mark, .ctState, .ctStatus, .addressType, .interfaceIndex: true
    default: false
    }
  }

  /// Whether a range that is a prefix is written as one.
  var hasPrefixes: Bool { self == .ipv4Address || self == .ipv6Address }

  /// Whether the value is a set of named bits.
  var isBitmask: Bool { self == .ctState || self == .ctStatus || self == .tcpFlags }

  /// How many elements of a named set stand on one line of a listing.
  var elementsPerLine: Int {
    switch self {
    case .nfproto, .raw, .number, .inetProtocol, .inetService, .tcpFlags, .mark,
      .interfaceIndex, .hostNumber, .ctDirection:
      5
    case .ipv4Address, .ctState, .ctStatus, .packetType: 2
    default: 1
    }
  }

  /// The words of the type and their numbers; empty for types without words.
  var words: [(number: UInt64, word: String)] {
    switch self {
    case .nfproto: [(2, "ipv4"), (10, "ipv6")]
    case .etherType: [(0x0800, "ip"), (0x0806, "arp"), (0x86dd, "ip6"), (0x8100, "8021q")]
    case .inetProtocol: ProtocolNameTable.names
    case .icmpType: IcmpNameTable.types
    case .icmpCode: IcmpNameTable.codes
    case .icmpv6Type: IcmpNameTable.v6Types
    case .icmpv6Code: IcmpNameTable.v6Codes
    case .ctState:
      [(1, "invalid"), (2, "established"), (4, "related"), (8, "new"), (64, "untracked")]
    case .ctStatus:
      [
        (1, "expected"), (2, "seen-reply"), (4, "assured"), (8, "confirmed"), (16, "snat"),
        (32, "dnat"), (512, "dying"),
      ]
    case .ctDirection: [(0, "original"), (1, "reply")]
    case .tcpFlags:
      [
        (1, "fin"), (2, "syn"), (4, "rst"), (8, "psh"), (16, "ack"), (32, "urg"), (64, "ecn"),
        (128, "cwr"),
      ]
    case .packetType: [(0, "host"), (1, "broadcast"), (2, "multicast"), (3, "other")]
    case .addressType:
      [
        (0, "unspec"), (1, "unicast"), (2, "local"), (3, "broadcast"), (4, "anycast"),
        (5, "multicast"), (6, "blackhole"), (7, "unreachable"), (8, "prohibit"),
      ]
    default: []
    }
  }

  /// The number that `bytes` hold, 8 bytes at most.
  func number(_ bytes: some BidirectionalCollection<UInt8>) -> UInt64 {
    isHostOrder
      ? bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
      : bytes.reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// The words of the bits in `value`; nil when a bit has no word or no bit is set.
  func bitWords(_ value: UInt64) -> [String]? {
    let known = words
    guard value != 0, known.reduce(0, { $0 | $1.number }) & value == value else { return nil }
    return known.filter { $0.number & value != 0 }.map(\.word)
  }
}
