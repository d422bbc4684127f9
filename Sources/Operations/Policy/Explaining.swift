import Bytecode
import BytecodeInterpreter
import ConnectionReplay
import LinuxSystem
import NetworkTypes
import PolicyLanguage
import PolicyMeaning
import RuleCompiler

/// Why a policy decides a flow as it does.
public struct Explanation: Encodable, Sendable {
  /// Version of this form.
  public let version = 1
  /// The flow as weir read it.
  public let flow: String
  /// `allow` or `deny`.
  public let decision: String
  /// The clause that decides.
  public let clause: String
  /// Where the clause is written; nil for a built-in default.
  public let at: String?
  /// The document that the clause implements.
  public let citation: String?
  /// The compiled rules that the flow's first packet goes through, in order.
  public let rules: [String]
  /// What a name in the flow was taken for, if there is one.
  public let note: String?

  enum CodingKeys: String, CodingKey {
    case version, flow, decision, clause, at, citation, rules, note
  }
}

/// Explains what a policy says about a flow, and by which rule.
///
/// - Parameters:
///   - text: a flow: `udp 8.8.8.8:53`, `in tcp from 192.0.2.1 to :22`, `tcp smtp.gmail.com:587`.
///   - loaded: the policy.
///   - pins: addresses of names; a name without any gets one made up inside its `within`.
/// - Returns: the explanation.
/// - Throws: ``OperationFailure``: 64 for a text that is no flow, 70 when the compiled rules decide
///   otherwise than the policy.
public func explain(
  _ text: String, under loaded: LoadedPolicy, pins: NamePins = NamePins()
) throws(OperationFailure) -> Explanation {
  let policy = loaded.policy
  let parsed: FlowText
  do {
    parsed = try FlowText.parse(text)
  } catch {
    throw OperationFailure(.usage, "'\(text)': \(error)")
  }
  let names = policy.answersForVerification(pins: pins)
  var flow = parsed.flow
  var note: String?
  if let name = parsed.remoteName {
    guard let address = names.addresses[name]?.min() ?? pins.addresses[name]?.min() else {
      throw OperationFailure(
        .usage,
        "the policy does not mention \(name): give its address with --resolve \(name)=ADDRESS")
    }
    flow.remoteAddress = address
    note = "\(name) taken for \(address)"
  }
  let ruling = policy.decision(for: flow, names: names)
  let table = compile(policy).table(answers: names.addresses.mapValues { $0.sorted() })
  let item = VerifyCase(
    probe: Probe(flow), expectation: policy.expectation(for: Probe(flow), names: names),
    origin: "explain")
  let rules = try item.walk(table)
  return Explanation(
    flow: "\(parsed)", decision: ruling.decision.rawValue, clause: ruling.clause,
    at: ruling.location.map { "\($0)" }, citation: ruling.citation, rules: rules, note: note)
}

extension VerifyCase {
  /// The rules that the packet goes through, as nft writes them.
  fileprivate func walk(_ table: Table) throws(OperationFailure) -> [String] {
    var report = RungReport(.interpreter)
    do {
      var walk = ModelWalk(
        try Interpreter(ruleset: Ruleset(tables: [table])), VerifyStage(.host))
      guard let outcome = walk.outcome(of: self) else { return [] }
      report.compare(self, outcome, walk)
      if report.disagreementCount > 0 {
        throw OperationFailure(
          .internalError, "the compiled rules decide otherwise than the policy; run weir verify")
      }
      return try walk.steps.map { step in
        let text = try step.ruleIndex.flatMap { try table.nftRule($0, of: step.chain) }
        return "chain \(step.chain): \(text ?? "end of chain")"
      }
    } catch let failure as OperationFailure {
      throw failure
    } catch {
      throw OperationFailure(.internalError, "\(error)")
    }
  }
}
