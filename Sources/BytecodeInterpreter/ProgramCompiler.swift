import Bytecode
import NetworkTypes

/// Makes a ``Program`` of a ruleset.
///
/// Chains and sets get numbers, constants move to tables, and every expression becomes one
/// instruction; one that is not modelled becomes an instruction that cannot be decided.
struct ProgramCompiler {
  var program: Program
  /// Of the table at hand.
  var chainNumbers: [String: Int32] = [:]
  var setNumbers: [String: UInt32] = [:]
  /// Sets that cannot be decided, with the reason.
  var opaqueSets: [String: String] = [:]
  var sets: [String: NamedSet] = [:]
  var table: Table
  /// What lookups in sets lack when they cannot be decided.
  var lacks: [String: String] = [:]
  /// The expression at hand.
  var place = ExpressionPlace(family: .inet, table: "", chain: "", ruleIndex: 0, expression: 0)
  /// Words that the rule at hand has stored, as bits.
  var stored: UInt32 = 0
  /// Whether what follows in the rule does nothing to a packet.
  var restHasNoEffect = false

  static func compile(
    _ ruleset: Ruleset, _ kernel: KernelBehaviour
  ) throws(InterpreterError) -> Program {
    var compiler = ProgramCompiler(
      program: Program(kernel: kernel), table: Table(family: .inet, name: ""))
    var bases: [(priority: Int32, order: Int, hook: Hook, entry: Program.Entry)] = []
    for (number, table) in ruleset.tables.enumerated() {
      try compiler.add(table, number)
      if !table.flowtables.isEmpty { compiler.program.hasFlowtables = true }
      guard table.flags & 1 == 0, [.inet, .ip, .ip6, .netdev].contains(table.family) else {
        continue
      }
      for chain in table.chains {
        guard let hook = chain.hook, let index = compiler.chainNumbers[chain.name] else {
          continue
        }
        var entry = Program.Entry(
          chain: index, families: table.family, priority: hook.priority,
          isNAT: hook.type == "nat", isRoute: hook.type == "route")
        compiler.findObstacle(of: chain, hook, &entry)
        if hook.hook == .unknown {
          compiler.program.obstacle = compiler.reason(
            "\(table.family.keyword) \(table.name) \(chain.name)", "its hook is not known")
        }
        bases.append((hook.priority, bases.count, hook.hook, entry))
      }
    }
    // Of equal priorities the chain registered last runs first.
    for base in bases.sorted(by: { ($0.priority, $1.order) < ($1.priority, $0.order) }) {
      compiler.program.entries[Int(base.hook.rawValue)].append(base.entry)
    }
    return compiler.program
  }

  /// Why a base chain as a whole cannot be decided.
  private mutating func findObstacle(
    of chain: Chain, _ hook: HookBinding, _ entry: inout Program.Entry
  ) {
    let place = "\(table.family.keyword) \(table.name) \(chain.name)"
    if let item = table.allUnknown.first {
      entry.obstacle = reason(place, "\(item.kind) is not modelled")
    } else if chain.flags & 2 != 0 {
      entry.obstacle = reason(place, "what hardware does is not modelled")
    } else if hook.hook.rawValue >= Hook.ingress.rawValue {
      entry.lonelyObstacle = reason(place, "it depends on the device")
    } else if hook.type == "nat", !chain.rules.isEmpty || hook.policy != .accept {
      entry.lonelyObstacle = reason(
        place, "a nat chain depends on what the packet met at other hooks")
    }
  }

  mutating func reason(_ place: String, _ detail: String) -> Int32 {
    program.reasons.append(Program.Reason(place: place, detail: detail))
    return Int32(program.reasons.count - 1)
  }

