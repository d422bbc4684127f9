/// What a target of xtables does, read from its structure.
///
/// Source: the `struct xt_*` of `linux/netfilter/xt_*.h`, as x86-64 lays them out.
public enum TargetValue: Hashable, Sendable {
  /// Drops the packet and answers with ICMP: `IPT_ICMP_*` of IPv4, `IP6T_ICMP6_*` of IPv6.
  case reject(RejectAnswer)
  /// Logs to the kernel's log: level, `XT_LOG_*` flags, prefix.
  case log(level: UInt8, flags: UInt8, prefix: String)
  /// Logs to listeners of nfnetlink_log.
  case nflog(group: UInt16, prefix: String, lengthBytes: UInt32?, threshold: UInt16)
  /// `mark = (mark & ~mask) ^ value`.
  case mark(value: UInt32, mask: UInt32)
  /// Marks the flow, or copies marks between packet and flow.
  case connmark(ConnmarkTarget)
  /// `DNAT`: translates the destination.
  case destinationNAT(TranslationTarget)
  /// `SNAT`: translates the source.
  case sourceNAT(TranslationTarget)
  /// `MASQUERADE`: translates the source to the interface's address.
  case masquerade(TranslationTarget)
  /// `REDIRECT`: translates the destination to this host.
  case redirect(TranslationTarget)
  /// `NETMAP`: translates a prefix one to one.
  case netmap(TranslationTarget)
  /// `CT`: gives the flow a template, or exempts the packet from conntrack.
  case ct(ConntrackTarget)
  /// `NOTRACK`: exempts the packet from conntrack.
  case notrack
  /// `TCPMSS`: sets the maximum segment size; nil takes it from the path's MTU.
  case tcpMSS(UInt16?)
  /// `CLASSIFY`: sets the packet's priority.
  case classify(priority: UInt32)
  /// `NFQUEUE`: hands the packet to a program; flags 1 bypass, 2 fanout by CPU.
  case queue(number: UInt16, total: UInt16, flags: UInt16)
  /// `CHECKSUM`: fills in the checksum.
  case checksum
  /// `TRACE`: traces the packet.
  case trace
}

/// How a rejected packet is answered.
///
/// Source: `enum ipt_reject_with`, `enum ip6t_reject_with`.
public enum RejectAnswer: Hashable, Sendable {
  /// With an ICMP or ICMPv6 error of that type and code.
  case icmp(type: UInt8, code: UInt8)
  /// With a TCP reset.
  case tcpReset
}

/// What `CONNMARK` does.
///
/// Source: `connmark_tg_shift`, `net/netfilter/xt_connmark.c`.
public struct ConnmarkTarget: Hashable, Sendable {
  /// 0 sets the flow's mark, 1 saves the packet's in it, 2 restores the packet's from it.
  public var mode: UInt8
  /// The value.
  public var value: UInt32
  /// Which bits of the flow's mark.
  public var flowMask: UInt32
  /// Which bits of the packet's mark.
  public var packetMask: UInt32
  /// Bits by which the mark is shifted left; negative for right.
  public var shift: Int

  /// Makes it.
  public init(
    mode: UInt8, value: UInt32, flowMask: UInt32, packetMask: UInt32, shift: Int = 0
  ) {
    self.mode = mode
    self.value = value
    self.flowMask = flowMask
    self.packetMask = packetMask
    self.shift = shift
  }
}

/// Where a target of xtables translates to.
///
/// Source: `struct nf_nat_range2` and its predecessors, `linux/netfilter/nf_nat.h`.
public struct TranslationTarget: Hashable, Sendable {
  /// The addresses, 4 or 16 bytes each; nil when the address stays or the target chooses.
  public var addresses: AddressRange?
  /// The ports, or ids of other protocols; nil when they stay.
  public var ports: ClosedRange<UInt16>?
  /// The port that maps to the first of ``ports``, when ports are shifted.
  public var basePort: UInt16?
  /// How to pick, without what the fields above say.
  public var flags: NATFlags

  /// Makes it.
  public init(
    addresses: AddressRange? = nil, ports: ClosedRange<UInt16>? = nil, basePort: UInt16? = nil,
    flags: NATFlags = []
  ) {
    self.addresses = addresses
    self.ports = ports
    self.basePort = basePort
    self.flags = flags
  }
}

/// What `CT` does.
///
/// Source: `xt_ct_target`, `net/netfilter/xt_CT.c`.
public struct ConntrackTarget: Hashable, Sendable {
  /// Whether the packet is exempt from conntrack.
  public var isNotrack: Bool
  /// The zone.
  public var zone: UInt16
  /// `XT_CT_ZONE_*`: 4 original direction only, 8 reply direction only, 16 the zone is the mark.
  public var zoneFlags: UInt16
  /// The helper's name; empty for none.
  public var helper: String
  /// The timeout policy's name; empty for none.
  public var timeout: String

  /// Makes it.
  public init(
    isNotrack: Bool, zone: UInt16 = 0, zoneFlags: UInt16 = 0, helper: String = "",
    timeout: String = ""
  ) {
    self.isNotrack = isNotrack
    self.zone = zone
    self.zoneFlags = zoneFlags
    self.helper = helper
    self.timeout = timeout
  }
}
