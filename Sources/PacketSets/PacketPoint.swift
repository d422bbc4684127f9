public import NetworkTypes

/// One packet, as a value for every field.
public struct PacketPoint: Hashable, Sendable {
  private var values: [UInt32]

  /// A packet whose fields are all 0.
  public init() { values = [UInt32](repeating: 0, count: PacketField.count) }

  /// The value of a field.
  public subscript(field: PacketField) -> UInt32 {
    get { values[Int(field.rawValue)] }
    set { values[Int(field.rawValue)] = newValue }
  }

  /// The family.
  public var family: Family { self[.family] == 0 ? .ipv4 : .ipv6 }
  /// Where the packet goes.
  public var destination: IPAddress { address(PacketField.destination) }
  /// Where it comes from.
  public var source: IPAddress { address(PacketField.source) }
  /// `meta mark`.
  public var mark: UInt32 { joined(PacketField.mark, bits: 4) }
  /// `ct mark`.
  public var conntrackMark: UInt32 { joined(PacketField.conntrackMark, bits: 4) }
  /// `ct status`.
  public var conntrackStatus: UInt32 { joined(PacketField.conntrackStatus, bits: 4) }

  private func address(_ words: [PacketField]) -> IPAddress {
    family == .ipv4
      ? .v4(self[words[3]]) : .v6(words.reduce(0) { $0 << 32 | UInt128(self[$1]) })
  }

  private func joined(_ fields: [PacketField], bits: UInt32) -> UInt32 {
    fields.reduce(0) { $0 << bits | self[$1] }
  }
}

extension PacketDiagrams {
  /// The value of a function for one packet.
  ///
  /// O(fields · log n).
  public func value(of function: Diagram, at point: PacketPoint) -> Int {
    var id = function.id
    while id >= 0 {
      guard let field = PacketField(rawValue: nodes[Int(id)].field) else { break }
      id = child(of: id, at: point[field])
    }
    return Int(~id)
  }

  /// Whether a packet is in a set.
  public func contains(_ set: Diagram, _ point: PacketPoint) -> Bool {
    value(of: set, at: point) != 0
  }

  /// How many combinations of field values a set holds; exact up to 2⁵³, rounded beyond.
  ///
  /// O(n).
  public func count(_ set: Diagram) -> Double {
    var memo: [Int32: Double] = [:]
    return count(set.id, &memo) * span(0, level(set.id))
  }

  /// Combinations of the fields from the node's own on.
  private func count(_ id: Int32, _ memo: inout [Int32: Double]) -> Double {
    if id < 0 { return id == Diagram.nothing.id ? 0 : 1 }
    if let known = memo[id] { return known }
    let node = nodes[Int(id)]
    var total = 0.0
    var first: UInt64 = 0
    for i in node.start..<node.start + Int(node.count) {
      let width = Double(UInt64(bounds[i]) + 1 - first)
      first = UInt64(bounds[i]) + 1
      if children[i] == Diagram.nothing.id { continue }
      total +=
        width * count(children[i], &memo) * span(Int(node.field) + 1, level(children[i]))
    }
    memo[id] = total
    return total
  }

  /// Combinations of the fields in between.
  private func span(_ from: Int, _ to: Int) -> Double {
    var product = 1.0
    for field in from..<max(from, min(to, PacketField.count)) {
      product *= Double(Self.maxima[field]) + 1
    }
    return product
  }

  /// A packet of a set, plausible values first; nil when the set is empty.
  ///
  /// Fields are chosen in their order; `preferences` sees what was chosen so far.
  ///
  /// - Parameters:
  ///   - set: the set.
  ///   - preferences: values to try for a field, best first; the smallest possible one otherwise.
  /// - Returns: a member.
  ///
  /// Complexity: O(fields · intervals).
  public func witness(
    _ set: Diagram, preferring preferences: (PacketField, PacketPoint) -> [UInt32]
  ) -> PacketPoint? {
    guard set != .nothing else { return nil }
    var point = PacketPoint()
    var id = set.id
    for field in PacketField.allCases {
      let wishes = preferences(field, point)
      guard level(id) == Int(field.rawValue) else {
        point[field] = wishes.first { $0 <= field.maximum } ?? 0
        continue
      }
      let wish = wishes.first {
        $0 <= field.maximum && child(of: id, at: $0) != Diagram.nothing.id
      }
      point[field] = wish ?? firstMember(id)
      id = child(of: id, at: point[field])
    }
    return point
  }

  private func firstMember(_ id: Int32) -> UInt32 {
    let node = nodes[Int(id)]
    var first: UInt32 = 0
    for i in node.start..<node.start + Int(node.count) {
      if children[i] != Diagram.nothing.id { return first }
      first = bounds[i] &+ 1
    }
    return first
  }
}
