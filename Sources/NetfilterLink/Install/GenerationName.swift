import Bytecode

/// Names that belong to a generation: `g<N>/…`.
enum GenerationName {
  /// The generation a name belongs to; nil for names without one.
  static func generation(of name: String) -> Int? {
    guard name.first == "g", let slash = name.firstIndex(of: "/") else { return nil }
    let digits = name[name.index(after: name.startIndex)..<slash]
    guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
    return Int(digits)
  }

  /// Whether a set is shared by generations and named by its content.
  static func isShared(_ name: String) -> Bool { name.hasPrefix("addresses/") }

  /// Whether an object holds timeouts of flows, shared by generations and named by its content.
  ///
  /// Such objects are never deleted: flows that were given their timeouts lose them with the object.
  static func isIdle(_ name: String) -> Bool { name.hasPrefix("idle/") }

  /// The seconds in such a name; nil for any other.
  static func idleSeconds(of name: String) -> Int? {
    guard isIdle(name) else { return nil }
    return Int(name.dropFirst("idle/".count).prefix { $0 != "/" })
  }

  /// Whether a chain or set leads packets to the policies of their scopes: base chains and scope
  /// maps of a scope table.
  static func isOfFrame(_ name: String) -> Bool {
    ["scope/", "out/", "in/", "host/"].contains { name.hasPrefix($0) }
  }

  /// Whether a set is one of the maps that lead into the generation in force.
  static func isGenerationMap(_ name: String) -> Bool { name.hasPrefix("generation/") }
}

extension Table {
  /// The comment that marks a table as weir's own.
  static let managedComment = "managed by weir"

  /// The generation that packets are judged by now: the one on trial, or else the standing one.
  var generationInForce: Int? { runningTrial?.generation ?? standingGeneration }

  /// The generation that stays: where the catch-all of `generation/out` leads.
  var standingGeneration: Int? {
    outwardCatchAll?.verdict?.chain.flatMap(GenerationName.generation)
  }

  /// Whether packets of no trial pass unjudged, as after a first trial that nobody confirmed.
  var isOpen: Bool { isHooked && outwardCatchAll?.verdict == .accept }

  /// Whether it has base chains, so that packets come by.
  var isHooked: Bool { chains.contains { $0.hook != nil } }

  private var outwardCatchAll: SetElement? {
    guard let map = sets.first(where: { $0.name == "generation/out" }),
      case .elements(let elements) = map.content
    else { return nil }
    return elements.first(where: \.isCatchAll)
  }

  /// Every generation that has a chain or set.
  var generations: Set<Int> {
    Set((chains.map(\.name) + sets.map(\.name)).compactMap(GenerationName.generation))
  }

  /// Names of sets that rules of chains look into, where the chain's name passes.
  func setsUsed(by isPart: (String) -> Bool) -> Set<String> {
    var names: Set<String> = []
    for chain in chains where isPart(chain.name) {
      for case .lookup(let lookup) in chain.rules.flatMap(\.expressions) {
        names.insert(lookup.set)
      }
    }
    return names
  }
}
