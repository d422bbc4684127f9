import Bytecode
import NetworkTypes

/// A ruleset made ready to run: flat arrays, chains and sets by number.
struct Program {
  /// One step of a rule; what the fields mean is said per ``Operation``.
  struct Instruction {
    var operation: Operation
    /// The word a value is read from or written to.
    var register: UInt8 = 0
    /// A second word.
    var other: UInt8 = 0
    /// A length in bytes or words.
    var length: UInt8 = 0
    /// A number: an offset, a key, a table index.
    var index: UInt32 = 0
    /// A constant of at most 4 bytes, left aligned.
    var value: UInt32 = 0
    /// A mask of at most 4 bytes, left aligned.
    var mask: UInt32 = 0
  }

  enum Operation: UInt8 {
    /// `register` gets meta data `index`.
    case meta
    /// `register` gets conntrack data `index`.
    case ct
    /// `register` gets `length` bytes at `index` from the network header.
    case network
    /// The same from the transport header; `other` is 1 for loads that the kernel does quickly.
    case transport
    /// The same from the layer-4 payload.
    case inner
    /// Compares `register & mask` with `value`; `other` is the operator.
    case compare
    /// Compares `length` bytes with constant `index`; `other` is the operator.
    case compareWide
    /// Whether `register & mask` lies in `value...index`, or not if `other` is 1.
    case range
    /// The same for `length` bytes and constants `index`, `index + 1`.
    case rangeWide
    /// `other` gets `register & mask ^ value`.
    case mask
    /// The same for `length` words, with words from `index`: masks, then xors.
    case maskWide
    /// `other` gets the `length` bytes of `register` reversed.
    case swap
    /// Looks `register` up in set `index`; `other` is 1 when inverted.
    case member
    /// Looks `register` up in map `index`; the data go to `other`.
    case map
    /// Looks `register` up in verdict map `index`.
    case verdictMap
    /// `register` gets `length` words from `index`.
    case data
    /// Gives verdict `index`.
    case verdict
    /// Drops the packet with answer `index`.
    case reject
    /// The mark becomes `register`.
    case setMark
    /// `register` gets whether IPv6 header `index` is there.
    case headerPresence
    /// `register` gets `length` bytes at `value` of IPv6 header `index`.
    case headerBytes
    /// `register` gets the address type of the source (`index` 1) or destination (2).
    case addressType
    /// Runs expression `index` of ``Program/others``, which is at place `value`; a set it uses is
    /// number `mask`.
    case other
    /// `register` gets the `length` bytes that expression `index` loads.
    case otherLoad
    /// Translates the packet's flow as plan `index` says.
    case translate
    /// Not known; reason `index`.
    case undecided
  }

  struct CompiledVerdict {
    var kind: Kind
    var chain: Int32 = -1
    enum Kind: UInt8 { case drop, accept, `continue`, `break`, jump, goto, `return` }
  }

  struct CompiledChain {
    var firstRule: Int32 = 0
    var endRule: Int32 = 0
    /// Whether the end of a base chain drops.
    var isPolicyDrop = false
    var table: Int32
    var chain: Int32
  }

  /// Where a rule's instructions start and end.
  struct CompiledRule {
    var start: Int32
    var end: Int32
    var chain: Int32
  }

  /// A base chain at a hook, or why that hook cannot be decided.
  struct Entry {
    var chain: Int32
    var families: TableFamily
    var priority: Int32 = 0
    var isNAT = false
    var isRoute = false
    var obstacle: Int32 = -1
    /// What a single hook cannot decide, but a walk over the path can; -1 for nothing.
    var lonelyObstacle: Int32 = -1
  }

  /// Where an expression without an instruction of its own stands.
  struct OtherPlace {
    var place: ExpressionPlace
    var instruction: Int32
  }

  /// Why something is not decided: where, and what about it.
  struct Reason {
    var place: String
    var detail: String
    var text: String { "\(place): \(detail)" }
  }

  let kernel: KernelBehaviour
  var code: [Instruction] = []
  var rules: [CompiledRule] = []
  var chains: [CompiledChain] = []
  var verdicts: [CompiledVerdict] = []
  /// The verdicts as values, for traces.
  var verdictValues: [Verdict] = []
  var rejects: [Reject] = []
  var constants: [UInt128] = []
  var words: [UInt32] = []
  var sets = SetStore()
  var reasons: [Reason] = []
  /// For every instruction, the place of its expression in its rule.
  var expressionNumbers: [UInt16] = []
  /// Expressions that are run as they are, loads into word 0.
  var others: [Expression] = []
  /// Where those stand.
  var places: [OtherPlace] = []
  /// Sets that are more than their keys, by number.
  var slowSets: [UInt32: SlowSet] = [:]
  /// What matches and targets of xtables ask and do, by number of their expression.
  var matchValues: [UInt32: MatchValue] = [:]
  var targetValues: [UInt32: TargetValue] = [:]
  /// What an expression by number lacks when it cannot be decided.
  var lacks: [UInt32: String] = [:]
  /// Whether rules write packet bytes, so that headers may move from chain to chain.
  var changesBytes = false
  /// Whether flowtables may take forwarded packets past every hook.
  var hasFlowtables = false
  /// Why no packet can be decided: a chain at a hook that nobody knows.
  var obstacle: Int32 = -1
  /// What `Operation.translate` does.
  var translations: [TranslationPlan] = []
  /// Families whose packets conntrack sees because an expression asks for it.
  var trackedFamilies: Set<Family> = []
  /// Base chains of each hook number in the order they run.
  var entries: [[Entry]] = Array(repeating: [], count: Hook.allCases.count)

  init(kernel: KernelBehaviour) { self.kernel = kernel }
}
