import Bytecode
import NetworkTypes
import PacketSets

/// Chains and hooks.
extension SymbolicAnalyzer {
  /// What becomes of every packet in a chain, composed once in each context.
  ///
  /// At the chain's end the packet goes back to the caller. Of packets of another family than the
  /// key's the function says nothing.
  mutating func function(of key: ChainKey) throws(PacketSetError) -> Diagram {
    if let known = chainFunctions[key] { return known }
    openChains.insert(key)
    defer { openChains.remove(key) }
    let source = ruleset.tables[key.table]
    let chain = source.chains[key.chain]
    var rules: [Diagram] = []
    rules.reserveCapacity(chain.rules.count)
    for (index, rule) in chain.rules.enumerated() {
      place = Cause.Place(
        table: source.label, chain: chain.name, rule: index, handle: rule.handle)
      let function = try function(of: rule, key)
      if function != .constant(OutcomeTable.goesOn) { rules.append(function) }
    }
    place = Cause.Place(table: source.label, chain: chain.name)
    let all = try sequence(rules)
    let result = try mapOutcomes(all) { outcome in
      outcome.back = Outcome.merged(outcome.back, outcome.next)
      outcome.next = []
    }
    chainFunctions[key] = result
    return result
  }

  /// A base chain, as the hook sees it: packets are dropped or go on.
  private mutating func function(
    ofBase base: BaseChain, _ context: EvaluationContext
  ) throws(PacketSetError) -> Diagram {
    let source = ruleset.tables[base.table]
    let key = ChainKey(
      table: base.table, chain: base.chain, context: context, family: source.family.packets)
    let function = try function(of: key)
    let isDrop = base.binding.policy == .drop
    let isRoute = context.isRouteChain
    let isNAT = context.isNATChain
    let table = self.table
    let fates = try mapOutcomes(function) { outcome in
      if isDrop {
        outcome.drops = outcome.drops || !outcome.back.isEmpty
      } else {
        outcome.accepts = Outcome.merged(outcome.accepts, outcome.back)
      }
      outcome.back = []
      // In the nat hook a translation ends the walk, everything else goes on.
      outcome.next =
        isNAT ? outcome.accepts.filter { !table.changes[Int($0)].isTranslated } : outcome.accepts
      outcome.accepts = isNAT ? outcome.accepts.filter { table.changes[Int($0)].isTranslated } : []
      if isRoute { outcome.next = table.rerouted(outcome.next) }
    }
    switch source.family {
    case .ip: return try diagrams.choose(diagrams.set(.family, 0), fates, .constant(0))
    case .ip6: return try diagrams.choose(diagrams.set(.family, 1), fates, .constant(0))
    default: return fates
    }
  }

  /// A base chain of the tables that see IP packets.
  struct BaseChain {
    var table: Int
    var chain: Int
    var binding: HookBinding
  }

  /// The base chains of a hook, by priority; dormant tables have none.
  private func baseChains(_ hook: Hook, isNAT: Bool) -> [BaseChain] {
    var found: [BaseChain] = []
    for (index, table) in ruleset.tables.enumerated() where !table.isDormant {
      guard [.inet, .ip, .ip6].contains(table.family) else { continue }
      for (place, chain) in table.chains.enumerated() {
        guard let binding = chain.hook, binding.hook == hook,
          (binding.type == "nat") == isNAT
        else { continue }
        found.append(BaseChain(table: index, chain: place, binding: binding))
      }
    }
    return found.sorted { $0.binding.priority < $1.binding.priority }
  }

