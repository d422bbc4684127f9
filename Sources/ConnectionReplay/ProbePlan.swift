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
    var collector = ProbeCollector(cap: cap)
    collector.addShapes(interest)
    collector.addEveryAddress(interest)
    collector.addEveryPort(interest)
    collector.addLocalEnds(interest)
    collector.addProduct(interest)
    probes = collector.probes
    omittedCount = collector.omittedCount
  }

  /// Both sides of every edge of a set, ascending: the members where membership changes.
  ///
  /// O(n). Example: 10…20 gives 9, 10, 20, 21.
  ///
  /// - Parameter set: any intervals.
  /// - Returns: numbers, none twice; empty for the empty set and the full one has its two ends.
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

/// Collects probes up to a cap, none twice.
struct ProbeCollector {
  let cap: Int
  private(set) var probes: [Probe] = []
  private(set) var omittedCount = 0
  private var seen: Set<Probe> = []

  init(cap: Int) { self.cap = cap }

  mutating func addShapes(_ interest: ProbePlan.Interest) {
    for target in interest.shapeTargets {
      add(Probe(target))
      for shape in ProbeShape.ugly(for: target) { add(Probe(target, shape: shape)) }
      for foreign in interest.foreignProtocols {
        var flow = target
        flow.ipProtocol = foreign
        if !foreign.hasPorts {
          flow.remotePort = nil
          flow.localPort = nil
        }
        add(Probe(flow))
      }
    }
  }

  mutating func addEveryAddress(_ interest: ProbePlan.Interest) {
    guard !interest.ports.isEmpty else { return }
    for (index, address) in interest.addresses.enumerated() {
      for ipProtocol in interest.protocols {
        add(ipProtocol, address, interest.ports[index % interest.ports.count])
      }
    }
  }

  mutating func addEveryPort(_ interest: ProbePlan.Interest) {
    for address in representatives(interest) {
      for port in interest.ports {
        for ipProtocol in interest.protocols { add(ipProtocol, address, port) }
      }
    }
  }

  mutating func addLocalEnds(_ interest: ProbePlan.Interest) {
    for address in representatives(interest) {
      for ipProtocol in interest.protocols {
        for local in interest.localPorts {
          let port = ipProtocol.hasPorts ? interest.ports.first : nil
          add(
            Probe(
              Flow(
                ipProtocol: ipProtocol, localPort: local, remoteAddress: address,
                remotePort: port)))
        }
        for local in interest.inboundPorts {
          add(
            Probe(
              Flow(
                direction: .inbound, ipProtocol: ipProtocol, localPort: local,
                remoteAddress: address)))
        }
      }
    }
  }

  /// Visits the whole product in steps that spread over it, so that a cap leaves no address out.
  mutating func addProduct(_ interest: ProbePlan.Interest) {
    let sizes = (interest.protocols.count, interest.ports.count, interest.addresses.count)
    let total = sizes.0 * sizes.1 * sizes.2
    guard total > 0 else { return }
    var step = max(1, total / 1618 * 1000)
    while !isCoprime(step, total) { step += 1 }
    var index = 0
    for done in 0..<total {
      if probes.count >= cap {
        omittedCount += total - done
        return
      }
      add(
        interest.protocols[index % sizes.0], interest.addresses[index / sizes.0 / sizes.1],
        interest.ports[index / sizes.0 % sizes.1])
      index = (index + step) % total
    }
  }

  private mutating func add(_ ipProtocol: IPProtocol, _ address: IPAddress, _ port: UInt16) {
    let flow = Flow(
      ipProtocol: ipProtocol, remoteAddress: address,
      remotePort: ipProtocol.hasPorts ? port : nil)
    add(Probe(flow))
  }

  private mutating func add(_ probe: Probe) {
    if seen.contains(probe) { return }
    if probes.count >= cap {
      omittedCount += 1
      return
    }
    seen.insert(probe)
    probes.append(probe)
  }

  /// At most eight addresses per family, evenly spread.
  private func representatives(_ interest: ProbePlan.Interest) -> [IPAddress] {
    Family.allCases.flatMap { family in
      let own = interest.addresses.filter { $0.family == family }
      let step = max(1, (own.count + 7) / 8)
      return stride(from: 0, to: own.count, by: step).map { own[$0] }
    }
  }

  private func isCoprime(_ a: Int, _ b: Int) -> Bool {
    var (a, b) = (a, b)
    while b != 0 { (a, b) = (b, a % b) }
    return a == 1
  }
}
