public import NetworkTypes

/// A route, in whichever table.
///
/// Source: `struct rtmsg` and `RTA_*`, `linux/rtnetlink.h`.
public struct HostRoute: Hashable, Sendable, Codable {
  /// The first address of the destination; zero for a default route.
  public var destination: IPAddress
  /// The bits of the destination, 0…32 or 0…128.
  public var prefixLength: UInt8
  /// The first address of the source that it is for; nil for every source.
  public var source: IPAddress?
  /// The bits of the source.
  public var sourcePrefixLength: UInt8
  /// The table: 254 main, 255 local, 253 default.
  public var table: UInt32
  /// `RTN_*`: 1 unicast, 2 local, 3 broadcast, 4 anycast, 5 multicast, 6 blackhole, 7 unreachable,
  /// 8 prohibit, 9 throw.
  public var kind: UInt8
  /// `RT_SCOPE_*`.
  public var scope: UInt8
  /// The type of service it is for, 0 for every one; IPv4 only.
  public var typeOfService: UInt8
  /// The metric; lower wins.
  public var metric: UInt32
  /// The source address that the kernel prefers.
  public var preferredSource: IPAddress?
  /// Where packets go; one of them for each packet.
  public var hops: [NextHop]
  /// The number of the next-hop object that it uses; nil for none.
  public var nextHopObject: UInt32?

  /// Makes a route.
  public init(
    destination: IPAddress, prefixLength: UInt8, source: IPAddress? = nil,
    sourcePrefixLength: UInt8 = 0, table: UInt32 = 254, kind: UInt8 = 1, scope: UInt8 = 0,
    typeOfService: UInt8 = 0, metric: UInt32 = 0, preferredSource: IPAddress? = nil,
    hops: [NextHop] = [], nextHopObject: UInt32? = nil
  ) {
    self.destination = destination
    self.prefixLength = prefixLength
    self.source = source
    self.sourcePrefixLength = sourcePrefixLength
    self.table = table
    self.kind = kind
    self.scope = scope
    self.typeOfService = typeOfService
    self.metric = metric
    self.preferredSource = preferredSource
    self.hops = hops
    self.nextHopObject = nextHopObject
  }

  /// Whether packets that take it go out by a link, by its kind.
  public var isUnicast: Bool { kind == 1 }
}

/// One way that a route's packets go.
///
/// The order of the fields keeps the value larger than four machine words: Swift 6.3 returns smaller
/// ones with a 16-byte alignment in registers and then reads them back from a misaligned slot.
public struct NextHop: Hashable, Sendable, Codable {
  /// The link they leave by.
  public var link: Int32?
  /// `LWTUNNEL_ENCAP_*` when packets are wrapped on the way: 1 MPLS, 2 IP, 5 SEG6, 6 BPF.
  public var encapsulation: UInt16?
  /// `RTNH_F_*`: 1 dead, 4 on-link, 16 link down.
  public var flags: UInt8
  /// The neighbour they go to; nil when the destination is on the link.
  public var gateway: IPAddress?

  /// Makes a next hop.
  public init(
    link: Int32? = nil, gateway: IPAddress? = nil, flags: UInt8 = 0, encapsulation: UInt16? = nil
  ) {
    self.link = link
    self.encapsulation = encapsulation
    self.flags = flags
    self.gateway = gateway
  }
}