  /// All of a hook: filter and route chains by priority, and the nat hook in its fixed place.
  ///
  /// Source: `nf_hook_slow`, `net/netfilter/core.c`; `nf_nat_ipv4_ops`, `nf_nat_inet_ops`,
  /// `net/netfilter/nf_nat_proto.c`; `enum nf_ip_hook_priorities`.
  mutating func function(of hook: Hook) throws(PacketSetError) -> Diagram {
    let chains = baseChains(hook, isNAT: false)
    let nat = baseChains(hook, isNAT: true)
    let natPriority: Int32? =
      switch hook {
      case .prerouting, .output: -100
      case .postrouting, .input: 100
      default: nil
      }
    var parts: [Diagram] = []
    var index = 0
    var isTranslated = nat.isEmpty
    while index < chains.count || !isTranslated {
      let priority = index < chains.count ? chains[index].binding.priority : .max
      if !isTranslated, let natPriority, priority >= natPriority {
        isTranslated = true
        let translation = try translation(nat, hook)
        if priority == natPriority {
          // Equal priorities: either may come first.
          let end = groupEnd(chains, index)
          let group = try functions(chains[index..<end], hook)
          parts.append(try inAnyOrder(group + [translation], hook, priority))
          index = end
        } else {
          parts.append(translation)
        }
        continue
      }
      if index >= chains.count { break }
      let end = groupEnd(chains, index)
      let group = try functions(chains[index..<end], hook)
      parts.append(try inAnyOrder(group, hook, priority))
      index = end
    }
    return try sequence(parts)
  }

  private func groupEnd(_ chains: [BaseChain], _ start: Int) -> Int {
    var end = start + 1
    while end < chains.count && chains[end].binding.priority == chains[start].binding.priority {
      end += 1
    }
    return end
  }

  private mutating func functions(
    _ chains: ArraySlice<BaseChain>, _ hook: Hook
  ) throws(PacketSetError) -> [Diagram] {
    var result: [Diagram] = []
    for chain in chains {
      let seesHook = hook == .output || hook == .prerouting
      result.append(
        try function(
          ofBase: chain,
          EvaluationContext(
            hook: hook, isBeforeConntrack: seesHook && chain.binding.priority < -200,
            isRouteChain: chain.binding.type == "route", isNATChain: false)))
    }
    return result
  }

  /// Chains of one priority run in the order of their making, which a dump does not show.
  private mutating func inAnyOrder(
    _ functions: [Diagram], _ hook: Hook, _ priority: Int32
  ) throws(PacketSetError) -> Diagram {
    let changes = functions.contains { function in
      diagrams.values(of: function).contains {
        table.outcomes[$0].next.contains { $0 != 0 } || !table.outcomes[$0].accepts.isEmpty
      }
    }
    // Without changes, and translations that end the walk, a drop is a drop in any order.
    if functions.count == 1 || !changes { return try sequence(functions) }
    place = nil
    let why = cause("the order of chains of priority \(priority) in the hook \(hook)")
    guard functions.count <= 4 else {
      return .constant(
        table.number(
          anything(RulePath(packets: .everything), "the order of chains of priority \(priority)")))
    }
    var result: Diagram?
    for order in Self.orders(functions) {
      let one = try sequence(order)
      result =
        try result.map { other throws(PacketSetError) in
          try either(other, one, [why])
        } ?? one
    }
    return result ?? .constant(OutcomeTable.goesOn)
  }

  private static func orders(_ items: [Diagram]) -> [[Diagram]] {
    guard items.count > 1 else { return [items] }
    return items.indices.flatMap { index -> [[Diagram]] in
      var rest = items
      let first = rest.remove(at: index)
      return orders(rest).map { [first] + $0 }
    }
  }

