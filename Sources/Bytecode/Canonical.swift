import NetworkTypes

extension Ruleset {
  /// The ruleset with every table in canonical form, tables sorted by family and name.
  public func canonical() -> Ruleset {
    Ruleset(
      tables: tables.map { $0.canonical() }.sorted {
        ($0.family.rawValue, $0.name) < ($1.family.rawValue, $1.name)
      })
  }
}

extension Table {
  /// The table without what may differ between two tables that mean the same.
  ///
  /// Handles, provenance and counts are gone, and so is the content of sets of runtime state.
  /// Chains, sets and counters are sorted by name, elements by key; plain sets of addresses become
  /// intervals; anonymous sets are numbered in order of use. Rules keep their order, and so do
  /// concatenated ranges, where the first of two overlapping elements wins.
  ///
  /// Then a compiled table and the same table read back from a kernel are equal with `==`.
  ///
  /// - Parameter runtimeSets: names of sets to take as runtime state besides those that say so; a
  ///   table read back does not know which they are.
  /// - Returns: the table to compare.
  ///
  /// O(n log n) in the number of elements, O(n) where they come sorted.
  public func canonical(runtimeSets: Set<String> = []) -> Table {
    var table = self
    table.counters = counters.map { NamedCounter(name: $0.name, comment: $0.comment) }
      .sorted { $0.name < $1.name }
    table.objects = objects.map(\.canonical).sorted { $0.precedes($1) }
    table.flowtables = flowtables.map(\.canonical).sorted { $0.name < $1.name }
    table.chains = chains.map(\.canonical).sorted { $0.name < $1.name }
    let names = table.anonymousNames
    for chain in table.chains.indices {
      for rule in table.chains[chain].rules.indices {
        table.chains[chain].rules[rule].renameSets(names)
      }
    }
    table.sets = sets.map { set in
      var set = set.canonical(
        isRuntimeState: set.isRuntimeState || runtimeSets.contains(set.name))
      if set.flags.contains(.anonymous) { set.name = names[set.name] ?? set.name }
      return set
    }
    table.sets.sort { ($0.name.utf8.count, $0.name) < ($1.name.utf8.count, $1.name) }
    return table
  }

  /// New names for the anonymous sets, in order of their first use.
  private var anonymousNames: [String: String] {
    let anonymous = Dictionary(
      sets.filter { $0.flags.contains(.anonymous) }.map { ($0.name, $0) },
      uniquingKeysWith: { first, _ in first })
    var names: [String: String] = [:]
    var counts = (sets: 0, maps: 0)
    for chain in chains {
      for rule in chain.rules {
        for name in rule.expressions.compactMap(\.setName) where names[name] == nil {
          guard let set = anonymous[name] else { continue }
          if set.flags.contains(.map) || set.isVerdictMap || set.dataType != nil {
            names[name] = "__map\(counts.maps)"
            counts.maps += 1
          } else {
            names[name] = "__set\(counts.sets)"
            counts.sets += 1
          }
        }
      }
    }
    return names
  }
}

extension Chain {
  fileprivate var canonical: Chain {
    var chain = self
    chain.handle = nil
    chain.counter = nil
    chain.rules = rules.map { rule in
      Rule(rule.expressions.map(\.withoutState), comment: rule.comment)
    }
    return chain
  }
}

extension Rule {
  fileprivate mutating func renameSets(_ names: [String: String]) {
    for index in expressions.indices {
      guard let old = expressions[index].setName, let name = names[old] else { continue }
      expressions[index].setName = name
    }
  }
}

extension Expression {
  /// The set or map it uses, if any.
  ///
  /// Setting it on an expression that uses none does nothing.
  public var setName: String? {
    get {
      switch self {
      case .lookup(let lookup): lookup.set
      case .dynamicSet(let dynamic): dynamic.set
      case .objectMap(let map): map.set
      default: nil
      }
    }
    set {
      guard let newValue else { return }
      switch self {
      case .lookup(var lookup):
        lookup.set = newValue
        self = .lookup(lookup)
      case .dynamicSet(var dynamic):
        dynamic.set = newValue
        self = .dynamicSet(dynamic)
      case .objectMap(var map):
        map.set = newValue
        self = .objectMap(map)
      default: return
      }
    }
  }
}

