public import Bytecode

/// One change to a table, as values; a list of them makes a transaction.
///
/// In one transaction chains come before whatever jumps to them, and sets before the rules that
/// look into them.
public enum Change: Hashable, Sendable {
  /// Makes the table itself: name, flags and comment, nothing inside; an error when it exists.
  case addTable(Table)
  /// Deletes the table with everything inside.
  case deleteTable
  /// Makes a chain, without its rules.
  case addChain(Chain)
  /// Deletes every rule of a chain.
  case flushChain(String)
  /// Deletes a chain that nothing refers to.
  case deleteChain(String)
  /// Makes a named set, without its elements.
  case addSet(NamedSet)
  /// Adds a named set's elements.
  case addElements(NamedSet)
  /// Deletes elements of a named set by key.
  case deleteElements(NamedSet)
  /// Deletes every element of a named set.
  case flushSet(String)
  /// Deletes a named set that nothing refers to.
  case deleteSet(String)
  /// Makes a named counter with its starting values.
  case addCounter(NamedCounter)
  /// Makes a named object that is no counter.
  case addObject(NamedObject)
  /// Deletes a named object that is no counter and that nothing refers to.
  case deleteObject(NamedObject)
  /// Deletes a named counter that nothing refers to.
  case deleteCounter(String)
  /// Appends a rule, with the anonymous sets it looks into; `position` counts from 1, for errors.
  case addRule(Rule, chain: String, position: Int, anonymousSets: [NamedSet])
}

extension Change {
  /// Every change that makes a table's contents from nothing, the table itself not included.
  ///
  /// Chains first, then objects, sets and rules. Flowtables are not made.
  ///
  /// - Parameter table: the contents.
  /// - Returns: the changes, in an order that the kernel takes.
  public static func filling(_ table: Table) -> [Change] {
    var changes = table.chains.map(Change.addChain)
    changes += table.counters.map(Change.addCounter)
    changes += table.objects.map(Change.addObject)
    for set in table.sets where !set.flags.contains(.anonymous) {
      changes += [.addSet(set), .addElements(set)]
    }
    return changes + rules(of: table.chains, in: table)
  }

  /// The changes that add the rules of chains of a table.
  ///
  /// - Parameters:
  ///   - chains: whose rules.
  ///   - table: where their anonymous sets are.
  /// - Returns: the changes, chain by chain.
  public static func rules(of chains: [Chain], in table: Table) -> [Change] {
    let anonymous = table.anonymousSetsByName
    return chains.flatMap { rules(of: $0, anonymous) }
  }

  private static func rules(of chain: Chain, _ anonymous: [String: NamedSet]) -> [Change] {
    chain.rules.enumerated().map { index, rule in
      let used = rule.expressions.compactMap { expression in
        expression.setName.flatMap { anonymous[$0] }
      }
      return .addRule(rule, chain: chain.name, position: index + 1, anonymousSets: used)
    }
  }
}

extension Table {
  /// The anonymous sets by name.
  fileprivate var anonymousSetsByName: [String: NamedSet] {
    var byName: [String: NamedSet] = [:]
    for set in sets where set.flags.contains(.anonymous) { byName[set.name] = set }
    return byName
  }
}
