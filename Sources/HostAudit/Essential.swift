public import HostFacts
public import NetworkTypes
public import PolicyLanguage
public import PolicyMeaning

/// What a host cannot do without for long.
public enum Essential: String, Hashable, Sendable, CaseIterable, Codable {
  /// The DNS servers that programs here ask.
  case resolver
  /// Renewal of the addresses that DHCP gave.
  case dhcp
  /// The time servers that a program here speaks with.
  case ntp
}

/// Something that a host uses now, and what a policy says of it.
public struct EssentialUse: Hashable, Sendable {
  /// What it is.
  public var essential: Essential
  /// The flow; of several that would do, one that is allowed.
  public var flow: Flow
  /// What the policy says of it.
  public var ruling: Ruling
}

extension HostState {
  /// What the host uses now of what it cannot do without, judged by a policy.
  ///
  /// A resolver counts when packets get there now: by a route, or because somebody here listens. DHCP
  /// counts when a socket has its client port; a lease is renewed where it came from, by the gateway as
  /// a rule, or by anybody who answers a broadcast, and one of them is enough. Time servers are those
  /// that a socket or a tracked flow speaks with.
  ///
  /// - Parameters:
  ///   - resolvers: the addresses in the host's resolver file.
  ///   - flows: the open flows, judged by the same policy.
  ///   - policy: what is allowed.
  ///   - names: what the names in it resolve to.
  /// - Returns: one row for each use, in order of ``Essential``.
  ///
  /// Example: `host.essentials(resolvers: [.v4(0x0909_0909)], flows, judgedBy: policy)`.
  public func essentials(
    resolvers: [IPAddress], _ flows: FlowReport, judgedBy policy: Policy,
    names: NameAnswers = .init()
  ) -> [EssentialUse] {
    func use(_ essential: Essential, _ candidates: [Flow]) -> EssentialUse? {
      let judged = candidates.map { ($0, policy.decision(for: $0, names: names)) }
      return (judged.first { $0.1.decision == .allow } ?? judged.first).map {
        EssentialUse(essential: essential, flow: $0.0, ruling: $0.1)
      }
    }
    let asked = resolvers.filter(isReached).compactMap { address in
      use(.resolver, [Flow(ipProtocol: .udp, remoteAddress: address, remotePort: 53)])
    }
    let leases = [leaseFlows4, leaseFlows6].compactMap { use(.dhcp, $0) }
    var servers: Set<IPAddress> = []
    let clocks = (flows.outside + flows.undecided + flows.within).filter {
      $0.flow.direction == .outbound && !$0.isForwarded && $0.flow.ipProtocol == .udp
        && $0.flow.remotePort == 123 && servers.insert($0.flow.remoteAddress).inserted
    }
    return asked + leases
      + clocks.map { EssentialUse(essential: .ntp, flow: $0.flow, ruling: $0.ruling) }
  }

  /// Whether packets to an address get anywhere now; true when that is not known.
  private func isReached(_ address: IPAddress) -> Bool {
    guard let routes = routes.value else { return true }
    let fitting = routes.filter { $0.covers(address) }
    if fitting.contains(where: { $0.kind == 2 }) || address.isLoopback {
      return datagramSockets.contains {
        $0.localPort == 53
          && ($0.localAddress == address || $0.localAddress.isUnspecified)
      }
    }
    return fitting.contains(where: \.isUnicast)
  }

  private var datagramSockets: [HostSocket] {
    sockets.filter { $0.kind == .udp }.flatMap { $0.sockets.value ?? [] }
  }

  private var leaseFlows4: [Flow] {
    guard
      datagramSockets.contains(where: { $0.localPort == 68 && $0.localAddress.family == .ipv4 })
    else { return [] }
    return ([.v4(.max)] + gateways.filter { $0.family == .ipv4 }).map {
      Flow(ipProtocol: .udp, localPort: 68, remoteAddress: $0, remotePort: 67)
    }
  }

  private var leaseFlows6: [Flow] {
    guard
      datagramSockets.contains(where: { $0.localPort == 546 && $0.localAddress.family == .ipv6 })
    else { return [] }
    // ff02::1:2, all DHCP agents of the link; RFC 8415.
    return [
      Flow(
        ipProtocol: .udp, localPort: 546, remoteAddress: .v6(0xff02 << 112 | 0x1_0002),
        remotePort: 547)
    ]
  }

  private var gateways: [IPAddress] {
    (routes.value ?? []).filter { $0.prefixLength == 0 && $0.isUnicast }
      .flatMap { $0.hops.compactMap(\.gateway) }
  }
}

extension HostRoute {
  /// Whether an address lies in the destination.
  fileprivate func covers(_ address: IPAddress) -> Bool {
    switch (destination, address) {
    case (.v4(let first), .v4(let bits)):
      prefixLength == 0 || (first ^ bits) >> (32 - UInt32(prefixLength)) == 0
    case (.v6(let first), .v6(let bits)):
      prefixLength == 0 || (first ^ bits) >> (128 - UInt128(prefixLength)) == 0
    default: false
    }
  }
}

extension IPAddress {
  fileprivate var isUnspecified: Bool { self == .v4(0) || self == .v6(0) }
}