  private mutating func add(_ table: Table, _ number: Int) throws(InterpreterError) {
    self.table = table
    chainNumbers = [:]
    setNumbers = [:]
    opaqueSets = [:]
    lacks = [:]
    sets = Dictionary(table.sets.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    for (index, chain) in table.chains.enumerated() {
      chainNumbers[chain.name] = Int32(program.chains.count)
      program.chains.append(
        Program.CompiledChain(
          isPolicyDrop: chain.hook?.policy == .drop, table: Int32(number), chain: Int32(index)))
    }
    try refuseLoops()
    for set in table.sets { try add(set) }
    for (index, chain) in table.chains.enumerated() {
      let at = program.chains.count - table.chains.count + index
      program.chains[at].firstRule = Int32(program.rules.count)
      for (number, rule) in chain.rules.enumerated() {
        let start = program.code.count
        stored = 0
        place = ExpressionPlace(
          family: table.family, table: table.name, chain: chain.name, ruleIndex: number,
          expression: 0)
        for (number, expression) in rule.expressions.enumerated() {
          place.expression = number
          restHasNoEffect = rule.expressions.dropFirst(number + 1).allSatisfy(\.isWithoutEffect)
          program.noteTracking(expression, in: table.family)
          defer {
            let missing = program.code.count - program.expressionNumbers.count
            program.expressionNumbers += repeatElement(UInt16(clamping: number), count: missing)
          }
          do {
            try add(expression)
          } catch {
            switch error {
            case .ruleset(let error): throw error
            case .unmodelled(let text):
              let rule =
                "\(table.family.keyword) \(table.name) \(chain.name) rule \(place.ruleIndex + 1)"
              let index = reason("\(rule) [ \(expression.listing) ]", text)
              program.code.append(
                Program.Instruction(operation: .undecided, index: UInt32(index)))
            }
          }
        }
        program.rules.append(
          Program.CompiledRule(
            start: Int32(start), end: Int32(program.code.count), chain: Int32(at)))
      }
      program.chains[at].endRule = Int32(program.rules.count)
    }
  }

  mutating func verdict(_ verdict: Verdict) throws(InterpreterError) -> UInt32 {
    let kind: Program.CompiledVerdict.Kind =
      switch verdict {
      case .drop: .drop
      case .accept: .accept
      case .continue: .continue
      case .break: .break
      case .jump: .jump
      case .goto: .goto
      case .return: .return
      }
    var chain: Int32 = -1
    if let name = verdict.chain {
      guard let number = chainNumbers[name] else {
        throw .unknownChain(table: table.name, chain: name)
      }
      chain = number
    }
    program.verdicts.append(Program.CompiledVerdict(kind: kind, chain: chain))
    program.verdictValues.append(verdict)
    return UInt32(program.verdicts.count - 1)
  }

  // MARK: Loops

  /// Refuses chains that lead back to themselves, as the kernel does.
  ///
  /// Source: `nft_chain_validate`, `net/netfilter/nf_tables_api.c`.
  private func refuseLoops() throws(InterpreterError) {
    var targets: [String: [String]] = [:]
    for chain in table.chains {
      var names: [String] = []
      for expression in chain.rules.lazy.flatMap(\.expressions) {
        switch expression {
        case .immediate(.verdict(let verdict)): names += verdict.chain.map { [$0] } ?? []
        case .lookup(let lookup):
          guard case .elements(let elements)? = sets[lookup.set]?.content else { continue }
          names += Set(elements.compactMap { $0.verdict?.chain })
        default: continue
        }
      }
      targets[chain.name] = names
    }
    var state: [String: Bool] = [:]
    for chain in table.chains { try walk(chain.name, targets, &state) }
  }

  /// Walks depth first; `state` is false for chains on the way, true for finished ones.
  private func walk(
    _ start: String, _ targets: [String: [String]], _ state: inout [String: Bool]
  ) throws(InterpreterError) {
    if state[start] == true { return }
    var path: [(name: String, next: Int)] = [(start, 0)]
    state[start] = false
    while let (name, next) = path.last {
      let names = targets[name] ?? []
      guard next < names.count else {
        state[name] = true
        path.removeLast()
        continue
      }
      path[path.count - 1].next += 1
      let target = names[next]
      if state[target] == false { throw .loop(table: table.name, chain: target) }
      if state[target] == nil, targets[target] != nil {
        state[target] = false
        path.append((target, 0))
      }
    }
  }
}

extension Expression {
  /// Whether it only tells or counts.
  fileprivate var isWithoutEffect: Bool {
    switch self {
    case .log, .counter, .last: true
    default: false
    }
  }
}