  /// The nat hook: its chains see the first packet of a flow, later ones follow what was decided.
  ///
  /// Source: `nf_nat_inet_fn`, `net/netfilter/nf_nat_core.c`.
  private mutating func translation(
    _ chains: [BaseChain], _ hook: Hook
  ) throws(PacketSetError) -> Diagram {
    var parts: [Diagram] = []
    var index = 0
    while index < chains.count {
      let end = groupEnd(chains, index)
      var group: [Diagram] = []
      for chain in chains[index..<end] {
        group.append(
          try function(
            ofBase: chain,
            EvaluationContext(
              hook: hook, isBeforeConntrack: false, isRouteChain: false, isNATChain: true)))
      }
      parts.append(try inAnyOrder(group, hook, chains[index].binding.priority))
      index = end
    }
    place = nil
    let why = cause("a nat chain drops, which counts for the first packet of a flow")
    let goesOn = Outcome(next: [0], causes: [why])
    let all = try sequence(parts)
    let first = try mapOutcomes(all) { outcome in
      outcome.next = Outcome.merged(outcome.next, outcome.accepts)
      outcome.accepts = []
      if outcome.drops { outcome = outcome.union(goesOn) }
    }
    let isDestination = hook == .output || hook == .prerouting
    let known = cause("the translation of a known flow")
    var fields: [PacketField: FieldChange] = [:]
    for field in isDestination
      ? PacketField.destination + [.destinationPort, .destinationType]
      : PacketField.source + [.sourcePort, .sourceType]
    { fields[field] = .any(field) }
    let moved = table.number(
      Change(fields: FieldChanges(fields), isRerouted: isDestination, causes: [known]))
    let translated = Diagram.constant(
      table.number(Outcome(next: [0, moved].sorted(), causes: [known])))
    let isNew = try diagrams.set(.conntrackState, 3)
    let isRelated = try diagrams.set(.conntrackState, 2)
    let plain = (0..<4 as Range<UInt32>).map { Interval($0 * 4, $0 * 4) }
    let isKnown = try diagrams.intersection(
      diagrams.set(.conntrackState, IntervalSet([Interval(1, 2)])),
      diagrams.complement(diagrams.set(.conntrackStatus1, IntervalSet(plain))))
    let expected = try either(first, .constant(OutcomeTable.goesOn), [known])
    let other = try diagrams.choose(isRelated, expected, .constant(OutcomeTable.goesOn))
    let later = try diagrams.choose(isKnown, translated, other)
    return try diagrams.choose(isNew, first, later)
  }

  /// A new route: every link by itself where they are few, the loopback link always.
  private var routes: [Change] {
    let why = [cause("the route after a change")]
    let last = max(1, links.last)
    let ranges: [Interval<UInt32>]
    if last <= 8 {
      ranges = (1...last).map { Interval($0, $0) }
    } else {
      let loopback = links.loopback
      ranges =
        [Interval(loopback, loopback)]
        + (loopback > 1 ? [Interval(1, loopback - 1)] : [])
        + (loopback < last ? [Interval(loopback + 1, last)] : [])
    }
    return ranges.map {
      Change(fields: FieldChanges([.outputInterface: .among($0)]), causes: why)
    }
  }

  /// What becomes of every packet on a way through several hooks.
  mutating func function(of way: PacketWay) throws(PacketSetError) -> Diagram {
    var result = Diagram.constant(OutcomeTable.goesOn)
    for hook in way.hooks {
      let here = try function(of: hook)
      if hook == .postrouting {
        let table = self.table
        place = nil
        let routes = self.routes
        result = try mapOutcomes(result) { outcome in
          let isOpen = outcome.next.contains { table.changes[Int($0)].isRerouted }
          outcome.next = table.routed(outcome.next, routes)
          if isOpen { outcome.causes = Outcome.merged(outcome.causes, routes[0].causes) }
        }
      }
      result = try sequence(result, here)
    }
    return result
  }
}

extension OutcomeTable {
  /// Changes of marks and addresses make the kernel look for a route again.
  func rerouted(_ list: [Int32]) -> [Int32] {
    let watched = Set(
      PacketField.mark + PacketField.source + PacketField.destination + [.trafficClass])
    return list.map { number in
      var change = changes[Int(number)]
      if change.fields.changes.keys.contains(where: watched.contains) { change.isRerouted = true }
      return self.number(change)
    }.sorted()
  }

  /// Packets that were routed again leave by any of the links.
  func routed(_ list: [Int32], _ routes: [Change]) -> [Int32] {
    var result: Set<Int32> = []
    for item in list {
      var change = changes[Int(item)]
      guard change.isRerouted else {
        result.insert(item)
        continue
      }
      change.isRerouted = false
      change.hasNewRoute = true
      for route in routes { result.insert(number(change.then(route))) }
    }
    return result.sorted()
  }
}

extension Table {
  /// `inet weir`.
  var label: String { "\(family.keyword) \(name)" }

  /// Whether its chains are not hooked.
  var isDormant: Bool { flags & 1 != 0 }
}
