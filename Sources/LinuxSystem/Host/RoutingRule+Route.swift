import HostFacts
import NetworkTypes

extension RoutingRule {
  /// Reads one `RTM_NEWRULE` message of IPv4 or IPv6; nil when it is something else or cut short.
  ///
  /// Source: `struct fib_rule_hdr` and `FRA_*`, `linux/fib_rules.h`.
  init?(_ reply: RouteReply) {
    let head = reply.payload
    guard reply.type == 32, let number = head.number(UInt8.self, at: 0),
      let family = Family(rawValue: number), let destination = head.number(UInt8.self, at: 1),
      let source = head.number(UInt8.self, at: 2), let service = head.number(UInt8.self, at: 3),
      let shortTable = head.number(UInt8.self, at: 4), let action = head.number(UInt8.self, at: 7),
      let flags = head.number(UInt32.self, at: 8)
    else { return nil }
    let attributes = reply.attributes(after: 12)
    func word(_ attribute: Int) -> UInt32? { attributes[attribute]?.number(UInt32.self, at: 0) }
    func address(_ attribute: Int) -> IPAddress? {
      attributes[attribute].flatMap { IPAddress(networkOrderBytes: $0) }
    }
    var users: ClosedRange<UInt32>?
    if let range = attributes[20], let first = range.number(UInt32.self, at: 0),
      let last = range.number(UInt32.self, at: 4), first <= last
    {
      users = first...last
    }
    self.init(
      family: family, priority: word(6) ?? 0, action: action, table: word(15) ?? UInt32(shortTable),
      source: address(2), sourcePrefixLength: source, destination: address(1),
      destinationPrefixLength: destination, typeOfService: service, mark: word(10),
      markMask: word(16), inputLink: attributes[3]?.text, outputLink: attributes[17]?.text,
      users: users,
      ipProtocol: attributes[22]?.first.map { IPProtocol(rawValue: $0) },
      isInverted: flags & 2 != 0,
      unknownAttributes: attributes.filter { !RoutingRule.isUnderstood($0.key, $0.value) }
        .compactMap { UInt16(exactly: $0.key) }.sorted())
  }

  /// Whether an attribute is one of the properties, or says nothing about which packets match.
  private static func isUnderstood(_ attribute: Int, _ value: ArraySlice<UInt8>) -> Bool {
    switch attribute {
    case 1...3, 6, 10, 15, 16, 17, 20, 22: true
    case 18, 21: true  // padding, who made the rule
    case 13, 14: value.number(UInt32.self, at: 0) == .max  // suppress nothing
    default: false
    }
  }
}
