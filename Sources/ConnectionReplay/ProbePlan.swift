public import NetworkTypes

/// Probes made from what is interesting about a policy: edges of addresses, edges of ports.
///
/// The same interest gives the same probes in the same order. Most telling first, so that a cap
/// cuts the least telling:
/// 1. ugly shapes and foreign protocols of flows that would else be allowed,
/// 2. every address with every protocol and one port, going round the ports,
/// 3. every port with every protocol at some of the addresses,
/// 4. every local port and every inbound port at some of the addresses,
/// 5. every address with every port, evenly spread.
public struct ProbePlan: Hashable, Sendable {
  /// What the probes are made from.
  public struct Interest: Hashable, Sendable {
    /// Remote addresses, both sides of every edge; see ``ProbePlan/edges(of:)``.
    public var addresses: [IPAddress] = []
    /// Remote ports, both sides of every edge.
    public var ports: [UInt16] = []
    /// Protocols that the policy tells apart by port.
    public var protocols: [IPProtocol] = [.tcp, .udp]
    /// Protocols that are tried once per shape target.
    public var foreignProtocols: [IPProtocol] = ProbePlan.foreignProtocols
    /// Local ports to try beside the kernel's own choice.
    public var localPorts: [UInt16] = []
    /// Local ports to try from outside.
    public var inboundPorts: [UInt16] = []
    /// Addresses that are the directed broadcast of a link where the probes will be sent.
    ///
    /// Flows to them say so; see ``Flow/isLinkBroadcast``.
    public var linkBroadcasts: Set<IPAddress> = []
    /// Flows, best ones that the policy allows, that the ugly shapes are made from.
    public var shapeTargets: [Flow] = []

    /// Nothing yet.
    public init() {}
  }

  /// Protocols that a policy for TCP and UDP must stop.
  ///
  /// ICMP of the other family, IP in IP and an unassigned number are among them.
  public static let foreignProtocols: [IPProtocol] = [
    .icmp, .igmp, .icmpv6, .dccp, .gre, .esp, .ah, .sctp, .udplite,
    IPProtocol(rawValue: 4), IPProtocol(rawValue: 41), IPProtocol(rawValue: 253),
  ]

  /// The probes, none twice.
  public let probes: [Probe]
  /// How many more there would be without the cap.
  public let omittedCount: Int

  /// Plans at most `cap` probes.
  ///
  /// Linear in the size of the whole product of addresses, ports and protocols where that is below
  /// the cap, in the cap otherwise.
  public init(_ interest: Interest, cap: Int) {
    var collector = ProbeCollector(interest, cap: cap)
    collector.addShapes()
    collector.addEveryAddress()
    collector.addEveryPort()
    collector.addLocalEnds()
    collector.addProduct()
    probes = collector.probes
    omittedCount = collector.omittedCount
  }

  /// Both sides of every edge of a set, ascending: the members where membership changes.
  ///
  /// O(n). Example: 10…20 gives 9, 10, 20, 21.
  ///
  /// - Parameter set: any intervals.
  /// - Returns: numbers, none twice; none for the empty set, the two ends for the full one.
  public static func edges<Bound>(of set: IntervalSet<Bound>) -> [Bound] {
    var edges: [Bound] = []
    for interval in set.intervals {
      let around =
        (interval.first == .min ? [] : [interval.first &- 1]) + [interval.first, interval.last]
        + (interval.last == .max ? [] : [interval.last &+ 1])
      for edge in around where edges.last.map({ $0 < edge }) ?? true { edges.append(edge) }
    }
    return edges
  }
}
