import Bytecode
import BytecodeInterpreter
import LinuxSystem
import NetfilterLink
import NetworkTypes
import PacketSets
import PolicyLanguage
import PolicyMeaning
import RuleCompiler
import SymbolicAnalysis

/// One side of a comparison: rules, and the kernel that runs them.
struct DiffSide {
  let ruleset: Ruleset
  let quirks: (analysis: KernelQuirks, interpreter: KernelBehaviour)
  /// Nil for a ruleset that no kernel would hold.
  let interpreter: Interpreter?

  /// The rules of an origin; a policy is compiled, for the other side's kernel where it has one.
  init(_ origin: DiffOrigin, names: NameAnswers, tableName: String, against other: DiffOrigin) {
    switch origin {
    case .rules(let snapshot, _): ruleset = snapshot.ruleset.withoutSeals
    case .policy(let loaded):
      let answers = names.addresses.mapValues { $0.sorted() }
      let compiled = compile(loaded.policy, tableName: tableName)
      ruleset = Ruleset(tables: [compiled.table(answers: answers)])
    }
    let found = (origin.snapshot ?? other.snapshot)?.quirks
    quirks = found.map { ($0.analysis, $0.interpreter) } ?? (.linux6_18, .linux6_18)
    interpreter = try? Interpreter(ruleset: ruleset, kernel: quirks.interpreter)
  }

  /// Rules on a kernel with the quirks of the one that a snapshot was taken on.
  init(_ ruleset: Ruleset, onKernelOf snapshot: LoadedSnapshot) {
    self.ruleset = ruleset.withoutSeals
    let found = snapshot.quirks
    quirks = (found.analysis, found.interpreter)
    interpreter = try? Interpreter(ruleset: self.ruleset, kernel: quirks.interpreter)
  }
}

/// What the interpreter makes of a packet.
struct Sight {
  /// Whether it passes; nil when that is not decided.
  var passes: Bool?
  var path: [PathStep] = []
  /// Why it is not decided.
  var obstacle: String?
}

extension DiffSide {
  /// The packet through the interpreter, which shares no code with the analysis.
  func sight(of point: PacketPoint, _ way: PacketWay, _ links: WitnessLinks) -> Sight {
    guard let interpreter else { return Sight(obstacle: "the interpreter cannot run these rules") }
    guard let packet = point.context(links) else {
      return Sight(obstacle: "the packet cannot be written as bytes")
    }
    let passage = interpreter.passage(of: packet, path: way.path, in: .asRead)
    let path = passage.trace.compactMap { ruleset.step($0) }
    switch passage.fate {
    case .passes: return Sight(passes: true, path: path)
    case .dropped, .rejected, .stolen: return Sight(passes: false, path: path)
    case .queued: return Sight(path: path, obstacle: "a rule gives it to user space")
    case .cannotDecide(let obstacles):
      return Sight(
        path: path, obstacle: obstacles.map(\.description).joined(separator: "; "))
    }
  }
}
