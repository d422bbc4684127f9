public import Bytecode
import NetworkTypes

/// Tells what nf_tables would do with a packet, at one hook or on its whole path.
///
/// ``outcome(hook:packet:)`` is the quick way, for one hook: what depends on other hooks (nat chains,
/// devices) or on something that is not stated is ``Outcome/cannotDecide(reasons:)``.
/// ``passage(of:path:in:)`` walks every hook, and every way through what is not stated. Base chains
/// run by priority; the packet passes when every one accepts, and a drop is final. Dormant tables do
/// not count.
///
/// Source: `nf_hook_slow`, `net/netfilter/core.c`; `nft_do_chain`,
/// `net/netfilter/nf_tables_core.c`.
/// Example:
/// ```
/// let interpreter = try Interpreter(ruleset: ruleset)
/// interpreter.outcome(hook: .output, packet: packet)  // .accept
/// ```
public struct Interpreter: Sendable {
  let ruleset: Ruleset
  let program: Program
  let schedule: PathSchedule

  /// Makes a ruleset ready to run: sets become sorted arrays, chains and verdicts numbers.
  ///
  /// O(n log n) in the number of elements.
  ///
  /// - Throws: ``InterpreterError`` for a ruleset that no kernel would hold.
  public init(
    ruleset: Ruleset, kernel: KernelBehaviour = .linux6_18
  ) throws(InterpreterError) {
    self.ruleset = ruleset
    program = try ProgramCompiler.compile(ruleset, kernel)
    schedule = PathSchedule(program)
  }

  /// What becomes of a packet, without a trace.
  ///
  /// Allocates nothing unless it cannot decide. O(log n) per lookup in a set, O(n) in sets of
  /// concatenated ranges.
  public func outcome(hook: Hook, packet: borrowing PacketContext) -> Outcome {
    var trace: [RawStep]? = nil
    return run(hook, packet, &trace)
  }

  /// What becomes of a packet, and which rules it meets.
  public func verdict(hook: Hook, packet: borrowing PacketContext) -> Evaluation {
    var trace: [RawStep]? = []
    let outcome = run(hook, packet, &trace)
    return Evaluation(outcome: outcome, trace: (trace ?? []).map(step))
  }

  /// What becomes of a packet, and in `log` which rules it met.
  ///
  /// Allocates nothing once the log has grown, unless it cannot decide.
  public func outcome(
    hook: Hook, packet: borrowing PacketContext, log: inout StepLog
  ) -> Outcome {
    log.steps?.removeAll(keepingCapacity: true)
    return run(hook, packet, &log.steps)
  }

  /// The name of a chain by ``StepLog/lastChain``.
  public func chainName(_ number: Int) -> String {
    let chain = program.chains[number]
    return ruleset.tables[Int(chain.table)].chains[Int(chain.chain)].name
  }

  /// The steps in `log`, as ``verdict(hook:packet:)`` gives them.
  public func trace(_ log: StepLog) -> [TraceStep] { (log.steps ?? []).map(step) }

  private func run(
    _ hook: Hook, _ packet: borrowing PacketContext, _ trace: inout [RawStep]?
  ) -> Outcome {
    guard var headers = PacketHeaders(packet.bytes.span, packet.family, program.kernel) else {
      return .cannotDecide(reasons: ["the bytes are no \(packet.family) packet"])
    }
    if program.obstacle >= 0 {
      return .cannotDecide(reasons: [program.reasons[Int(program.obstacle)].text])
    }
    var state = MachineState(packet)
    for entry in program.entries[Int(hook.rawValue)] {
      switch entry.families {
      case .ip where packet.family != .ipv4, .ip6 where packet.family != .ipv6: continue
      default: break
      }
      let obstacle = max(entry.obstacle, entry.lonelyObstacle)
      if obstacle >= 0 {
        return .cannotDecide(reasons: [program.reasons[Int(obstacle)].text])
      }
      if program.changesBytes,
        let now = PacketHeaders(state.bytes.span, packet.family, program.kernel)
      {
        headers = now
      }
      switch program.run(entry.chain, packet, headers, &state, &trace) {
      case .accept: continue
      case .drop: return .drop
      case .reject(let number): return .reject(program.rejects[Int(number)])
      case .queue: return .cannotDecide(reasons: ["a rule gives the packet to user space"])
      case .stolen: return .drop
      case .undecided(let instruction):
        return .cannotDecide(reasons: [self.obstacle(instruction: instruction).description])
      }
    }
    return .accept
  }

  private func step(_ raw: RawStep) -> TraceStep {
    let chain = program.chains[Int(raw.chain)]
    let table = ruleset.tables[Int(chain.table)]
    let source = table.chains[Int(chain.chain)]
    let index = raw.rule < 0 ? nil : Int(raw.rule - chain.firstRule)
    let rule = index.map { source.rules[$0] }
    let verdict: Verdict =
      if raw.rule < 0 {
        chain.isPolicyDrop ? .drop : .accept
      } else if raw.verdict == -2 {
        .drop
      } else if raw.verdict == Ending.accept.rawValue {
        .accept
      } else {
        raw.verdict < 0 ? .continue : program.verdictValues[Int(raw.verdict)]
      }
    return TraceStep(
      family: table.family, table: table.name, chain: source.name, ruleIndex: index,
      handle: rule?.handle, comment: rule?.comment, provenance: rule?.provenance,
      verdict: verdict)
  }
}

extension Program {
  /// What an instruction that cannot be decided lacks.
  func lack(of instruction: Instruction) -> String {
    switch instruction.operation {
    case .undecided: return reasons[Int(instruction.index)].detail
    case .other, .otherLoad:
      if let lack = lacks[instruction.index] { return lack }
      return others[Int(instruction.index)].lack
    case .meta: return "meta \(MetaKey(rawValue: instruction.index)?.keyword ?? "") is not stated"
    case .ct: return "ct \(ConntrackKey(rawValue: instruction.index)?.keyword ?? "") is not stated"
    case .translate: return "the packet's flow is not stated"
    case .addressType: return "fib \(instruction.index == 1 ? "saddr" : "daddr") type is not stated"
    default: return "what it reads is not stated"
    }
  }
}

extension Expression {
  /// What it needs besides packet and ruleset.
  fileprivate var lack: String {
    switch self {
    case .meta(let load): "meta \(load.key.keyword) is not stated"
    case .ct(let load): "ct \(load.key.keyword) is not stated"
    case .payload: "the link-layer header is not stated"
    case .extensionHeader: "whether the kernel takes the IP options as well formed is not known"
    case .limit, .quota, .connectionLimit, .objectReference, .objectMap:
      "what the \(name) has left is not stated"
    case .numberGenerator, .hash: "which number it yields is not stated"
    case .route, .fib, .socket, .fingerprint, .tunnel, .transform:
      "what \(name) finds is not stated"
    case .match(let match): "whether \(match.name) holds is not stated"
    case .target(let target): "what \(target.name) does is not modelled"
    case .metaSet, .ctSet: "it changes what later hooks see"
    default: "it is not modelled"
    }
  }
}
