import Bytecode
import NetworkTypes
import PacketSets

/// Verdicts, jumps and verdict maps.
extension SymbolicAnalyzer {
  /// A verdict in the verdict register.
  mutating func finish(
    _ path: RulePath, _ verdict: Verdict, _ next: inout [RulePath], _ run: inout RuleRun
  ) throws(PacketSetError) {
    if verdict == .continue {
      next.append(path)
      return
    }
    let function = try function(of: verdict, path, run)
    if function != .constant(OutcomeTable.goesOn) {
      run.finished.append((path.packets, function))
    }
  }

  /// What becomes of a path's packets by a verdict other than `continue`.
  private mutating func function(
    of verdict: Verdict, _ path: RulePath, _ run: RuleRun
  ) throws(PacketSetError) -> Diagram {
    let change = table.number(path.change)
    let outcome: Outcome
    switch verdict {
    case .drop: outcome = Outcome(drops: true)
    case .accept: outcome = Outcome(accepts: [change])
    case .return: outcome = Outcome(back: [change])
    case .break, .continue: outcome = Outcome(next: [change])
    case .jump(let chain): return try called(chain, path, run, comesBack: true)
    case .goto(let chain): return try called(chain, path, run, comesBack: false)
    }
    return .constant(table.number(path.pending.union(outcome)))
  }

  /// The function of a called chain, as its caller sees it.
  private mutating func called(
    _ name: String, _ path: RulePath, _ run: RuleRun, comesBack: Bool
  ) throws(PacketSetError) -> Diagram {
    guard let place = chainIndex[SetName(table: run.tableIndex, name: name)] else {
      return .constant(table.number(anything(path, "the missing chain \(name)")))
    }
    let key = ChainKey(
      table: run.tableIndex, chain: place, context: run.context,
      family: diagrams.family(of: path.packets))
    guard !openChains.contains(key) else {
      return .constant(table.number(anything(path, "a loop through the chain \(name)")))
    }
    let saved = self.place
    let chain = try function(of: key)
    self.place = saved
    let change = table.number(path.change)
    let moved = try before(change, chain)
    if change == 0 && path.pending.fateCount == 0 && !comesBack { return moved }
    let outcomes = table
    let pending = path.pending
    return try mapOutcomes(moved) { outcome in
      outcome.accepts = outcomes.after(change, outcome.accepts)
      outcome.next = outcomes.after(change, outcome.next)
      outcome.back = outcomes.after(change, outcome.back)
      if comesBack {
        outcome.next = Outcome.merged(outcome.next, outcome.back)
        outcome.back = []
      }
      outcome = outcome.union(pending)
    }
  }

  /// A lookup: membership, a map's data, or a verdict map.
  mutating func step(
    _ lookup: Lookup, _ path: RulePath, _ next: inout [RulePath], _ run: inout RuleRun
  ) throws(PacketSetError) {
    let tables = ruleset.tables[run.tableIndex]
    guard let place = setIndex[SetName(table: run.tableIndex, name: lookup.set)] else {
      end(path, anything(path, "the missing set \(lookup.set)"), &run)
      return
    }
    let set = tables.sets[place]
    let bits = path.registers.load(lookup.source.word, lengthBytes: set.keyLengthBytes)
    let selector = try selector(set, run.tableIndex, bits)
    guard let destination = lookup.destination else {
      let findings = selector.findings
      let isHit = lookup.isInverted ? { $0 == 0 } : { $0 != 0 }
      let yes = try diagrams.packets(of: selector.function) {
        findings[$0].choices.allSatisfy(isHit)
      }
      let unsure = try diagrams.packets(of: selector.function) {
        findings[$0].choices.contains(where: isHit)
          && !findings[$0].choices.allSatisfy(isHit)
      }
      var causes: [Int32] = []
      if unsure != .nothing {
        for finding in findings { causes = Outcome.merged(causes, finding.causes) }
      }
      try split(path, Condition(yes: yes, unsure: unsure, causes: causes), &next, &run)
      return
    }
    if destination.word < 0 {
      try stepVerdictMap(selector, path, &next, &run)
    } else {
      try stepMap(selector, destination, path, &next, &run)
    }
  }

