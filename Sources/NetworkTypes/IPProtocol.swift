/// A layer-4 protocol number as `meta l4proto` yields it, 0…255.
///
/// Source: IANA Assigned Internet Protocol Numbers.
public struct IPProtocol: RawRepresentable, Hashable, Sendable, Comparable {
  /// The number in the IP header (IPv4) or the last next-header field (IPv6).
  public let rawValue: UInt8

  /// Any protocol number, named or not.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// ICMP for IPv4, 1.
  public static let icmp = IPProtocol(rawValue: 1)
  /// IGMP, 2.
  public static let igmp = IPProtocol(rawValue: 2)
  /// TCP, 6.
  public static let tcp = IPProtocol(rawValue: 6)
  /// UDP, 17.
  public static let udp = IPProtocol(rawValue: 17)
  /// DCCP, 33.
  public static let dccp = IPProtocol(rawValue: 33)
  /// GRE, 47.
  public static let gre = IPProtocol(rawValue: 47)
  /// ESP, 50.
  public static let esp = IPProtocol(rawValue: 50)
  /// AH, 51.
  public static let ah = IPProtocol(rawValue: 51)
  /// ICMP for IPv6, 58.
  public static let icmpv6 = IPProtocol(rawValue: 58)
  /// SCTP, 132.
  public static let sctp = IPProtocol(rawValue: 132)
  /// UDP-Lite, 136.
  public static let udplite = IPProtocol(rawValue: 136)

  /// Whether bytes 0…3 of the header are source and destination port.
  public var hasPorts: Bool {
    switch self {
    case .tcp, .udp, .dccp, .sctp, .udplite: true
    default: false
    }
  }

  /// The protocols that have a name here, with their names.
  public static let names: [(String, IPProtocol)] = [
    ("icmp", .icmp), ("igmp", .igmp), ("tcp", .tcp), ("udp", .udp), ("dccp", .dccp),
    ("gre", .gre), ("esp", .esp), ("ah", .ah), ("icmpv6", .icmpv6), ("sctp", .sctp),
    ("udplite", .udplite),
  ]

  /// The protocol of a lower-case name or a decimal number 0…255 without leading zeros.
  ///
  /// Example: `"udp"` → 17, `"253"` → 253, `"UDP"`, `"017"` and `"256"` → nil.
  public init?(text: some StringProtocol) {
    if let named = IPProtocol.names.first(where: { $0.0 == text }) {
      self = named.1
    } else if let number = UInt8(text), String(number) == text {
      self.init(rawValue: number)
    } else {
      return nil
    }
  }

  /// Orders by number.
  public static func < (left: IPProtocol, right: IPProtocol) -> Bool {
    left.rawValue < right.rawValue
  }
}

extension IPProtocol: CustomStringConvertible {
  /// The name where there is one, else the number: `tcp`, `253`.
  public var description: String {
    IPProtocol.names.first { $0.1 == self }?.0 ?? String(rawValue)
  }
}
