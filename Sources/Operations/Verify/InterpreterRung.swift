import Bytecode
import BytecodeInterpreter
import ConnectionReplay
import LinuxSystem
import NetworkTypes
import PolicyLanguage
import PolicyMeaning

extension VerifyPlan {
  /// Every probe through a model of the kernel that runs the table's bytecode.
  ///
  /// Lone fragments that the kernel holds back never reach a rule and are left out.
  func interpreterRung(_ table: Table, clock: () -> UInt64) -> RungReport {
    var report = RungReport(.interpreter)
    let interpreter: Interpreter
    do {
      interpreter = try Interpreter(ruleset: Ruleset(tables: [table]))
    } catch {
      report.outcome = .disagrees
      report.note = "no kernel would hold the table: \(error)"
      return report
    }
    let start = clock()
    var builder = PacketBuilder()
    let addresses = SandboxAddresses()
    for item in cases {
      guard let packet = item.packet(&builder, addresses) else { continue }
      let isInbound = item.probe.flow.direction == .inbound
      let evaluation = interpreter.verdict(
        hook: isInbound ? .input : .output, packet: packet)
      report.compare(item, evaluation, packet.bytes)
    }
    report.durationNanoseconds = clock() - start
    report.conclude()
    return report
  }
}

extension VerifyCase {
  /// The probe's packet with what the kernel would know about it; nil when it meets no rule.
  func packet(_ builder: inout PacketBuilder, _ addresses: SandboxAddresses) -> PacketContext? {
    guard let state = expectation.state else { return nil }
    builder.build(probe, host: addresses.inside(probe.family), tag: 1)
    var packet = PacketContext(family: probe.family, bytes: builder.bytes, ctState: state)
    let link = NetworkInterface(index: 2, name: SandboxTopology.linkName)
    if probe.flow.direction == .inbound {
      packet.inputInterface = .known(link)
      packet.outputInterface = .absent
    } else {
      packet.inputInterface = .absent
      packet.outputInterface = .known(link)
    }
    packet.destinationType = .known(probe.flow.destinationType)
    return packet
  }
}

extension Flow {
  /// `RTN_*` of the destination: 3 broadcast, 5 multicast, 1 unicast.
  fileprivate var destinationType: UInt32 {
    switch remoteAddress {
    case .v4(let bits): isLinkBroadcast || bits == .max ? 3 : bits >> 28 == 14 ? 5 : 1
    case .v6(let bits): bits >> 120 == 0xff ? 5 : 1
    }
  }
}

extension RungReport {
  /// Judges what a rule walk decided, clause included, against the reference.
  mutating func compare(_ item: VerifyCase, _ evaluation: Evaluation, _ packet: [UInt8]) {
    let expected = item.expectation.ruling
    let seen: (decision: Decision, clause: String?)
    switch evaluation.outcome {
    case .accept: seen = (.allow, nil)
    case .drop, .reject: seen = (.deny, evaluation.trace.last.flatMap { clause(ofChain: $0.chain) })
    case .cannotDecide(let reasons):
      leaveOpen("\(item.probe)", reasons.joined(separator: "; "))
      return
    }
    if seen.decision == expected.decision, seen.decision == .allow || seen.clause == expected.clause
    {
      agree(expected)
      return
    }
    disagree(
      Disagreement(
        probe: "\(item.probe)", origin: item.origin,
        expected: "\(expected.decision.rawValue) \(expected.clause)",
        seen: "\(seen.decision.rawValue) \(seen.clause ?? "")", packet: packet.hex,
        rules: evaluation.trace.map(\.text)))
  }
}

/// The clause of a chain that denies: `private` of `g1/deny/private`.
func clause(ofChain name: String) -> String? {
  let parts = name.split(separator: "/")
  guard parts.count == 3, parts[1] == "deny" || parts[1] == "deny-in" else { return nil }
  return String(parts[2])
}

extension TraceStep {
  /// The rule's place and verdict, for people: `inet weir g1/new4 rule 1: goto g1/deny/private`.
  var text: String {
    let place = ruleIndex.map { "rule \($0 + 1)" } ?? "end of chain"
    return "\(family.keyword) \(table) \(chain) \(place): \(verdict.text)"
  }
}

extension Verdict {
  /// As nft(8) writes it.
  fileprivate var text: String {
    switch self {
    case .drop: "drop"
    case .accept: "accept"
    case .continue: "continue"
    case .break: "break"
    case .jump(let chain): "jump \(chain)"
    case .goto(let chain): "goto \(chain)"
    case .return: "return"
    }
  }
}

extension [UInt8] {
  /// Two hexadecimal digits a byte.
  var hex: String {
    map { byte in
      let digits = String(byte, radix: 16)
      return digits.count < 2 ? "0" + digits : digits
    }.joined()
  }
}
