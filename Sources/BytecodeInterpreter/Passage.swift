public import Bytecode

/// Which hooks a packet crosses.
public enum Path: Hashable, Sendable, CaseIterable {
  /// A packet of this host: output, postrouting, then the egress of its device.
  case output
  /// A packet that is routed through: prerouting, forward, postrouting, then egress.
  case forward
  /// A packet for this host: prerouting, input.
  case input

  /// The hooks of the IP families in order.
  public var hooks: [Hook] {
    switch self {
    case .output: [.output, .postrouting]
    case .forward: [.prerouting, .forward, .postrouting]
    case .input: [.prerouting, .input]
    }
  }
}

/// What becomes of a packet on its path through every hook.
public enum Fate: Hashable, Sendable {
  /// It passed every hook, and leaves (or is delivered, on the input path) like this.
  case passes(PassedPacket)
  /// A rule or a chain's policy dropped it: the last step of the trace.
  case dropped
  /// A rule dropped it and answered its sender.
  case rejected(Reject)
  /// A rule gave it to user space; the kernel drops it if nobody listens there.
  case queued
  /// Something took it: `fwd` to a device, `synproxy`, or reassembly, which waits for the rest.
  case stolen
  /// The answer depends on something that is unknown, or not stated.
  case cannotDecide([Obstacle])
}

/// A packet that passed its last hook.
public struct PassedPacket: Hashable, Sendable {
  /// The packet from its network header on, with what rules and address translation changed.
  public var bytes: [UInt8]
  /// `meta mark` at the end.
  public var mark: Fact<UInt32>
  /// The device it leaves by; unknown when something had it routed anew.
  public var outputInterface: Fact<NetworkInterface>
  /// Whether address translation changed it.
  public var isTranslated: Bool
}

/// What keeps a packet's fate from being decided.
public struct Obstacle: Hashable, Sendable {
  /// Where; nil when it is about the packet as a whole.
  public var place: RulePlace?
  /// The expression in nft's `--debug=netlink` notation; nil when it is about a whole chain.
  public var expression: String?
  /// What is unknown, or not stated.
  public var reason: String

  /// Makes an obstacle.
  public init(place: RulePlace? = nil, expression: String? = nil, reason: String) {
    self.place = place
    self.expression = expression
    self.reason = reason
  }
}

extension Obstacle: CustomStringConvertible {
  /// `inet t output rule 1 [ meta load cpu => reg 1 ]: meta cpu is not stated`.
  public var description: String {
    let head = [place.map { "\($0)" }, expression.map { "[ \($0) ]" }].compactMap(\.self)
    return head.isEmpty ? reason : head.joined(separator: " ") + ": " + reason
  }
}

/// A rule, or a chain, of a ruleset.
public struct RulePlace: Hashable, Sendable {
  /// The table's family.
  public var family: TableFamily
  /// The table's name.
  public var table: String
  /// The chain's name.
  public var chain: String
  /// The rule's place in its chain, from 0; nil for the chain itself or its end.
  public var ruleIndex: Int?
  /// The kernel's handle of the rule, when the ruleset was read from one.
  public var handle: UInt64?

  /// Names a rule or a chain.
  public init(
    family: TableFamily, table: String, chain: String, ruleIndex: Int? = nil,
    handle: UInt64? = nil
  ) {
    self.family = family
    self.table = table
    self.chain = chain
    self.ruleIndex = ruleIndex
    self.handle = handle
  }
}

extension RulePlace: CustomStringConvertible {
  /// `inet t output rule 1`, counted from 1.
  public var description: String {
    let rule = ruleIndex.map { " rule \($0 + 1)" } ?? ""
    return "\(family.keyword) \(table) \(chain)\(rule)"
  }
}

/// A rule that a packet visited, or the end of a chain that it reached.
public struct VisitedRule: Hashable, Sendable {
  /// What the rule did.
  public enum Result: Hashable, Sendable {
    /// The expression, from 0, did not hold; the rules before it in the rule had their effect.
    case broke(expression: Int)
    /// Every expression ran; `.continue` when none gave a verdict.
    case verdict(Verdict)
    /// Dropped and answered.
    case reject(Reject)
    /// Given to user space.
    case queue
    /// Taken out of the path.
    case stolen
    /// The end of a base chain, or a return from it: its policy.
    case policy(Verdict)
  }

  /// The hook at which it ran.
  public var hook: Hook
  /// The rule, or the base chain whose policy it was.
  public var place: RulePlace
  /// The rule's comment.
  public var comment: String?
  /// What it did.
  public var result: Result
}

/// A packet's way through a ruleset.
public struct Passage: Hashable, Sendable {
  /// What became of it.
  public var fate: Fate
  /// Every rule visited, in order, on the first way that was looked at.
  public var trace: [VisitedRule]
  /// Whether that was the only way; otherwise something on it is unknown, or the order of some
  /// chains, and packets may have met other rules with the same end.
  public var isOnlyWay: Bool
  /// The rules that sent a copy elsewhere (`dup`), past the hooks that follow.
  public var copies: [RulePlace]

  /// The rule or policy that ended the packet's way; nil when it passed or is not decided.
  public var end: VisitedRule? {
    switch fate {
    case .passes, .cannotDecide: nil
    case .dropped, .rejected, .queued, .stolen: trace.last
    }
  }
}
