import ConnectionReplay
import LinuxSystem
import NetworkTypes
import PolicyLanguage
import PolicyMeaning

/// One probe with what the reference says about it.
struct VerifyCase {
  var probe: Probe
  var expectation: Expectation
  /// Where it comes from: `file:line:column`, or `generated`.
  var origin: String
  /// What the author of a test expects; nil for generated probes.
  var authored: (decision: Decision, clause: String?)?
}

/// Everything that a verification tries.
struct VerifyPlan {
  /// The policy itself.
  let policy: Policy
  /// What names resolve to while verifying.
  var names: NameAnswers
  /// The cases, tests first.
  var cases: [VerifyCase]
  /// Probes that the cap left out.
  var omittedCount: Int

  /// Plans the policy's tests, the caller's cases and generated probes.
  init(
    _ policy: Policy, pins: NamePins, extra: [PolicyTest] = [], cap: Int,
    scope: VerifiedScope = .host
  ) {
    let names = policy.answersForVerification(pins: pins)
    self.names = names
    self.policy = policy
    func make(
      _ flow: Flow, _ name: String?, origin: String, _ authored: (Decision, String?)?
    ) -> [VerifyCase] {
      flow.targets(name, names).map { target in
        let probe = Probe(target).from(policy.usualLocalPort)
        return VerifyCase(
          probe: probe, expectation: policy.expectation(for: probe, names: names, scope),
          origin: origin, authored: authored)
      }
    }
    cases = (policy.tests + extra).flatMap {
      make($0.flow, $0.remoteName, origin: "\($0.location)", ($0.expected, $0.clause))
    }
    let plan = ProbePlan(policy.probeInterest(names: names, addressCap: 4000), cap: cap)
    omittedCount = plan.omittedCount
    cases += (policy.linkBroadcastProbes + Probe.linkControl + plan.probes).map {
      let probe = $0.from(policy.usualLocalPort)
      return VerifyCase(
        probe: probe, expectation: policy.expectation(for: probe, names: names, scope),
        origin: "generated")
    }
  }
}

extension Flow {
  /// The flow itself, or one flow for each answer of the name it goes to.
  ///
  /// A link's directed broadcast becomes that of the sandbox's link, wherever the test puts it.
  fileprivate func targets(_ name: String?, _ names: NameAnswers) -> [Flow] {
    guard let name else {
      var flow = self
      if isLinkBroadcast { flow.remoteAddress = SandboxAddresses().publicBroadcast }
      return [flow]
    }
    return (names.addresses[name] ?? []).sorted().map {
      var flow = self
      flow.remoteAddress = $0
      return flow
    }
  }
}

extension Policy {
  /// The directed broadcast of the sandbox's link, on a port that is allowed elsewhere.
  fileprivate var linkBroadcastProbes: [Probe] {
    protocols.value.filter(\.hasPorts).map {
      Probe(
        Flow(
          ipProtocol: $0, remoteAddress: SandboxAddresses().publicBroadcast, remotePort: 443,
          isLinkBroadcast: true))
    }
  }

  /// Pins where there are any; else two addresses a family made up inside the name's `within`.
  ///
  /// Verification must not depend on a network: what a name resolves to is an input of the rules,
  /// and any address inside `within` exercises them alike.
  func answersForVerification(pins: NamePins) -> NameAnswers {
    var answers: [String: Set<IPAddress>] = [:]
    var ordinal = 0
    for reference in (allow + deny).flatMap({ $0.destination?.names ?? [] })
    where answers[reference.name] == nil {
      ordinal += 1
      if let pinned = pins.addresses[reference.name] {
        answers[reference.name] = Set(pinned.filter { reference.accepts($0) })
      } else {
        answers[reference.name] = Set(
          reference.within.v4.samples(ordinal).map { .v4($0) }
            + reference.within.v6.samples(ordinal).map { .v6($0) })
      }
    }
    return NameAnswers(answers)
  }
}

extension Policy {
  /// A port to send from where the policy does not allow those that the kernel chooses; else nil.
  fileprivate var usualLocalPort: UInt16? {
    guard let allowed = sourcePorts.value else { return nil }
    let chosen = PortSet([Interval(32768, 60999)])
    return chosen.isSubset(of: allowed) ? nil : allowed.intervals.first?.first
  }
}

extension Probe {
  /// The probe from a port, where it does not name one itself.
  fileprivate func from(_ port: UInt16?) -> Probe {
    guard let port, flow.ipProtocol.hasPorts, flow.direction == .outbound, flow.localPort == nil
    else { return self }
    var probe = self
    probe.flow.localPort = port
    return probe
  }

  /// Link control that must pass, and the same messages as a router would have forwarded them.
  fileprivate static var linkControl: [Probe] {
    let allRouters = UInt128(0xff02) << 112 | 2
    let reports = UInt128(0xff02) << 112 | 0x16
    let elsewhere = UInt128(0x2a04_4e42) << 96 | 1
    let messages: [(type: UInt8, hopLimit: UInt8, to: UInt128)] = [
      (133, 255, allRouters), (135, 255, elsewhere), (136, 255, elsewhere),
      (135, 254, elsewhere), (136, 64, elsewhere), (134, 255, elsewhere),
      (131, 1, reports), (132, 1, allRouters), (143, 1, reports), (143, 255, reports),
      (143, 1, elsewhere), (130, 1, reports), (1, 64, elsewhere), (129, 64, elsewhere),
    ]
    return messages.map { message in
      Probe(
        Flow(ipProtocol: .icmpv6, remoteAddress: .v6(message.to)),
        shape: .controlMessage(type: message.type, hopLimit: message.hopLimit))
    }
  }
}

extension SandboxAddresses {
  /// The directed broadcast of the inside's link that lies in globally reachable space.
  fileprivate var publicBroadcast: IPAddress { .v4(second4 | 0xff) }
}

extension IntervalSet {
  /// Two members from inside the widest interval, different for each ordinal.
  fileprivate func samples(_ ordinal: Int) -> [Bound] {
    guard let widest = intervals.max(by: { $0.last - $0.first < $1.last - $1.first }),
      let offset = Bound(exactly: 16 * ordinal + 1), widest.last - widest.first > offset + 2
    else { return intervals.first.map { [$0.first] } ?? [] }
    let middle = widest.first + (widest.last - widest.first) / 2
    return [middle - offset, middle - offset - 2]
  }
}
