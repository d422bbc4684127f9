public import NetworkTypes

/// An arena of interval decision diagrams over ``PacketField``.
///
/// A node looks at one field and has, for sorted disjoint intervals that cover the field's whole
/// domain, a child each; neighbours with the same child are one interval, a node with one child is
/// no node, and equal nodes are stored once. So equal functions have equal handles. Nodes are
/// numbers into flat arrays: an interval costs 8 bytes, a node 16 and its place in the table of
/// unique nodes. Nothing is freed before the arena is.
///
/// Example:
/// ```
/// var diagrams = PacketDiagrams()
/// let https = try diagrams.set(.destinationPort, IntervalSet([Interval(443, 443)]))
/// let rest = try diagrams.complement(https)
/// ```
public struct PacketDiagrams: ~Copyable {
  struct Node {
    var start: Int
    var count: Int32
    var hash: UInt32
    var field: UInt8
  }

  struct CacheEntry {
    var operation: Int32 = -1
    var first: Int32 = 0
    var second: Int32 = 0
    var third: Int32 = 0
    var result: Int32 = 0
  }

  var nodes: [Node] = []
  /// The last value of each interval.
  var bounds: [UInt32] = []
  var children: [Int32] = []
  private var unique: [Int32] = [Int32](repeating: -1, count: 1 << 12)

  /// Intervals of nodes that are being built, innermost last.
  var openBounds: [UInt32] = []
  var openChildren: [Int32] = []

  private var cache = [CacheEntry](repeating: CacheEntry(), count: 1 << 12)
  private var operationCount: Int32 = 16
  let budget: DiagramBudget
  private(set) var steps = 0
  /// Which addresses stand for all, and every test of an address; nil when each stands for itself.
  public internal(set) var sampling: AddressSampling?
  /// The family of the packets that tests of addresses are made for; nil for both.
  ///
  /// A sampling alone looks at it: it tells fewer addresses apart when it knows. Whoever sets it
  /// uses the tests for packets of that family only.
  public var addressFamily: Family?
  /// What ``sampledAddresses()`` found before.
  var sampledPackets: Diagram?

  /// Makes an empty arena.
  public init(budget: DiagramBudget = DiagramBudget(), sampling: AddressSampling? = nil) {
    self.budget = budget
    self.sampling = sampling
  }

  /// How many nodes were made.
  public var nodeCount: Int { nodes.count }
  /// How many intervals all nodes have together.
  public var intervalCount: Int { bounds.count }

  /// A number for an operation of the caller's, different from all others of this arena.
  public mutating func makeOperationNumber() -> Int32 {
    operationCount += 1
    return operationCount
  }

  // MARK: Nodes

  /// The field that a function looks at first; ``PacketField/count`` for a constant.
  @inline(__always)
  func level(_ id: Int32) -> Int {
    id < 0 ? Int.max : Int(nodes[Int(id)].field)
  }

  /// Adds an interval to the node being built, one that ends at `bound`.
  @inline(__always)
  mutating func push(_ bound: UInt32, _ child: Int32, _ base: Int) {
    let last = openBounds.count - 1
    if last >= base && openChildren[last] == child {
      openBounds[last] = bound
    } else {
      openBounds.append(bound)
      openChildren.append(child)
    }
  }

  /// Closes the node being built: finds it or stores it.
  mutating func commit(_ field: Int, _ base: Int) throws(PacketSetError) -> Int32 {
    let count = openBounds.count - base
    defer {
      openBounds.removeLast(openBounds.count - base)
      openChildren.removeLast(openChildren.count - base)
    }
    if count == 1 { return openChildren[base] }
    var hash = UInt64(truncatingIfNeeded: field) &* 0x9e37_79b9_7f4a_7c15
    for index in base..<openBounds.count {
      let item = UInt64(openBounds[index]) << 32 | UInt64(UInt32(bitPattern: openChildren[index]))
      hash = (hash ^ item) &* 0xff51_afd7_ed55_8ccd
      hash ^= hash >> 29
    }
    let short = UInt32(truncatingIfNeeded: hash ^ hash >> 32)
    var slot = Int(short) & (unique.count - 1)
    while unique[slot] >= 0 {
      let found = unique[slot]
      if isEqual(Int(found), short, field, base, count) { return found }
      slot = (slot + 1) & (unique.count - 1)
    }
    guard bounds.count + count <= budget.intervals, nodes.count < Int32.max - 1 else {
      throw .tooComplex
    }
    let id = Int32(nodes.count)
    nodes.append(
      Node(start: bounds.count, count: Int32(count), hash: short, field: UInt8(field)))
    bounds.append(contentsOf: openBounds[base...])
    children.append(contentsOf: openChildren[base...])
    unique[slot] = id
    if nodes.count * 2 > unique.count { growUnique() }
    return id
  }

  private func isEqual(
    _ id: Int, _ hash: UInt32, _ field: Int, _ base: Int, _ count: Int
  ) -> Bool {
    let node = nodes[id]
    guard node.hash == hash, Int(node.field) == field, Int(node.count) == count else {
      return false
    }
    for index in 0..<count
    where bounds[node.start + index] != openBounds[base + index]
      || children[node.start + index] != openChildren[base + index]
    {
      return false
    }
    return true
  }

  private mutating func growUnique() {
    var table = [Int32](repeating: -1, count: unique.count * 4)
    for (id, node) in nodes.enumerated() {
      var slot = Int(node.hash) & (table.count - 1)
      while table[slot] >= 0 { slot = (slot + 1) & (table.count - 1) }
      table[slot] = Int32(id)
    }
    unique = table
    if cache.count < 1 << 20 && cache.count < unique.count {
      cache = [CacheEntry](repeating: CacheEntry(), count: unique.count)
    }
  }

  // MARK: Steps

  /// Counts a step, against operations that never end.
  @inline(__always)
  mutating func step() throws(PacketSetError) {
    steps += 1
    if steps > budget.steps { throw .tooComplex }
  }

  @inline(__always)
  private func slot(_ operation: Int32, _ a: Int32, _ b: Int32, _ c: Int32) -> Int {
    var hash = UInt64(UInt32(bitPattern: a)) &* 0x9e37_79b9_7f4a_7c15
    hash ^= UInt64(UInt32(bitPattern: b)) &* 0xc2b2_ae3d_27d4_eb4f
    hash ^= UInt64(UInt32(bitPattern: c)) &* 0x1656_67b1_9e37_79f9
    hash ^= UInt64(UInt32(bitPattern: operation)) &* 0x27d4_eb2f_1656_67c5
    hash = (hash ^ hash >> 31) &* 0xff51_afd7_ed55_8ccd
    return Int(truncatingIfNeeded: hash >> 33) & (cache.count - 1)
  }

  /// A result computed before, if it has not been overwritten since.
  @inline(__always)
  func remembered(_ operation: Int32, _ a: Int32, _ b: Int32, _ c: Int32 = 0) -> Int32? {
    let entry = cache[slot(operation, a, b, c)]
    return entry.operation == operation && entry.first == a && entry.second == b
      && entry.third == c ? entry.result : nil
  }

  /// Keeps a result.
  @inline(__always)
  mutating func remember(
    _ operation: Int32, _ a: Int32, _ b: Int32, _ c: Int32 = 0, result: Int32
  ) {
    cache[slot(operation, a, b, c)] = CacheEntry(
      operation: operation, first: a, second: b, third: c, result: result)
  }
}
