/// What a match of xtables asks, read from its structure.
///
/// Source: the `struct xt_*` of `linux/netfilter/xt_*.h`, as x86-64 lays them out.
public enum MatchValue: Hashable, Sendable {
  /// Nothing: a comment.
  case comment(String)
  /// The packet's flow, also of `-m state`.
  case conntrack(ConntrackMatch)
  /// Types of addresses.
  case addressType(AddressTypeMatch)
  /// One of several ports.
  case multiport(MultiportMatch)
  /// The owner of the socket.
  case owner(OwnerMatch)
  /// The packet's mark.
  case mark(MaskedMark)
  /// The flow's mark.
  case connmark(MaskedMark)
  /// A rate: one packet in `averageTicks` of 0.1 ms, with a burst.
  case limit(averageTicks: UInt32, burst: UInt32)
  /// TCP, its ports, flags and options.
  case tcp(TransportMatch)
  /// UDP and its ports.
  case udp(TransportMatch)
  /// ICMP types.
  case icmp(ICMPMatch)
  /// ICMPv6 types.
  case icmpv6(ICMPMatch)
  /// Ranges of addresses.
  case addressRange(AddressRangeMatch)
  /// The sender's hardware address.
  case hardwareAddress(HardwareAddressMatch)
  /// A set of ipset.
  case addressSet(AddressSetMatch)
  /// Ports of a bridge.
  case bridgePort(BridgePortMatch)
  /// The packet's length, layer 3 with header.
  case length(ClosedRange<UInt16>, isInverted: Bool)
  /// The packet type: 0 host, 1 broadcast, 2 multicast, 3 other host.
  case packetType(UInt32, isInverted: Bool)
  /// The TTL or hop limit: 0 equal, 1 not equal, 2 less, 3 greater.
  case hopLimit(UInt8, comparison: UInt8)
  /// An IPv6 routing header: any, or one of a type, length or number of segments that is not told here.
  case routingHeader(isAny: Bool)
  /// Groups of interfaces.
  case deviceGroup(DeviceGroupMatch)
  /// By chance: `probability` in 2^31.
  case random(probability: UInt32, isInverted: Bool)
  /// Every n-th packet, the first one after `packet`.
  case everyNth(every: UInt32, packet: UInt32, isInverted: Bool)
  /// The socket's cgroup.
  case cgroup(CgroupMatch)
}

extension ExtensionMatch {
  /// What the match asks; nil for a match, a revision, a length or a bit that is not known.
  ///
  /// The same name may have another structure in another family.
  public func value(in family: TableFamily) -> MatchValue? {
    switch (name, revision) {
    case ("comment", 0):
      guard var reader = StructureReader(info, size: 256) else { return nil }
      return reader.takeText(256).map(MatchValue.comment)
    case ("conntrack", _):
      return ConntrackMatch(info, revision: revision, family: family).map(MatchValue.conntrack)
    case ("state", 0): return ConntrackMatch(stateInfo: info).map(MatchValue.conntrack)
    case ("addrtype", _):
      return AddressTypeMatch(info, revision: revision).map(MatchValue.addressType)
    case ("multiport", _):
      return MultiportMatch(info, revision: revision).map(MatchValue.multiport)
    case ("owner", 1): return OwnerMatch(info).map(MatchValue.owner)
    case ("mark", 1): return MaskedMark(info).map(MatchValue.mark)
    case ("connmark", 1): return MaskedMark(info).map(MatchValue.connmark)
    case ("tcp", 0): return TransportMatch(tcpInfo: info).map(MatchValue.tcp)
    case ("udp", 0): return TransportMatch(udpInfo: info).map(MatchValue.udp)
    case ("icmp", 0) where family == .ip: return ICMPMatch(info).map(MatchValue.icmp)
    case ("icmp6", 0) where family == .ip6: return ICMPMatch(info).map(MatchValue.icmpv6)
    case ("iprange", 1):
      return AddressRangeMatch(info, family: family).map(MatchValue.addressRange)
    case ("mac", 0): return HardwareAddressMatch(info).map(MatchValue.hardwareAddress)
    case ("set", _): return AddressSetMatch(info, revision: revision).map(MatchValue.addressSet)
    case ("physdev", 0): return BridgePortMatch(info).map(MatchValue.bridgePort)
    case ("devgroup", 0): return DeviceGroupMatch(info).map(MatchValue.deviceGroup)
    case ("cgroup", _): return CgroupMatch(info, revision: revision).map(MatchValue.cgroup)
    default: return smallValue
    }
  }

  /// Matches whose structure has a few numbers.
  private var smallValue: MatchValue? {
    switch (name, revision) {
    case ("limit", 0):
      guard var reader = StructureReader(info, size: 40) else { return nil }
      return .limit(averageTicks: reader.take(), burst: reader.take())
    case ("length", 0):
      guard var reader = StructureReader(info, size: 6) else { return nil }
      let range: (UInt16, UInt16) = (reader.take(), reader.take())
      guard range.0 <= range.1 else { return nil }
      return .length(range.0...range.1, isInverted: reader.takeFlag())
    case ("pkttype", 0):
      guard var reader = StructureReader(info, size: 8) else { return nil }
      return .packetType(reader.take(), isInverted: reader.take(UInt32.self) != 0)
    case ("ttl", 0), ("hl", 0):
      guard var reader = StructureReader(info, size: 2) else { return nil }
      let comparison: UInt8 = reader.take()
      return comparison <= 3 ? .hopLimit(reader.take(), comparison: comparison) : nil
    case ("rt", 0): return routingHeaderValue
    case ("statistic", 0): return statisticValue
    default: return nil
    }
  }

  /// `struct ip6t_rt`; without flags and bounds nothing but the header's presence is asked.
  ///
  /// Source: `rt_mt6`, `net/ipv6/netfilter/ip6t_rt.c`.
  private var routingHeaderValue: MatchValue? {
    guard var reader = StructureReader(info, size: 280) else { return nil }
    reader.skip(4)
    let segments: (UInt32, UInt32) = (reader.take(), reader.take())
    reader.skip(4)
    let flags: (UInt8, UInt8) = (reader.take(), reader.take())
    return .routingHeader(isAny: segments == (0, .max) && flags == (0, 0))
  }

  private var statisticValue: MatchValue? {
    guard var reader = StructureReader(info, size: 24) else { return nil }
    let mode: UInt16 = reader.take()
    let flags: UInt16 = reader.take()
    guard flags <= 1 else { return nil }
    switch mode {
    case 0: return .random(probability: reader.take(), isInverted: flags == 1)
    case 1:
      // The structure holds n - 1.
      let every: UInt32 = reader.take()
      guard every < .max else { return nil }
      return .everyNth(every: every + 1, packet: reader.take(), isInverted: flags == 1)
    default: return nil
    }
  }
}
