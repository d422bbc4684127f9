import ConnectionReplay
import NetworkTypes

extension NetworkSandbox {
  /// Proves that the sandbox can tell a difference: without rules, ordinary probes get out.
  ///
  /// A sandbox whose wire is broken would agree with every denial. To be called before any rules
  /// are loaded: TCP and UDP of both families.
  /// - Throws: ``OperationFailure`` (2) naming the probe that did not get out, or what `observe` throws.
  func requireSight() throws {
    let seen = try observe(sightProbes)
    for (probe, observation) in zip(sightProbes, seen)
    where observation.judged(against: .allow) != .agrees {
      throw OperationFailure(
        .unknown,
        "the sandbox shows nothing: without any rules, \(probe) should get out; \(observation)")
    }
  }
}

/// One ordinary flow a protocol and family.
private let sightProbes: [Probe] = [
  IPAddress.v4(0x9765_0145), .v6(0x2a04_4e42_0000_0000_0000_0000_0000_0645),
].flatMap { address in
  [IPProtocol.tcp, .udp].map {
    Probe(Flow(ipProtocol: $0, remoteAddress: address, remotePort: 443))
  }
}
