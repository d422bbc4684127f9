import Bytecode
import PacketSets

/// Packets that have come equally far in a rule.
struct RulePath {
  /// Which packets, as they were when the rule began.
  var packets: Diagram
  var registers = RegisterFile()
  /// What the rule has changed so far.
  var change = Change()
  /// What may have become of them before, at expressions that cannot be decided.
  var pending = Outcome()
}

/// A rule being evaluated: what is decided, and where.
struct RuleRun {
  var tableIndex: Int
  var context: EvaluationContext
  /// Disjoint sets of packets, and what becomes of them.
  var finished: [(packets: Diagram, function: Diagram)] = []
}

/// A load of some packets: the bits they get, or nil where the rule breaks.
struct LoadCase {
  var packets: Diagram
  var bits: [Bit]?
  /// Why the load may break all the same.
  var mayBreak: Int32?
}
