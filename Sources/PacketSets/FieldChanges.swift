public import NetworkTypes

/// What happens to one field of a packet on its way.
public enum FieldChange: Hashable, Sendable {
  /// It becomes any of the values; one value is an assignment, the whole domain is "unknown".
  case among(Interval<UInt32>)
  /// It becomes `value & keep ^ flip`; for fields of at most 8 bits.
  case bits(keep: UInt32, flip: UInt32)

  /// It becomes the value.
  public static func constant(_ value: UInt32) -> FieldChange { .among(Interval(value, value)) }
}

/// Changes of several fields at once, as NAT and mark statements make them.
public struct FieldChanges: Hashable, Sendable {
  /// The changed fields; a field that is not mentioned stays as it is.
  public private(set) var changes: [PacketField: FieldChange]

  /// No change.
  public static let none = FieldChanges([:])

  /// Makes changes.
  public init(_ changes: [PacketField: FieldChange]) {
    self.changes = changes.filter { _, change in
      if case .bits(let keep, 0) = change { return keep & 0xff != 0xff && keep & 0xf != 0xf }
      return true
    }
  }

  /// Whether nothing changes.
  public var isEmpty: Bool { changes.isEmpty }

  /// These changes, and later ones after them.
  public func then(_ later: FieldChanges) -> FieldChanges {
    var both = changes
    for (field, change) in later.changes {
      both[field] = both[field].map { $0.then(change, field) } ?? change
    }
    return FieldChanges(both)
  }
}

extension FieldChange {
  func then(_ later: FieldChange, _ field: PacketField) -> FieldChange {
    switch (self, later) {
    case (_, .among): return later
    case (.bits(let keep, let flip), .bits(let nextKeep, let nextFlip)):
      return .bits(keep: keep & nextKeep, flip: flip & nextKeep ^ nextFlip)
    case (.among(let values), .bits(let keep, let flip)):
      if values.first == values.last { return .constant(values.first & keep ^ flip) }
      return .among(Interval(0, field.maximum))
    }
  }

  /// The values that `value` can become.
  func image(of value: UInt32) -> Interval<UInt32> {
    switch self {
    case .among(let values): return values
    case .bits(let keep, let flip):
      return Interval(value & keep ^ flip, value & keep ^ flip)
    }
  }
}
