import ConnectionReplay
import NetworkTypes
import PolicyLanguage
import PolicyMeaning

extension Policy {
  /// What is worth trying about the policy: both sides of every edge of its addresses and ports.
  ///
  /// - Parameters:
  ///   - names: what names resolve to; their answers are interesting addresses.
  ///   - addressCap: at most so many addresses a family; large lists are thinned evenly.
  /// - Returns: what the plan is made from.
  func probeInterest(names: NameAnswers, addressCap: Int) -> ProbePlan.Interest {
    var v4: Set<UInt32> = [0x0102_0304, 0x9765_0145]
    var v6: Set<UInt128> = [
      0x2a04_4e42_0000_0000_0000_0000_0000_0645, 0x2606_4700_0000_0000_0000_0000_0000_1111,
    ]
    var ports: Set<UInt16> = [1, 443, 65535]
    for entry in allow + deny {
      for match in entry.ports ?? [] {
        ports.formUnion(ProbePlan.edges(of: match.ports ?? .init()))
      }
      guard let destination = entry.destination else { continue }
      v4.formUnion(thinned(ProbePlan.edges(of: destination.addresses.v4), to: addressCap))
      v6.formUnion(thinned(ProbePlan.edges(of: destination.addresses.v6), to: addressCap))
      for reference in destination.names {
        for address in names.addresses[reference.name] ?? [] {
          switch address {
          case .v4(let bits): v4.formUnion([bits &- 1, bits, bits &+ 1])
          case .v6(let bits): v6.formUnion([bits &- 1, bits, bits &+ 1])
          }
        }
      }
    }
    for flow in essentials.flatMap(\.flows) {
      ports.formUnion([flow.remotePort, flow.localPort].compactMap(\.self))
      v4.formUnion(thinned(ProbePlan.edges(of: flow.remote.v4), to: addressCap))
      v6.formUnion(thinned(ProbePlan.edges(of: flow.remote.v6), to: addressCap))
    }
    let embedded = thinned(v4.sorted(), to: 200)
    v6.formUnion(embedded.flatMap(\.embeddings))
    var interest = ProbePlan.Interest()
    interest.addresses = v4.sorted().map { .v4($0) } + v6.sorted().map { .v6($0) }
    interest.ports = ports.sorted()
    interest.protocols = protocols.value.filter(\.hasPorts)
    interest.foreignProtocols = ProbePlan.foreignProtocols
    let own = essentials.flatMap(\.flows)
    interest.localPorts =
      (sourcePorts.value.map { ProbePlan.edges(of: $0) } ?? [1, 65535])
      + own.filter { $0.direction == .outbound }.compactMap(\.localPort)
    interest.inboundPorts =
      [22, 443] + own.filter { $0.direction == .inbound }.compactMap(\.localPort)
    interest.shapeTargets = shapeTargets(interest, names)
    return interest
  }

  /// Two allowed flows a family and protocol, of which the ugly shapes are made; denied ones where
  /// nothing is allowed.
  private func shapeTargets(
    _ interest: ProbePlan.Interest, _ names: NameAnswers
  ) -> [Flow] {
    var targets: [Flow] = []
    for family in Family.allCases {
      for ipProtocol in interest.protocols {
        let flows = interest.addresses.lazy.filter { $0.family == family && $0.isProbable }
          .flatMap { address in
            interest.ports.lazy.map {
              Flow(ipProtocol: ipProtocol, remoteAddress: address, remotePort: $0)
            }
          }
        let allowed = flows.filter {
          self.decision(for: $0, names: names).decision == .allow
        }.prefix(2)
        targets += allowed.isEmpty ? Array(flows.prefix(1)) : Array(allowed)
      }
    }
    return targets
  }
}

extension IPAddress {
  /// Whether a raw packet to the address says something about rules: no multicast, no loopback.
  fileprivate var isProbable: Bool {
    switch self {
    case .v4(let bits): bits >> 24 != 0 && bits >> 24 != 127 && bits >> 28 < 14
    case .v6(let bits): bits >> 125 == 1
    }
  }
}

extension UInt32 {
  /// The IPv6 forms that carry an IPv4 address: NAT64, local NAT64, 6to4, ISATAP, compatible.
  fileprivate var embeddings: [UInt128] {
    let bits = UInt128(self)
    return [
      UInt128(0x64_ff9b) << 96 | bits, UInt128(0x64_ff9b_0001) << 80 | bits,
      UInt128(0x2002) << 112 | bits << 80,
      UInt128(0x2a04_4e42) << 96 | UInt128(0x5efe) << 32 | bits,
      UInt128(0x2a04_4e42) << 96 | UInt128(0x0200_5efe) << 32 | bits, bits,
    ]
  }
}

/// At most `count` of the values, evenly spread, the first and the last among them.
func thinned<Value>(_ values: [Value], to count: Int) -> [Value] {
  guard values.count > count, count > 1 else { return values }
  return (0..<count).map { values[$0 * (values.count - 1) / (count - 1)] }
}
