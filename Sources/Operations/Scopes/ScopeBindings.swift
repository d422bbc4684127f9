import Bytecode
import NetfilterLink
import RuleCompiler

// Scopes in a table: where they are, how they are found, and how they are changed.

/// Where a scope's element is.
struct ScopePlace: Hashable {
  let dimension: ScopeDimension
  let key: [UInt8]

  init(_ dimension: ScopeDimension, _ key: [UInt8]) {
    self.dimension = dimension
    self.key = key
  }
}

extension Table {
  /// The scopes that its maps hold.
  var bindings: [ScopeBinding] {
    sets.flatMap { set -> [ScopeBinding] in
      guard let dimension = ScopeDimension(outwardMap: set.name),
        case .elements(let elements) = set.content
      else { return [] }
      return elements.compactMap { element in
        guard let chain = element.verdict?.chain,
          let generation = Int(chain.dropFirst().prefix { $0 != "/" })
        else { return nil }
        return ScopeBinding(
          dimension: dimension, key: element.key, generation: generation,
          comment: element.comment ?? "")
      }
    }
  }
  /// What its maps tell scopes by.
  var dimensions: Set<ScopeDimension> {
    Set(sets.compactMap { ScopeDimension(outwardMap: $0.name) })
  }
}

extension ScopeLookup {
  /// Finds scopes by place and by what is kept beside their elements, and whatever takes their place
  /// in a map.
  init(places: Set<ScopePlace>, comments: Set<String>, empties: Bool = false) {
    let nameKeys = Set(comments.map(ScopeBinding.nameKey))
    self.init(empties: empties) { table in
      var keys: [String: Set<[UInt8]>] = [:]
      func want(_ dimension: ScopeDimension, _ key: [UInt8]) {
        for map in dimension.verdictMaps { keys[map, default: []].insert(key) }
      }
      for place in places { want(place.dimension, place.key) }
      let bindings = table.bindings
      for dimension in table.dimensions.union(places.map(\.dimension)) {
        guard let map = dimension.nameMap else { continue }
        let found = bindings.filter { $0.dimension == dimension }
        keys[map] = nameKeys.union(found.map { ScopeBinding.nameKey(of: $0.comment) })
        for element in table.elements(ofSet: map) {
          if let key = element.data { want(dimension, key) }
        }
      }
      return keys
    } shape: { table in
      scopeFrame(named: table.name, [], dimensions: table.dimensions)
    }
  }
}

extension ScopeView? {
  /// What makes a table lead these scopes to their policies, and those that were not read as before.
  func goal(_ name: String, _ bindings: [ScopeBinding], isWhole: Bool) -> ScopeGoal {
    let others = isWhole ? [] : self?.fullerMaps ?? []
    let dimensions = Set(others.compactMap(ScopeDimension.init(outwardMap:)))
    if bindings.isEmpty && dimensions.isEmpty { return .nothing }
    return .frame(scopeFrame(named: name, bindings, dimensions: dimensions))
  }
}

extension Table {
  fileprivate func elements(ofSet name: String) -> [SetElement] {
    guard case .elements(let elements) = sets.first(where: { $0.name == name })?.content
    else { return [] }
    return elements
  }
}
