/// Everything besides the nf_tables ruleset on which it depends what can leave a network namespace.
///
/// Read by one program at one time, judged by another: values only. Lists are in a fixed order, so
/// that two readings of an unchanged host are equal.
public struct HostState: Hashable, Sendable, Codable {
  /// The namespace that was read.
  public var namespace: Fact<NamespaceID>
  /// The user namespaces whose capabilities count over it: its owner, then each parent.
  public var userNamespaces: Fact<[NamespaceID]>
  /// The kernel's release, `uname -r`.
  public var kernelRelease: Fact<String>
  /// Links, by index.
  public var links: Fact<[HostLink]>
  /// Addresses, by link.
  public var addresses: Fact<[HostAddress]>
  /// Routes of every table and both families.
  public var routes: Fact<[HostRoute]>
  /// Rules that choose a routing table, both families, by priority.
  public var routingRules: Fact<[RoutingRule]>
  /// Settings under `/proc/sys`, by name.
  public var settings: [KernelSetting]
  /// Tracked conversations.
  public var conntrack: Fact<[ConntrackEntry]>
  /// Sockets, one table for each protocol.
  public var sockets: [SocketTable]
  /// Packet sockets.
  public var packetSockets: Fact<[PacketSocket]>
  /// AF_XDP sockets.
  public var xdpSockets: Fact<[XDPSocket]>
  /// Sockets of protocols that the kernel lists nowhere, of this namespace or perhaps of it.
  public var unlistedSockets: Fact<[UnlistedSocket]>
  /// Sockets of every protocol, counted.
  public var socketCounts: Fact<[SocketCount]>
  /// Unix sockets that take connections.
  public var unixListeners: Fact<[UnixListener]>
  /// Processes with rights that go past packet rules.
  public var processes: Fact<ProcessSurvey>
  /// Tables of iptables-legacy and its siblings.
  public var legacyTables: LegacyTables
  /// BPF programs.
  public var bpf: BPFState
  /// Classifiers of traffic control.
  public var trafficFilters: Fact<[TrafficFilter]>
  /// IPsec policies.
  public var transformPolicies: Fact<[TransformPolicy]>
  /// Other network namespaces.
  public var namespaces: Fact<[OtherNamespace]>
  /// Kernel parts that send packets by themselves and are active: `pktgen`, `netconsole`.
  public var packetGenerators: Fact<[String]>

  /// A state of which nothing is known, for `reason`.
  public init(unknown reason: String) {
    namespace = .unknown(reason)
    userNamespaces = .unknown(reason)
    kernelRelease = .unknown(reason)
    links = .unknown(reason)
    addresses = .unknown(reason)
    routes = .unknown(reason)
    routingRules = .unknown(reason)
    settings = []
    conntrack = .unknown(reason)
    sockets = SocketTable.Kind.allCases.map { SocketTable(kind: $0, sockets: .unknown(reason)) }
    packetSockets = .unknown(reason)
    xdpSockets = .unknown(reason)
    unlistedSockets = .unknown(reason)
    socketCounts = .unknown(reason)
    unixListeners = .unknown(reason)
    processes = .unknown(reason)
    legacyTables = LegacyTables(
      ip: .unknown(reason), ip6: .unknown(reason), arp: .unknown(reason), bridge: .unknown(reason))
    bpf = BPFState(
      programs: .unknown(reason), links: .unknown(reason), cgroups: .unknown(reason),
      devices: .unknown(reason))
    trafficFilters = .unknown(reason)
    transformPolicies = .unknown(reason)
    namespaces = .unknown(reason)
    packetGenerators = .unknown(reason)
  }

  /// What a setting says; `known` with no text when this kernel has no such setting.
  ///
  /// O(settings). Example: `setting("net/ipv4/ip_forward")`.
  public func setting(_ name: String) -> Fact<KernelSetting.Reading> {
    settings.first { $0.name == name }?.reading ?? .unknown("not in the snapshot")
  }

  /// The sockets of one protocol.
  public func sockets(_ kind: SocketTable.Kind) -> Fact<[HostSocket]> {
    sockets.first { $0.kind == kind }?.sockets ?? .unknown("not in the snapshot")
  }
}
