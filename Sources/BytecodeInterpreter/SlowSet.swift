import Bytecode

/// A set whose elements expire, are added by rules, name objects or carry expressions.
///
/// Looked up element by element: such sets are seldom large, and their answers depend on more than
/// the key.
struct SlowSet {
  struct Element {
    /// Fields by padded words; the upper bounds, inside.
    var low: [UInt8]
    var high: [UInt8]
    /// Number of the verdict, or -1.
    var verdict: Int32 = -1
    var data: [UInt8] = []
    /// Milliseconds until it expires, counted from reading; nil for never.
    var expiration: UInt64?
    var expressions: [Expression] = []
  }

  let name: String
  /// Bytes compared per field; fields start at multiples of 4.
  let fields: [Int]
  let isVerdictMap: Bool
  let isMap: Bool
  /// Whether rules may change it.
  let isDynamic: Bool
  /// How many elements it may have; nil for any number.
  let size: UInt32?
  /// What a new element carries.
  let expressions: [Expression]
  let objectEffect: ObjectEffect
  var elements: [Element] = []
  var catchAll: Element?

  /// Whether an element holds a key.
  func holds(_ key: [UInt8], _ element: Element) -> Bool {
    var place = 0
    for length in fields {
      let field = key[place..<place + length]
      if field.lexicographicallyPrecedes(element.low[place..<place + length]) { return false }
      if element.high[place..<place + length].lexicographicallyPrecedes(field) { return false }
      place += (length + 3) / 4 * 4
    }
    return true
  }
}
