import NetworkTypes
import PacketSets

extension SymbolicAnalyzer {
  /// Where bits are one certain value; nil when that is not a matter of fields alone.
  ///
  /// The bits of one field are put together wherever they stand: a number in host order has its
  /// bytes the other way round, and byte by byte it would fall into very many intervals.
  mutating func equal(
    _ bits: [Bit], _ value: [UInt8]
  ) throws(PacketSetError) -> Condition? {
    var wanted: [PacketField: (mask: UInt32, value: UInt32)] = [:]
    for (bit, expected) in zip(bits, [Bit](bytes: value)) {
      switch bit {
      case .zero, .one:
        if bit != expected { return .never }
      case .field(let field, let place, let isFlipped):
        let one: UInt32 = 1 << UInt32(place)
        let isOne = (expected == .one) != isFlipped
        var known = wanted[field] ?? (0, 0)
        if known.mask & one != 0, (known.value & one != 0) != isOne { return .never }
        known.mask |= one
        if isOne { known.value |= one }
        wanted[field] = known
      case .table, .opaque: return nil
      }
    }
    var sets: [Diagram] = []
    for (field, known) in wanted.sorted(by: { $0.key < $1.key }) {
      guard let values = Self.values(of: field, known.mask, known.value) else { return nil }
      sets.append(try diagrams.set(field, values))
    }
    return Condition(yes: try diagrams.intersection(sets))
  }

  /// The values of a field whose bits under a mask are as given; nil when they are too many
  /// intervals.
  private static func values(
    of field: PacketField, _ mask: UInt32, _ value: UInt32
  ) -> IntervalSet<UInt32>? {
    let low = UInt32(1) << UInt32(mask.trailingZeroBitCount) - 1
    let width = UInt32(32 - field.maximum.leadingZeroBitCount)
    let all = width == 32 ? UInt32.max : (1 << width) - 1
    let open = all & ~mask & ~low
    guard open.nonzeroBitCount <= 12 else { return nil }
    var hits: [Interval<UInt32>] = []
    // Every combination of the open bits, in ascending order.
    var combination: UInt32 = 0
    repeat {
      let first = value | combination
      if first <= field.maximum { hits.append(Interval(first, min(first | low, field.maximum))) }
      combination = (combination &- open) & open
    } while combination != 0
    return IntervalSet(hits)
  }
}
