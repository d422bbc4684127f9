public import NetworkTypes

/// A box of packets: a set of values for some fields, any value for the others.
public struct PacketRegion: Hashable, Sendable {
  /// The fields that matter, in their order, each with its values.
  public let fields: [Constraint]

  /// The values of one field.
  public struct Constraint: Hashable, Sendable {
    /// The field.
    public let field: PacketField
    /// Its values.
    public let values: IntervalSet<UInt32>
  }

  /// The values of a field; nil when any will do.
  public subscript(field: PacketField) -> IntervalSet<UInt32>? {
    fields.first { $0.field == field }?.values
  }
}

extension PacketDiagrams {
  /// A set as disjoint boxes, at most so many, and how many more there are.
  ///
  /// O(fields · intervals) for what is listed, O(n) for the number of the others.
  ///
  /// - Parameters:
  ///   - set: the set.
  ///   - limit: how many boxes to make.
  /// - Returns: the boxes, and the number of boxes left out.
  public func regions(
    _ set: Diagram, limit: Int
  ) -> (regions: [PacketRegion], more: Double) {
    var found: [PacketRegion] = []
    var path: [PacketRegion.Constraint] = []
    list(set.id, limit, &path, &found)
    var memo: [Int32: Double] = [:]
    return (found, boxes(set.id, &memo) - Double(found.count))
  }

  /// The values that lead to each child other than nothing, in order of the first.
  private func branches(_ id: Int32) -> [(child: Int32, values: IntervalSet<UInt32>)] {
    let node = nodes[Int(id)]
    var order: [Int32] = []
    var values: [Int32: [Interval<UInt32>]] = [:]
    var first: UInt32 = 0
    for i in node.start..<node.start + Int(node.count) {
      let child = children[i]
      if child != Diagram.nothing.id {
        if values[child] == nil { order.append(child) }
        values[child, default: []].append(Interval(first, bounds[i]))
      }
      first = bounds[i] &+ 1
    }
    return order.map { ($0, IntervalSet(canonical: (values[$0] ?? [])[...])) }
  }

  private func list(
    _ id: Int32, _ limit: Int, _ path: inout [PacketRegion.Constraint],
    _ found: inout [PacketRegion]
  ) {
    if found.count >= limit || id == Diagram.nothing.id { return }
    guard id >= 0, let field = PacketField(rawValue: nodes[Int(id)].field) else {
      found.append(PacketRegion(fields: path))
      return
    }
    for branch in branches(id) {
      path.append(PacketRegion.Constraint(field: field, values: branch.values))
      list(branch.child, limit, &path, &found)
      path.removeLast()
    }
  }

  private func boxes(_ id: Int32, _ memo: inout [Int32: Double]) -> Double {
    if id < 0 { return id == Diagram.nothing.id ? 0 : 1 }
    if let known = memo[id] { return known }
    let node = nodes[Int(id)]
    var distinct: Set<Int32> = []
    for i in node.start..<node.start + Int(node.count) { distinct.insert(children[i]) }
    let total = distinct.reduce(0.0) { $0 + boxes($1, &memo) }
    memo[id] = total
    return total
  }
}
