public import Bytecode

/// A policy of some scopes, for whichever generation it gets.
public struct ScopePolicy {
  /// What the comment of its entry chain ends with; tells whether the kernel has it already.
  public let digest: String
  /// Its chains, sets, counters and objects, without base chains.
  public let render: (Int) -> Table

  /// Makes one.
  public init(digest: String, render: @escaping (Int) -> Table) {
    self.digest = digest
    self.render = render
  }
}

/// A scope table as it was read.
public struct ScopeView {
  /// The table; when only a part was read, its scope maps hold no elements but those looked up.
  public let table: Table
  /// The scope maps that hold elements besides those in `table`.
  public let fullerMaps: Set<String>
}

/// How a change of a few scopes finds what it is about without reading the scope maps.
public struct ScopeLookup {
  /// The keys to look up, by map.
  ///
  /// It is shown the table without elements first, then with those found, until it wants no more.
  public let keys: (Table) -> [String: Set<[UInt8]>]
  /// From a table to its base chains and maps as they should be, the maps empty.
  public let shape: (Table) -> Table
  /// Whether the change may leave a map without elements.
  public let empties: Bool

  /// Makes one.
  public init(
    empties: Bool, keys: @escaping (Table) -> [String: Set<[UInt8]>],
    shape: @escaping (Table) -> Table
  ) {
    self.empties = empties
    self.keys = keys
    self.shape = shape
  }
}

/// What is to become of a scope table.
public enum ScopeGoal {
  /// These base chains and maps; of maps that were read in part, the elements that were looked up.
  case frame(Table)
  /// No table at all.
  case nothing
  /// What there is.
  case unchanged
}

/// What a scope table is to hold.
public struct ScopeChange {
  /// The policies that the change needs.
  public let policies: [ScopePolicy]
  /// What is read; nil for all of the table.
  public let lookup: ScopeLookup?
  /// From the table that is there and the generations of `policies` by digest to what is to become of
  /// it.
  public let goal: (ScopeView?, [String: Int]) -> ScopeGoal

  /// Makes one.
  public init(
    policies: [ScopePolicy], lookup: ScopeLookup? = nil,
    goal: @escaping (ScopeView?, [String: Int]) -> ScopeGoal
  ) {
    self.policies = policies
    self.lookup = lookup
    self.goal = goal
  }
}
