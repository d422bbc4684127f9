import Bytecode
import BytecodeInterpreter
import ConnectionReplay
import LinuxSystem
import NetworkTypes
import PolicyLanguage
import PolicyMeaning
import RuleCompiler

extension VerifyPlan {
  /// Every probe through a model of the kernel that runs the table's bytecode.
  ///
  /// Lone fragments that the kernel holds back never reach a rule and are left out.
  func interpreterRung(
    _ table: Table, _ stage: VerifyStage = VerifyStage(.host), clock: () -> UInt64
  ) -> RungReport {
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
    var walk = ModelWalk(interpreter, stage)
    for item in cases {
      guard let outcome = walk.outcome(of: item) else { continue }
      report.compare(item, outcome, walk)
    }
    report.durationNanoseconds = clock() - start
    report.conclude()
    return report
  }
}

/// One packet after the other through the model, with the same buffers.
struct ModelWalk {
  private let interpreter: Interpreter
  private let stage: VerifyStage
  private let addresses = SandboxAddresses()
  private var builder = PacketBuilder()
  private var log = StepLog()
  private var outbound = PacketContext(family: .ipv4, bytes: [])
  private var inbound = PacketContext(family: .ipv4, bytes: [])
  /// The clause of each chain that has decided something; nil for one that denies under no clause.
  private var clauses: [Int: String?] = [:]
  /// The clause of the chain that ended the last packet's way.
  private(set) var clause: String?

  init(_ interpreter: Interpreter, _ stage: VerifyStage) {
    self.interpreter = interpreter
    self.stage = stage
    let link = NetworkInterface(index: 2, name: SandboxTopology.linkName)
    outbound.inputInterface = .absent
    outbound.outputInterface = .known(link)
    inbound.inputInterface = .known(link)
    inbound.outputInterface = .absent
    switch stage.binding?.dimension {
    case .cgroup(let level):
      let load = Expression.socket(
        SocketLoad(.cgroupv2, level: level, into: Register(word: 0)))
      outbound.state(load, as: .known(stage.binding?.key ?? []))
      inbound.state(load, as: .known(stage.binding?.key ?? []))
    case .user:
      outbound.socketUser = .known(stage.binding?.key.hostNumber ?? 0)
    case .interface:
      let tenant = NetworkInterface(index: 3, name: SandboxTopology.tenantLinkName)
      outbound.inputInterface = .known(tenant)
      inbound.outputInterface = .known(tenant)
    case nil: break
    }
    outbound.ctDirection = .known(0)
    inbound.ctDirection = .known(0)
  }

  /// The rules that the last packet met.
  var steps: [TraceStep] { interpreter.trace(log) }

  /// The last packet's bytes, hexadecimal.
  var packet: String { builder.bytes.hex }

  /// What becomes of a probe's packet; nil when it meets no rule.
  mutating func outcome(of item: borrowing VerifyCase) -> Outcome? {
    guard let state = item.expectation.state else { return nil }
    var probe = item.probe
    // Rules see a whole packet without its fragment header: reassembly strips it.
    if probe.shape == .atomicFragment { probe.shape = .plain }
    builder.build(probe, host: addresses.inside(probe.family), tag: 1)
    let outcome: Outcome
    if item.probe.flow.direction == .outbound {
      outbound.take(item, state, &builder)
      outcome = interpreter.outcome(
        hook: stage.isRouted ? .forward : .output, packet: outbound, log: &log)
      builder.exchange(with: &outbound.bytes)
    } else if case .user = stage.scope {
      // Whose it is shows when the socket answers.
      guard item.probe.flow.ipProtocol.hasPorts else { return nil }
      outcome = outcomeOfAnswer(item)
    } else {
      inbound.take(item, state, &builder)
      let entry = interpreter.outcome(
        hook: stage.isRouted ? .forward : .input, packet: inbound, log: &log)
      builder.exchange(with: &inbound.bytes)
      if case .accept = entry, case .cgroup = stage.scope, probe.flow.ipProtocol.hasPorts {
        outcome = outcomeOfAnswer(item)
      } else {
        outcome = entry
      }
    }
    clause = nil
    if case .accept = outcome { return outcome }
    if let chain = log.lastChain {
      if clauses[chain] == nil {
        clauses[chain] = Operations.clause(ofChain: interpreter.chainName(chain))
      }
      clause = clauses[chain] ?? nil
    }
    return outcome
  }

  /// What becomes of the first packet back to somebody who opened a flow.
  private mutating func outcomeOfAnswer(_ item: borrowing VerifyCase) -> Outcome {
    let answer = item.probe.answer
    builder.build(answer, host: addresses.inside(answer.family), tag: 1)
    outbound.take(item, .established, &builder)
    outbound.ctDirection = .known(1)
    defer {
      outbound.ctDirection = .known(0)
      builder.exchange(with: &outbound.bytes)
    }
    return interpreter.outcome(hook: .output, packet: outbound, log: &log)
  }
}

extension PacketContext {
  /// Becomes a probe's packet; its bytes come from the builder, and go back there after the walk.
  fileprivate mutating func take(
    _ item: borrowing VerifyCase, _ state: ConntrackState, _ builder: inout PacketBuilder
  ) {
    family = item.probe.family
    ctState = state
    destinationType = .known(item.probe.flow.destinationType)
    builder.exchange(with: &bytes)
  }
}

extension Probe {
  /// The first packet back.
  fileprivate var answer: Probe {
    var answer = self
    answer.flow.direction = .outbound
    return answer
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
  mutating func compare(
    _ item: VerifyCase, _ outcome: BytecodeInterpreter.Outcome, _ walk: ModelWalk
  ) {
    let expected = item.expectation.ruling
    let decision: Decision
    switch outcome {
    case .accept: decision = .allow
    case .drop, .reject: decision = .deny
    case .cannotDecide(let reasons):
      leaveOpen("\(item.probe)", reasons.joined(separator: "; "))
      return
    }
    if decision == expected.decision, decision == .allow || walk.clause == expected.clause {
      agree(expected)
      return
    }
    disagree(
      Disagreement(
        probe: "\(item.probe)", origin: item.origin,
        expected: "\(expected.decision.rawValue) \(expected.clause)",
        seen: "\(decision.rawValue) \(walk.clause ?? "")", packet: walk.packet,
        rules: walk.steps.map(\.text)))
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
