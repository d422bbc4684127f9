public import Bytecode

/// What becomes of a packet at a hook.
public enum Outcome: Hashable, Sendable {
  /// Every base chain accepted it.
  case accept
  /// A base chain dropped it.
  case drop
  /// A base chain dropped it and answered its sender.
  case reject(Reject)
  /// A rule on its way does something that this model does not know, or reads a fact that is not
  /// stated; each reason names the rule.
  case cannotDecide(reasons: [String])
}

/// What a packet meets at a hook: the outcome and the rules that matched.
public struct Evaluation: Hashable, Sendable {
  /// What becomes of the packet.
  public let outcome: Outcome
  /// The rules whose every expression held, in order, and the ends of chains; the last step is
  /// the one that decided.
  public let trace: [TraceStep]
}

/// Room for the steps of one packet after the other.
public struct StepLog: Sendable {
  var steps: [RawStep]? = []

  /// An empty log.
  public init() {}

  /// The number of the chain in which the packet's way ended; nil when it met no base chain.
  ///
  /// Numbers are of one interpreter; see ``Interpreter/chainName(_:)``.
  public var lastChain: Int? { steps?.last.map { Int($0.chain) } }
}

/// A rule that matched, or the end of a chain.
///
/// The kernel's own trace reports the same steps (`NFT_TRACETYPE_RULE`, `NFT_TRACETYPE_POLICY`).
public struct TraceStep: Hashable, Sendable {
  /// The table's family.
  public let family: TableFamily
  /// The table's name.
  public let table: String
  /// The chain's name.
  public let chain: String
  /// The rule's place in its chain, from 0; nil for the end of the chain.
  public let ruleIndex: Int?
  /// The kernel's handle of the rule, when the ruleset was read from one.
  public let handle: UInt64?
  /// The rule's comment.
  public let comment: String?
  /// Which policy line the rule came from.
  public let provenance: Provenance?
  /// What the rule or the chain's end yields; `.continue` when the rule gives no verdict, `.drop`
  /// for a rejection.
  public let verdict: Verdict

  /// Makes a step, for one to compare with.
  public init(
    family: TableFamily, table: String, chain: String, ruleIndex: Int?, handle: UInt64? = nil,
    comment: String? = nil, provenance: Provenance? = nil, verdict: Verdict
  ) {
    self.family = family
    self.table = table
    self.chain = chain
    self.ruleIndex = ruleIndex
    self.handle = handle
    self.comment = comment
    self.provenance = provenance
    self.verdict = verdict
  }
}

/// Why a ruleset cannot be interpreted; a kernel would have refused it.
public enum InterpreterError: Error, Hashable, Sendable {
  /// A jump or goto leads to a chain that the table does not have.
  case unknownChain(table: String, chain: String)
  /// A lookup names a set that the table does not have.
  case unknownSet(table: String, set: String)
  /// Jumps or gotos lead back to a chain.
  case loop(table: String, chain: String)
  /// An element's key or data are longer than the register file.
  case malformedElement(table: String, set: String)
}
