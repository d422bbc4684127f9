import HostFacts
import NetworkTypes

extension HostAddress {
  /// Reads one `RTM_NEWADDR` message; nil when it is something else or cut short.
  ///
  /// Source: `struct ifaddrmsg`, `linux/if_addr.h`.
  init?(_ reply: RouteReply) {
    let head = reply.payload
    guard reply.type == 20, let prefix = head.number(UInt8.self, at: 1),
      let flags = head.number(UInt8.self, at: 2), let scope = head.number(UInt8.self, at: 3),
      let link = head.number(Int32.self, at: 4)
    else { return nil }
    let attributes = reply.attributes(after: 8)
    // IFA_LOCAL 2, IFA_ADDRESS 1: they differ on point-to-point links.
    guard let bytes = attributes[2] ?? attributes[1],
      let address = IPAddress(networkOrderBytes: bytes)
    else { return nil }
    self.init(
      link: link, address: address, prefixLength: prefix,
      broadcast: attributes[4].flatMap { IPAddress(networkOrderBytes: $0) }, scope: scope,
      flags: attributes[8]?.number(UInt32.self, at: 0) ?? UInt32(flags))
  }
}

extension HostRoute {
  /// Reads one `RTM_NEWROUTE` message of IPv4 or IPv6; nil when it is something else or cut short.
  ///
  /// Source: `struct rtmsg`, `struct rtnexthop` and `RTA_*`, `linux/rtnetlink.h`.
  init?(_ reply: RouteReply) {
    let head = reply.payload
    guard reply.type == 24, let number = head.number(UInt8.self, at: 0),
      let family = Family(rawValue: number), let prefix = head.number(UInt8.self, at: 1),
      let sourcePrefix = head.number(UInt8.self, at: 2),
      let service = head.number(UInt8.self, at: 3),
      let shortTable = head.number(UInt8.self, at: 4), let scope = head.number(UInt8.self, at: 6),
      let kind = head.number(UInt8.self, at: 7), let flags = head.number(UInt32.self, at: 8)
    else { return nil }
    let attributes = reply.attributes(after: 12)
    let zero: IPAddress = family == .ipv4 ? .v4(0) : .v6(0)
    var hops: [NextHop] = []
    if let several = attributes[RouteAttribute.multipath] {
      hops = NextHop.all(in: several)
    } else if attributes[RouteAttribute.link] != nil || attributes[RouteAttribute.gateway] != nil {
      hops = [
        NextHop.read(
          attributes, link: attributes[RouteAttribute.link]?.number(Int32.self, at: 0),
          flags: UInt8(flags & 0xff))
      ]
    }
    self.init(
      destination: attributes[RouteAttribute.destination].flatMap {
        IPAddress(networkOrderBytes: $0)
      } ?? zero,
      prefixLength: prefix,
      source: attributes[RouteAttribute.source].flatMap { IPAddress(networkOrderBytes: $0) },
      sourcePrefixLength: sourcePrefix,
      table: attributes[RouteAttribute.table]?.number(UInt32.self, at: 0) ?? UInt32(shortTable),
      kind: kind, scope: scope, typeOfService: service,
      metric: attributes[RouteAttribute.metric]?.number(UInt32.self, at: 0) ?? 0,
      preferredSource: attributes[RouteAttribute.preferredSource].flatMap {
        IPAddress(networkOrderBytes: $0)
      },
      hops: hops,
      nextHopObject: attributes[RouteAttribute.nextHopObject]?.number(UInt32.self, at: 0))
  }
}

extension NextHop {
  /// Reads the attributes of a route that are about one hop.
  fileprivate static func read(
    _ attributes: [Int: ArraySlice<UInt8>], link: Int32?, flags: UInt8
  ) -> NextHop {
    // RTA_VIA is a family of two bytes and an address of that family.
    let bytes = attributes[RouteAttribute.gateway] ?? attributes[RouteAttribute.via]?.dropFirst(2)
    var hop = NextHop(link: link, flags: flags)
    if let bytes { hop.gateway = IPAddress(networkOrderBytes: bytes) }
    hop.encapsulation = attributes[RouteAttribute.encapsulation]?.number(UInt16.self, at: 0)
    return hop
  }

  /// The hops of `RTA_MULTIPATH`, up to the first whose length does not add up.
  fileprivate static func all(in bytes: ArraySlice<UInt8>) -> [NextHop] {
    var hops: [NextHop] = []
    var rest = bytes
    while let length = rest.number(UInt16.self, at: 0), length >= 8, length <= rest.count,
      let flags = rest.number(UInt8.self, at: 2), let link = rest.number(Int32.self, at: 4)
    {
      let attributes = rest.prefix(Int(length)).dropFirst(8).attributes()
      hops.append(read(attributes, link: link, flags: flags))
      rest = rest.dropFirst((Int(length) + 3) & ~3)
    }
    return hops
  }
}

/// `RTA_*`, `linux/rtnetlink.h`.
private enum RouteAttribute {
  static let destination = 1
  static let source = 2
  static let link = 4
  static let gateway = 5
  static let metric = 6
  static let preferredSource = 7
  static let multipath = 9
  static let table = 15
  static let via = 18
  static let encapsulation = 21
  static let nextHopObject = 30
}
