import Bytecode
import CNetfilter
import Glibc

/// Which rules and elements of a table are read, when not all of them are.
///
/// Of the chains that are read the sets are read that their rules look into. Scope maps are large and
/// are never read whole: only the elements whose keys are given.
struct Excerpt {
  /// Whether the rules of a chain are read, by its name.
  var chains: (String) -> Bool
  /// Whether all elements of a set are read, by its name, whoever looks into it.
  var sets: (String) -> Bool = { _ in false }
  /// The keys of the elements that are read of scope maps, by the map's name.
  var keys: [String: Set<[UInt8]>] = [:]
}

extension NetfilterSession where Transport: ~Copyable {
  /// Reads a table with all its chains, sets and objects, but of rules and elements only a part.
  ///
  /// - Parameters:
  ///   - name: the table.
  ///   - choose: which part; is shown the table without rules and elements first, and then with the
  ///     elements found, until it gives no keys that were not looked up before.
  /// - Returns: the table, nil when there is none, and the generation that it was read at.
  /// - Throws: as ``readRuleset()``.
  ///
  /// Complexity: O(chains + sets + what was chosen), whatever the scope maps hold.
  mutating func readExcerpt(
    of name: TableIdentifier, _ choose: (Table) -> Excerpt
  ) throws(KernelError) -> (table: Table?, generation: UInt32) {
    let (table, generation) = try atOneGeneration { session, generation throws(KernelError) in
      try session.readPart(of: name, UInt16(generation & 0xffff), choose)
    }
    return (table, generation)
  }

  private mutating func readPart(
    of name: TableIdentifier, _ generation: UInt16, _ choose: (Table) -> Excerpt
  ) throws(KernelError) -> Table? {
    var builder = try readDeclarations(name, generation)
    guard let declared = builder.tables.first else { return nil }
    let chosen = choose(declared)
    for chain in declared.chains.map(\.name) where chosen.chains(chain) {
      var ask = Request.all(.getRule, of: name, generation)
      ask.names.append((type: UInt16(NFTA_RULE_CHAIN.rawValue), name: chain))
      try request(ask) { message, reply throws(MalformedAttribute) in
        try builder.addRule(message, reply)
      }
    }
    let used = builder.tables[0].setsUsed { _ in true }
    for place in builder.setPlaces where !GenerationName.isOfFrame(place.set.name) {
      guard chosen.sets(place.set.name) || used.contains(place.set.name) else { continue }
      try readElements(place, generation, into: &builder)
    }
    try lookUp(chosen.keys, generation, into: &builder, choose)
    try readObjects(name, generation: generation, into: &builder)
    try readFlowtables(name, generation, into: &builder)
    return builder.tables[0]
  }

  /// Looks elements of scope maps up by key, until no further key is asked for.
  private mutating func lookUp(
    _ keys: [String: Set<[UInt8]>], _ generation: UInt16, into builder: inout RulesetBuilder,
    _ choose: (Table) -> Excerpt
  ) throws(KernelError) {
    let places = builder.setPlaces.filter { GenerationName.isOfFrame($0.set.name) }
    var collectors = places.map { ElementCollector($0.set) }
    var asked: [String: Set<[UInt8]>] = [:]
    var wanted = keys
    while true {
      var isDone = true
      for (index, place) in places.enumerated() {
        let more = (wanted[place.set.name] ?? []).subtracting(asked[place.set.name] ?? [])
        guard !more.isEmpty else { continue }
        isDone = false
        asked[place.set.name, default: []].formUnion(more)
        for key in more {
          try readElement(key, of: place, generation, into: &collectors[index])
        }
        builder.finish(place, collectors[index].content())
      }
      if isDone { break }
      wanted = choose(builder.tables[0]).keys
    }
    for (place, collector) in zip(places, collectors) { builder.finish(place, collector) }
  }

  /// Reads the element with a key; none is an answer too.
  private mutating func readElement(
    _ key: [UInt8], of place: RulesetBuilder.SetPlace, _ generation: UInt16,
    into collector: inout ElementCollector
  ) throws(KernelError) {
    do {
      try request(.elements(of: place, key: key, generation)) {
        message, reply throws(MalformedAttribute) in
        try collector.add(message, reply)
      }
    } catch {
      guard error.errorNumber == ENOENT else { throw error }
    }
  }
}