extension NamedObject {
  fileprivate var canonical: NamedObject {
    var object = self
    object.handle = nil
    if case .quota(var quota) = content {
      quota.consumed = 0
      quota.isDepleted = false
      object.content = .quota(quota)
    }
    return object
  }

  fileprivate func precedes(_ other: NamedObject) -> Bool {
    (content.type, name) < (other.content.type, other.name)
  }
}

extension Flowtable {
  fileprivate var canonical: Flowtable {
    var flowtable = self
    flowtable.handle = nil
    flowtable.devices.sort()
    return flowtable
  }
}

extension NamedSet {
  fileprivate func canonical(isRuntimeState: Bool) -> NamedSet {
    var set = self
    set.provenance = nil
    set.isRuntimeState = false
    if isVerdictMap || dataType != nil { set.flags.insert(.map) }
    // What follows from the key, and what nft(8) adds to sets that it makes for one rule.
    if key.count > 1 { set.flags.remove(.concatenation) }
    if flags.contains(.anonymous) {
      set.flags.insert(.constant)
      set.size = nil
    }
    if let load = typeof {
      set.typeof = PayloadLoad(
        load.base, offsetBytes: load.offsetBytes, lengthBytes: load.lengthBytes,
        into: Register(word: 0))
    }
    set.content = isRuntimeState ? .elements([]) : content.canonical(of: self)
    return set
  }
}

extension SetContent {
  /// Plain addresses as intervals, anything else as elements sorted by key.
  fileprivate func canonical(of set: NamedSet) -> SetContent {
    guard case .elements(let elements) = self else { return count == 0 ? .elements([]) : self }
    if elements.isEmpty { return self }
    let isPlain =
      set.key.count == 1 && !set.isVerdictMap && set.dataType == nil
      && elements.allSatisfy {
        !$0.isCatchAll && $0.comment == nil && $0.timeoutMilliseconds == nil && $0.object == nil
          && $0.expressions.isEmpty
      }
    if isPlain, let four: [Interval<UInt32>] = intervals(elements, of: set, bytes: 4) {
      return .ipv4(IntervalSet(four))
    }
    if isPlain, let six: [Interval<UInt128>] = intervals(elements, of: set, bytes: 16) {
      return .ipv6(IntervalSet(six))
    }
    var items = elements.map(\.withoutState)
    for index in items.indices where items[index].keyEnd == items[index].key {
      items[index].keyEnd = nil
    }
    if set.key.count > 1 && set.flags.contains(.interval) { return .elements(items) }
    return .elements(items.sorted { $0.precedes($1) })
  }

  private func intervals<Bound>(
    _ elements: [SetElement], of set: NamedSet, bytes: Int
  ) -> [Interval<Bound>]? {
    let isAddress =
      set.key == [.integer(lengthBytes: bytes)]
      || set.key == [bytes == 4 ? .ipv4Address : .ipv6Address]
    guard isAddress, elements.allSatisfy({ $0.key.count == bytes }) else { return nil }
    func number(_ bytes: [UInt8]) -> Bound { bytes.reduce(0) { $0 << 8 | Bound($1) } }
    var result: [Interval<Bound>] = []
    result.reserveCapacity(elements.count)
    for element in elements {
      let first = number(element.key)
      let last = element.keyEnd.map(number) ?? first
      guard first <= last else { return nil }
      result.append(Interval(first, last))
    }
    return result
  }
}

extension SetElement {
  /// Orders by key, the catch-all element last.
  func precedes(_ other: SetElement) -> Bool {
    if isCatchAll != other.isCatchAll { return other.isCatchAll }
    return key.lexicographicallyPrecedes(other.key)
  }
}
