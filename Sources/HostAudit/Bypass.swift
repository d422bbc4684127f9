/// One way past packet rules, or past a reading of them: a row of the audit's fifth claim.
public enum Bypass: String, Hashable, Sendable, CaseIterable {
  /// Packet sockets.
  case packetSockets = "packet-sockets"
  /// AF_XDP sockets.
  case xdpSockets = "xdp-sockets"
  /// Holders of CAP_NET_RAW, CAP_NET_ADMIN, CAP_SYS_ADMIN and CAP_BPF.
  case capabilities
  /// Users who may make user namespaces.
  case userNamespaces = "user-namespaces"
  /// Programs at the driver's hook of a link.
  case xdpPrograms = "xdp-programs"
  /// Classifiers and tcx programs.
  case trafficControl = "traffic-control"
  /// BPF programs among the netfilter hooks.
  case netfilterPrograms = "netfilter-programs"
  /// BPF programs of control groups.
  case cgroupPrograms = "cgroup-programs"
  /// Tables of iptables-legacy and its siblings.
  case legacyTables = "legacy-tables"
  /// Flowtables and offloaded chains.
  case flowtables
  /// Forwarding between links.
  case forwarding
  /// Bridges whose ports' packets meet no `inet` rule.
  case bridges
  /// Macvlan and ipvlan links.
  case childLinks = "child-links"
  /// Tun and tap devices.
  case tunDevices = "tun-devices"
  /// Tunnels, WireGuard and the like.
  case tunnels
  /// IPsec policies.
  case ipsec
  /// Routes that wrap packets.
  case routeEncapsulation = "route-encapsulation"
  /// Other network namespaces.
  case otherNamespaces = "other-namespaces"
  /// Decisions by the packet mark.
  case marks
  /// Decisions by user, group or control group.
  case identity
  /// Destinations that rules rewrite.
  case destinationRewriting = "destination-rewriting"
  /// Rules that rewrite, copy or hand over packets.
  case packetRewriting = "packet-rewriting"
  /// Packets that rules exempt from conntrack.
  case untracked
  /// Fragments that nobody puts together.
  case fragments
  /// Conntrack helpers.
  case helpers
  /// Connections that conntrack picks up in their middle.
  case loosePickup = "loose-pickup"
  /// Local programs that send on behalf of others.
  case loopbackProxies = "loopback-proxies"
  /// Protocols that are not IP.
  case otherProtocols = "other-protocols"
  /// Packets that the kernel sends by itself.
  case kernelPackets = "kernel-packets"
}

/// What was found of one way past the rules.
public struct BypassFinding: Hashable, Sendable {
  /// What can be said.
  public enum Status: String, Hashable, Sendable, CaseIterable {
    /// All was seen, and it is not there.
    case absent
    /// It is there; see the evidence.
    case present
    /// It was not seen, and not all could be seen.
    case unknown
  }

  /// Which way.
  public var bypass: Bypass
  /// What is there, one line each, in a fixed order.
  public var evidence: [Evidence]
  /// What could not be read, and why.
  public var unknowns: [String]
  /// What is there and leads nowhere, and why, one line each.
  public var remarks: [String] = []

  /// Present beats unknown; a finding may have evidence and unknowns.
  public var status: Status { evidence.isEmpty ? unknowns.isEmpty ? .absent : .unknown : .present }
}
