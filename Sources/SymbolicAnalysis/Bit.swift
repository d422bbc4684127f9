import PacketSets

/// What one bit of a register holds.
enum Bit: Hashable {
  case zero
  case one
  /// A bit of a field, 0 the least significant; flipped or not.
  case field(PacketField, UInt8, isFlipped: Bool)
  /// A bit of a table of values, 0 the first bit of the first byte.
  case table(UInt16, UInt8, isFlipped: Bool)
  /// Not known, for the cause of this number.
  case opaque(Int32)

  var flipped: Bit {
    switch self {
    case .zero: .one
    case .one: .zero
    case .field(let field, let place, let isFlipped):
      .field(field, place, isFlipped: !isFlipped)
    case .table(let table, let place, let isFlipped):
      .table(table, place, isFlipped: !isFlipped)
    case .opaque: self
    }
  }

  static func constant(_ isOne: Bool) -> Bit { isOne ? .one : .zero }
}

extension [Bit] {
  /// Bits of bytes, most significant first.
  init(bytes: some Sequence<UInt8>) {
    self = []
    for byte in bytes {
      for place in (0..<8).reversed() { append(.constant(byte >> UInt8(place) & 1 == 1)) }
    }
  }

  /// Bits of a field, most significant first.
  static func field(_ field: PacketField, _ count: Int, from low: Int = 0) -> [Bit] {
    (0..<count).reversed().map { .field(field, UInt8(low + $0), isFlipped: false) }
  }

  static func zeros(_ count: Int) -> [Bit] { [Bit](repeating: .zero, count: count) }

  static func opaque(_ count: Int, _ cause: Int32) -> [Bit] {
    [Bit](repeating: .opaque(cause), count: count)
  }

  /// The bytes in reverse order: a number's other byte order.
  var swapped: [Bit] {
    stride(from: count - 8, through: 0, by: -8).flatMap { self[$0..<$0 + 8] }
  }

  /// The bytes, when all are known.
  var bytes: [UInt8]? {
    var bytes: [UInt8] = []
    for start in stride(from: 0, to: count, by: 8) {
      var byte: UInt8 = 0
      for bit in self[start..<Swift.min(start + 8, count)] {
        switch bit {
        case .zero: byte <<= 1
        case .one: byte = byte << 1 | 1
        default: return nil
        }
      }
      bytes.append(byte)
    }
    return bytes
  }
}

/// nf_tables' data registers, 16 words of 4 bytes, bit by bit in byte order.
struct RegisterFile {
  private var bits = [Bit](repeating: .zero, count: 512)

  /// The bits from a word on.
  func load(_ word: Int, lengthBytes: Int) -> [Bit] {
    let start = word * 32
    let end = min(start + lengthBytes * 8, 512)
    return start < 0 || end <= start ? [] : Array(bits[start..<end])
  }

  /// Stores bits; the rest of the last word becomes zero.
  mutating func store(_ value: [Bit], word: Int) {
    let start = word * 32
    guard word >= 0, start + value.count <= 512 else { return }
    bits.replaceSubrange(start..<start + value.count, with: value)
    let rest = (32 - value.count % 32) % 32
    if rest > 0 && start + value.count + rest <= 512 {
      let end = start + value.count
      bits.replaceSubrange(end..<end + rest, with: [Bit].zeros(rest))
    }
  }
}

/// A field whose values stand for byte strings: the states of conntrack, links by name.
struct ValueTable: Hashable {
  var field: PacketField
  /// The bytes of each value from 0; values beyond have the last row's.
  var rows: [[UInt8]]
}
