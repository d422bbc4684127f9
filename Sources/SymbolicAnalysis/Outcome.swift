import PacketSets

/// What has happened to a packet on its way, beside its fate.
struct Change: Hashable {
  /// New values of fields.
  var fields = FieldChanges.none
  /// Whether the kernel looks for a route again before the packet leaves.
  var isRerouted = false
  /// Whether its output link is the one that the kernel found for it after the changes.
  var hasNewRoute = false
  /// Whether a NAT statement has decided the flow's translation.
  var isTranslated = false
  /// Why the new values are not known exactly, as numbers of causes.
  var causes: [Int32] = []

  /// This change, and a later one after it.
  func then(_ later: Change) -> Change {
    Change(
      fields: fields.then(later.fields), isRerouted: isRerouted || later.isRerouted,
      hasNewRoute: hasNewRoute || later.hasNewRoute,
      isTranslated: isTranslated || later.isTranslated,
      causes: Outcome.merged(causes, later.causes))
  }
}

/// Everything that may become of a packet: the fates that are possible, and why there are several.
///
/// Fates but the drop carry the number of a change; 0 is no change. With one possible fate the
/// outcome is certain.
struct Outcome: Hashable {
  /// The packet may be dropped.
  var drops = false
  /// The base chain may accept it, after these changes.
  var accepts: [Int32] = []
  /// It may go on to what comes next, after these changes.
  var next: [Int32] = []
  /// It may return to the calling chain, after these changes.
  var back: [Int32] = []
  /// It goes on, and what comes next has been looked at already.
  var later: [Int32] = []
  /// Why there are several fates, as numbers of causes; empty when there is one.
  var causes: [Int32] = []

  static let most = 8

  var fateCount: Int {
    (drops ? 1 : 0) + accepts.count + next.count + back.count + later.count
  }

  /// Either outcome.
  func union(_ other: Outcome) -> Outcome {
    Outcome(
      drops: drops || other.drops, accepts: Self.merged(accepts, other.accepts),
      next: Self.merged(next, other.next), back: Self.merged(back, other.back),
      later: Self.merged(later, other.later), causes: Self.merged(causes, other.causes))
  }

  /// Both sorted lists in one.
  static func merged(_ a: [Int32], _ b: [Int32]) -> [Int32] {
    if a.isEmpty || a == b { return b }
    if b.isEmpty { return a }
    return Set(a).union(b).sorted()
  }
}

/// Numbers for outcomes, changes and causes, so that diagrams can hold them.
final class OutcomeTable {
  private(set) var outcomes: [Outcome] = []
  private var outcomeNumbers: [Outcome: Int] = [:]
  private(set) var changes: [Change] = []
  private var changeNumbers: [Change: Int32] = [:]
  private(set) var causes: [Cause] = []
  private var causeNumbers: [Cause: Int32] = [:]
  private var pairs: [Pair: Int] = [:]

  private struct Pair: Hashable {
    var kind: Int32
    var left: Int
    var right: Int
  }

  /// The outcome "goes on unchanged", always number 0.
  static let goesOn = 0

  init() {
    _ = number(Change())
    _ = number(Outcome(next: [0]))
  }

  func number(_ outcome: Outcome) -> Int {
    var outcome = outcome
    if outcome.fateCount <= 1 { outcome.causes = [] }
    if outcome.causes.count > Outcome.most {
      outcome.causes = Array(outcome.causes.prefix(Outcome.most))
    }
    if let known = outcomeNumbers[outcome] { return known }
    outcomes.append(outcome)
    outcomeNumbers[outcome] = outcomes.count - 1
    return outcomes.count - 1
  }

  func number(_ change: Change) -> Int32 {
    if let known = changeNumbers[change] { return known }
    changes.append(change)
    changeNumbers[change] = Int32(changes.count - 1)
    return Int32(changes.count - 1)
  }

  func number(_ cause: Cause) -> Int32 {
    if let known = causeNumbers[cause] { return known }
    causes.append(cause)
    causeNumbers[cause] = Int32(causes.count - 1)
    return Int32(causes.count - 1)
  }

  /// The number of the second change after the first.
  func then(_ first: Int32, _ second: Int32) -> Int32 {
    if first == 0 { return second }
    if second == 0 { return first }
    return number(changes[Int(first)].then(changes[Int(second)]))
  }

  /// The changes of a list, each after the first one.
  func after(_ first: Int32, _ list: [Int32]) -> [Int32] {
    first == 0 ? list : list.map { then(first, $0) }.sorted()
  }

  /// A result for a pair of outcomes, computed once.
  func memo(_ kind: Int32, _ left: Int, _ right: Int, _ make: () -> Outcome) -> Int {
    let pair = Pair(kind: kind, left: left, right: right)
    if let known = pairs[pair] { return known }
    let result = number(make())
    pairs[pair] = result
    return result
  }
}

/// What comes first, then what comes next where the first lets the packet go on with one change.
struct SequenceOperation: DiagramOperation {
  let number: Int32
  let table: OutcomeTable
  /// The change after which the right side was evaluated.
  let change: Int32
  /// Whether the right side's "goes on" must be kept apart from the left side's.
  let isMarked: Bool

  func shortcut(_ left: Diagram, _ right: Diagram) -> Diagram? {
    if let value = left.constantValue {
      if !table.outcomes[value].next.contains(change) { return left }
      if value == OutcomeTable.goesOn && change == 0 && !isMarked { return right }
    }
    if right.constantValue == OutcomeTable.goesOn && change == 0 && !isMarked { return left }
    return nil
  }

  func combine(_ left: Int, _ right: Int) -> Int {
    let first = table.outcomes[left]
    guard let place = first.next.firstIndex(of: change) else { return left }
    return table.memo(number, left, right) {
      var rest = first
      rest.next.remove(at: place)
      let second = table.outcomes[right]
      let goesOn = table.after(change, second.next)
      let moved = Outcome(
        drops: second.drops, accepts: table.after(change, second.accepts),
        next: isMarked ? [] : goesOn, back: table.after(change, second.back),
        later: isMarked ? goesOn : [], causes: second.causes)
      return rest.union(moved)
    }
  }
}

/// Either of two outcomes, for the given reasons.
struct EitherOperation: DiagramOperation {
  let number: Int32
  let table: OutcomeTable
  let causes: [Int32]

  func shortcut(_ left: Diagram, _ right: Diagram) -> Diagram? { left == right ? left : nil }

  func combine(_ left: Int, _ right: Int) -> Int {
    if left == right { return left }
    return table.memo(number, min(left, right), max(left, right)) {
      var both = table.outcomes[left].union(table.outcomes[right])
      both.causes = Outcome.merged(both.causes, causes)
      return both
    }
  }
}
