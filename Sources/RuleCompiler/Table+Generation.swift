import Bytecode

extension Table {
  /// Makes generation 1 another one: every name `g1/…` becomes `g<N>/…`, wherever it stands.
  ///
  /// To build the table once more would take several times as long, and hold large sets twice.
  /// O(n) in rules and map elements; plain address sets have no names in them.
  mutating func renumber(to generation: Int) {
    let renaming = GenerationRenaming(generation)
    for index in sets.indices {
      renaming.rename(&sets[index].name)
      guard sets[index].isVerdictMap, case .elements(var elements) = sets[index].content else {
        continue
      }
      sets[index].content = .elements([])
      for element in elements.indices {
        if let new = renaming.verdict(elements[element].verdict) { elements[element].verdict = new }
      }
      sets[index].content = .elements(elements)
    }
    for chain in chains.indices {
      renaming.rename(&chains[chain].name)
      for rule in chains[chain].rules.indices {
        renaming.rename(&chains[chain].rules[rule].expressions)
      }
    }
  }
}

/// From the names of generation 1 to those of another.
private struct GenerationRenaming {
  private let prefix: String

  init(_ generation: Int) { prefix = "g\(generation)/" }

  private func renamed(_ name: String) -> String? {
    let bytes = name.utf8
    guard bytes.starts(with: "g1/".utf8) else { return nil }
    return prefix + name[bytes.index(bytes.startIndex, offsetBy: 3)...]
  }

  func rename(_ name: inout String) {
    if let new = renamed(name) { name = new }
  }

  /// The verdict with the new name; nil when it stays as it is.
  func verdict(_ verdict: Verdict?) -> Verdict? {
    switch verdict {
    case .jump(let chain): renamed(chain).map(Verdict.jump)
    case .goto(let chain): renamed(chain).map(Verdict.goto)
    default: nil
    }
  }

  func rename(_ expressions: inout [Expression]) {
    for index in expressions.indices {
      switch expressions[index] {
      case .lookup(var lookup):
        guard let new = renamed(lookup.set) else { continue }
        lookup.set = new
        expressions[index] = .lookup(lookup)
      case .immediate(.verdict(let old)):
        if let new = verdict(old) { expressions[index] = .immediate(.verdict(new)) }
      default: continue
      }
    }
  }
}
