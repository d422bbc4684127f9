public import Bytecode
public import NetworkTypes
public import PolicyLanguage

/// A policy as an nf_tables table, ready to be printed or installed under any generation number.
///
/// Everything that belongs to one generation has the prefix `g<N>/`; base chains, the two maps
/// `generation/out` and `generation/in` and the counters do not, nor do the large address sets
/// `addresses/<family>/<digest>`, which are named by their content and shared by generations.
public struct CompiledPolicy: Sendable {
  /// SHA-256 of everything the table says, 64 hexadecimal digits; independent of the generation
  /// and of what names resolve to.
  public let digest: String
  /// The names whose answers the table needs, sorted, with the addresses each may have.
  public let names: [NameReference]
  /// The comment of every table that weir made.
  public static let tableComment = "managed by weir"

  private let plan: TablePlan
  /// Generation 1 as it was digested: no answers of names, no comment on its entry.
  private let first: Table
  /// The names of the plan's content-named sets, found out when the digest was.
  private let sharedSetNameByPart: [SharedSetPart: String]

  init(policy: Policy, tableName: String) {
    plan = TablePlan(policy: policy, tableName: tableName)
    var builder = TableBuilder(plan: plan, generation: 1, answers: [:])
    first = builder.build()
    sharedSetNameByPart = builder.sharedSetNameByPart
    digest = first.digest
    names = policy.nameReferences
  }

  /// Renders the table.
  ///
  /// - Parameters:
  ///   - generation: the number in the names, from 1.
  ///   - answers: addresses for each name; a name that is missing gets empty sets.
  /// - Returns: the table, equal for equal arguments.
  public func table(generation: Int = 1, answers: [String: [IPAddress]] = [:]) -> Table {
    var table = first
    if !answers.isEmpty {
      var builder = TableBuilder(
        plan: plan, generation: 1, answers: answers, sharedSetNameByPart: sharedSetNameByPart)
      table = builder.build()
    }
    if let entry = table.chains.firstIndex(where: { $0.name == "g1/out" }) {
      table.chains[entry].comment = "policy \(plan.policy.name) \(digest.prefix(32))"
    }
    if generation != 1 { table.renumber(to: generation) }
    return table
  }
}

extension CompiledPolicy {
  /// Renders what of the table belongs to a generation or is shared by them: no base chains.
  ///
  /// - Parameters: as of ``table(generation:answers:)``.
  /// - Returns: the part that a scope table holds once for all the scopes of this policy.
  public func judgement(generation: Int, answers: [String: [IPAddress]] = [:]) -> Table {
    var table = table(generation: generation, answers: answers)
    table.chains.removeAll { $0.hook != nil }
    var builder = TableBuilder(plan: plan, generation: generation, answers: [:])
    builder.addReplyEntry()
    table.chains += builder.chains
    table.sets.removeAll { $0.name.hasPrefix("generation/") }
    var used: Set<String> = []
    for case .lookup(let lookup) in table.chains.flatMap(\.rules).flatMap(\.expressions) {
      used.insert(lookup.set)
    }
    table.sets.removeAll { $0.flags.contains(.anonymous) && !used.contains($0.name) }
    return table
  }

  /// What the comment of the chain `g<N>/out` ends with: the digest's first half.
  public var digestInComment: String { String(digest.prefix(32)) }
}

/// Compiles a policy.
///
/// Passes, in order: ``terms``, partition of the address space, large classes apart, then one chain
/// for each class, for each clause that denies, and for each way a packet can arrive.
///
/// - Parameters:
///   - policy: a checked policy.
///   - tableName: the name of the `inet` table.
/// - Returns: the compiled policy.
///
/// Complexity: O(n log n) for n intervals and entries.
/// Example: `compile(policy).table()` is what `weir print` shows.
public func compile(_ policy: Policy, tableName: String = "weir") -> CompiledPolicy {
  CompiledPolicy(policy: policy, tableName: tableName)
}

extension Policy {
  /// Every name once, sorted, with all the addresses that any of its entries lets it have.
  fileprivate var nameReferences: [NameReference] {
    var merged: [String: NameReference] = [:]
    for reference in (allow + deny).flatMap({ $0.destination?.names ?? [] }) {
      guard var known = merged[reference.name] else {
        merged[reference.name] = reference
        continue
      }
      known.within = known.within.union(reference.within)
      if known.withinText != reference.withinText {
        known.withinText += " or \(reference.withinText)"
      }
      merged[reference.name] = known
    }
    return merged.values.sorted { $0.name < $1.name }
  }
}