  private mutating func stepVerdictMap(
    _ selector: SetSelector, _ path: RulePath, _ next: inout [RulePath], _ run: inout RuleRun
  ) throws(PacketSetError) {
    let goesOn = selector.payloads.indices.filter { selector.payloads[$0].verdict == .continue }
    let ongoing = Set(goesOn.map { $0 + 1 })
    let families = try families(of: selector, path)
    var memo: [Int: Diagram] = [:]
    var functions: [Diagram] = []
    for finding in selector.findings {
      var joined: Diagram?
      for choice in finding.choices where !ongoing.contains(choice) {
        let one: Diagram
        if let known = memo[choice] {
          one = known
        } else if choice == 0 {
          one = try function(of: .break, path, run)
        } else if let verdict = selector.payloads[choice - 1].verdict {
          var path = path
          path.packets = families[choice] ?? path.packets
          one = try function(of: verdict, path, run)
        } else {
          one = .constant(
            table.number(
              path.pending.union(anything(path, "an element that is not known"))))
        }
        memo[choice] = one
        joined =
          try joined.map { other throws(PacketSetError) in
            try either(other, one, finding.causes)
          } ?? one
      }
      functions.append(joined ?? .constant(OutcomeTable.goesOn))
    }
    if ongoing.isEmpty {
      let whole = try diagrams.substitute(selector.function, functions)
      run.finished.append((path.packets, whole))
      return
    }
    // `continue` does not end the rule: those packets go on, for certain or not.
    let findings = selector.findings
    let certain = try diagrams.packets(of: selector.function) {
      findings[$0].choices.allSatisfy(ongoing.contains)
    }
    let unsure = try diagrams.packets(of: selector.function) {
      findings[$0].choices.contains(where: ongoing.contains)
        && !findings[$0].choices.allSatisfy(ongoing.contains)
    }
    var held = path
    held.packets = try diagrams.intersection(path.packets, certain)
    if held.packets != .nothing { next.append(held) }
    var maybe = path
    maybe.packets = try diagrams.intersection(path.packets, unsure)
    if maybe.packets != .nothing {
      end(maybe, anything(maybe, "a verdict map that may go on"), &run)
    }
    var rest = path
    let other = try diagrams.union(certain, unsure)
    rest.packets = try diagrams.difference(path.packets, other)
    if rest.packets != .nothing {
      let whole = try diagrams.substitute(selector.function, functions)
      run.finished.append((rest.packets, whole))
    }
  }

  /// For each choice that packets of one family alone find: those of the path's packets.
  private mutating func families(
    of selector: SetSelector, _ path: RulePath
  ) throws(PacketSetError) -> [Int: Diagram] {
    guard diagrams.family(of: path.packets) == nil else { return [:] }
    var found: [Family: Set<Int>] = [:]
    for family in [Family.ipv4, .ipv6] {
      let only = try packets(of: family)
      let inside = try diagrams.choose(only, selector.function, .constant(0))
      for value in diagrams.values(of: inside) {
        found[family, default: []].formUnion(selector.findings[value].choices)
      }
    }
    var result: [Int: Diagram] = [:]
    for (family, other) in [(Family.ipv4, Family.ipv6), (.ipv6, .ipv4)] {
      let packets = try diagrams.intersection(path.packets, packets(of: family))
      for choice in found[family, default: []].subtracting(found[other, default: []]) {
        result[choice] = packets
      }
    }
    return result
  }

  /// More different data than this make the data of a map unknown.
  private static var mostPayloads: Int { 256 }

  private mutating func stepMap(
    _ selector: SetSelector, _ destination: Register, _ path: RulePath,
    _ next: inout [RulePath], _ run: inout RuleRun
  ) throws(PacketSetError) {
    let longest = selector.payloads.map { $0.data?.count ?? 0 }.max() ?? 0
    if selector.payloads.count > Self.mostPayloads || selector.payloads.contains(where: \.isUnknown)
    {
      let findings = selector.findings
      let yes = try diagrams.packets(of: selector.function) {
        !findings[$0].choices.contains(0)
      }
      let unsure = try diagrams.packets(of: selector.function) {
        findings[$0].choices.contains(0) && findings[$0].choices.count > 1
      }
      var opaque = path
      let why = cause("the data of a large or changing map")
      opaque.registers.store(.opaque(max(longest, 4) * 8, why), word: destination.word)
      try split(opaque, Condition(yes: yes, unsure: unsure, causes: [why]), &next, &run)
      return
    }
    for (number, finding) in selector.findings.enumerated() {
      let packets = try diagrams.intersection(
        path.packets, diagrams.packets(of: selector.function) { $0 == number })
      guard packets != .nothing else { continue }
      var part = path
      part.packets = packets
      if finding.choices.contains(0) {
        if finding.choices == [0] {
          try leave(part, &run)
          continue
        }
        part = doubt(part, finding.causes)
      }
      let data = finding.choices.filter { $0 != 0 }.map { selector.payloads[$0 - 1].data ?? [] }
      if data.count == 1 {
        part.registers.store([Bit](bytes: data[0]), word: destination.word)
      } else {
        let why = finding.causes.first ?? cause("the data of a map")
        part.registers.store(.opaque(max(longest, 4) * 8, why), word: destination.word)
      }
      next.append(part)
    }
  }
}
