import Bytecode
import NetworkTypes

/// Tables in the one form in which "the kernel holds what was compiled" is an equality.
///
/// Left out is what the kernel chooses or packets change: handles, numbers of anonymous sets, order
/// of elements that cannot overlap, counter values, comments of counters (kept over generations so
/// that they go on counting) and contents that names resolve to.
struct TableComparison {
  private var chains: [String: Chain] = [:]
  private var sets: [String: NamedSet] = [:]
  private var counters: Set<String> = []

  /// Takes the part of a table whose names pass.
  ///
  /// Contents of `runtimeSets` do not count; anonymous sets follow their rules.
  init(
    _ table: Table, runtimeSets: Set<String> = [], where isPart: (String) -> Bool = { _ in true }
  ) {
    var anonymous: [String: NamedSet] = [:]
    for set in table.sets {
      if set.flags.contains(.anonymous) {
        anonymous[set.name] = set
      } else if isPart(set.name) {
        sets[set.name] = set.canonical(isRuntimeState: runtimeSets.contains(set.name))
      }
    }
    for chain in table.chains where isPart(chain.name) { take(chain, anonymous) }
    counters = Set(table.counters.map(\.name).filter(isPart))
  }

  /// What of `expected` is missing or different here, as sentences; empty when all of it is here.
  ///
  /// When `isExact`, anything here beyond `expected` is a difference as well.
  func differences(from expected: TableComparison, isExact: Bool = true) -> [String] {
    var all: [String] = []
    all += TableComparison.compare("chain", chains, expected.chains, isExact)
    all += TableComparison.compare("set", sets, expected.sets, isExact)
    all += expected.counters.subtracting(counters).map { "counter \($0) is missing" }
    if isExact {
      all += counters.subtracting(expected.counters).map { "counter \($0) is not expected" }
    }
    return all.sorted()
  }

  private static func compare<Value: Equatable>(
    _ kind: String, _ found: [String: Value], _ expected: [String: Value], _ isExact: Bool
  ) -> [String] {
    var all: [String] = []
    for (name, value) in expected {
      guard let there = found[name] else {
        all.append("\(kind) \(name) is missing")
        continue
      }
      if there != value { all.append("\(kind) \(name) is not as compiled") }
    }
    if isExact {
      for name in found.keys where expected[name] == nil {
        all.append("\(kind) \(name) is not expected")
      }
    }
    return all
  }

  private mutating func take(_ chain: Chain, _ anonymous: [String: NamedSet]) {
    var canonical = chain
    canonical.handle = nil
    var count = 0
    canonical.rules = chain.rules.map { rule in
      let expressions = rule.expressions.map { expression -> Expression in
        switch expression {
        case .counter: return .counter(Counter())
        case .lookup(var lookup):
          guard var set = anonymous[lookup.set] else { return expression }
          lookup.set = "\(chain.name)#\(count)"
          count += 1
          set.name = lookup.set
          set.size = nil
          sets[lookup.set] = set.canonical(isRuntimeState: false)
          return .lookup(lookup)
        default: return expression
        }
      }
      return Rule(expressions, comment: rule.comment)
    }
    chains[chain.name] = canonical
  }
}

extension NamedSet {
  fileprivate func canonical(isRuntimeState: Bool) -> NamedSet {
    var set = self
    set.provenance = nil
    set.isRuntimeState = false
    set.flags.remove(.concatenation)
    set.typeof?.destination = Register(word: 0)
    set.content = isRuntimeState ? .elements([]) : canonicalContent
    return set
  }

  private var canonicalContent: SetContent {
    guard case .elements(let elements) = content else { return content }
    let plain = elements.map { element in
      var element = element
      if element.keyEnd == element.key { element.keyEnd = nil }
      return element
    }
    if isConcatenatedInterval { return .elements(plain) }
    let isBare = plain.allSatisfy {
      $0 == SetElement(key: $0.key, keyEnd: $0.keyEnd) && $0.key.count == wireKeyLength
    }
    if isBare, let addresses = addresses(of: plain) { return addresses }
    return .elements(plain.sorted(by: ElementCollector.isOrdered))
  }

  /// Bare elements of an address set as intervals; nil for any other set.
  private func addresses(of elements: [SetElement]) -> SetContent? {
    guard ElementCollector(self).isAddressSet else { return nil }
    var blocks: [AddressBlock] = []
    for element in elements {
      guard let first = IPAddress(networkOrderBytes: element.key),
        let last = IPAddress(networkOrderBytes: element.keyEnd ?? element.key),
        let block = AddressBlock(first, last)
      else { return nil }
      blocks.append(block)
    }
    let addresses = AddressSet(blocks)
    return wireKeyLength == 4 ? .ipv4(addresses.v4) : .ipv6(addresses.v6)
  }
}
