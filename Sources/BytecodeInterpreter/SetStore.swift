/// The sets of a program, in flat arrays.
struct SetStore {
  /// A range of keys of at most 4 bytes.
  struct Small {
    var first: UInt32
    var last: UInt32
    var data: Int32
  }

  /// A range of keys of at most 16 bytes.
  struct Wide {
    var first: UInt128
    var last: UInt128
    var data: Int32
  }

  enum Kind: UInt8 {
    /// ``Small`` ranges, sorted.
    case small
    /// ``Wide`` ranges, sorted.
    case wide
    /// Keys of any length with ranges in every field, the first that matches wins.
    case ordered
  }

  struct Entry {
    var kind: Kind
    var keyBytes: UInt8
    var start: Int32
    var count: Int32
    /// The data of the catch-all element; -2 when there is none, -1 when it has no data.
    var catchAll: Int32 = -2
    /// Where the lengths of an ordered set's fields start, and how many fields there are.
    var fieldStart: Int32 = 0
    var fieldCount: UInt8 = 0
    /// Where an ordered set's bounds start.
    var firstBound: Int32 = 0
    /// The index of an ordered set; -1 for none.
    var index: Int32 = -1
    /// How many words of data a hit stores.
    var dataWords: UInt8 = 0
  }

  /// A miss.
  static let miss: Int32 = -2

  var entries: [Entry] = []
  var small: [Small] = []
  var wide: [Wide] = []
  /// For ordered sets, per element and field: the low and the high bound.
  var bounds: [UInt128] = []
  /// For ordered sets, the data number per element.
  var orderedData: [Int32] = []
  /// Ways into large ordered sets.
  var indexes: [OrderedIndex] = []
  /// For ordered sets, the length of each field in bytes.
  var fieldLengths: [UInt8] = []

  /// Every data number of a set, each once; without ``miss``.
  ///
  /// O(n).
  func allData(_ entry: Entry) -> [Int32] {
    let range = Int(entry.start)..<Int(entry.start + entry.count)
    let all: [Int32] =
      switch entry.kind {
      case .small: small[range].map(\.data)
      case .wide: wide[range].map(\.data)
      case .ordered: Array(orderedData[range])
      }
    return Set(all + [entry.catchAll]).subtracting([Self.miss]).sorted()
  }

  /// Data number of the range that holds `key`.
  ///
  /// O(log n).
  static func find(_ key: UInt32, _ ranges: Span<Small>, _ entry: Entry) -> Int32 {
    var low = Int(entry.start)
    var high = low + Int(entry.count)
    let end = high
    while low < high {
      let middle = (low + high) >> 1
      if ranges[middle].last < key { low = middle + 1 } else { high = middle }
    }
    return low < end && ranges[low].first <= key ? ranges[low].data : entry.catchAll
  }

  /// Data number of the range that holds `key`.
  ///
  /// O(log n).
  static func find(_ key: UInt128, _ ranges: Span<Wide>, _ entry: Entry) -> Int32 {
    var low = Int(entry.start)
    var high = low + Int(entry.count)
    let end = high
    while low < high {
      let middle = (low + high) >> 1
      if ranges[middle].last < key { low = middle + 1 } else { high = middle }
    }
    return low < end && ranges[low].first <= key ? ranges[low].data : entry.catchAll
  }

  /// Data number of the first element that holds the key in the registers from `word`.
  ///
  /// O(log n) and the elements that share a segment of the indexed field; O(n) without an index.
  func findOrdered(_ registers: borrowing Registers, from word: Int, _ entry: Entry) -> Int32 {
    if entry.index >= 0 {
      let index = indexes[Int(entry.index)]
      let value = registers.number(word + index.word, index.lengthBytes)
      for element in index.candidates(value) where holds(Int(element), registers, word, entry) {
        return orderedData[Int(entry.start) + Int(element)]
      }
      return entry.catchAll
    }
    for element in 0..<Int(entry.count) where holds(element, registers, word, entry) {
      return orderedData[Int(entry.start) + element]
    }
    return entry.catchAll
  }

  /// Whether an element of an ordered set, from 0, holds the key in the registers from `word`.
  private func holds(
    _ element: Int, _ registers: borrowing Registers, _ word: Int, _ entry: Entry
  ) -> Bool {
    let fields = Int(entry.fieldCount)
    var place = word
    var at = Int(entry.firstBound) + element * fields * 2
    for field in 0..<fields {
      let length = Int(fieldLengths[Int(entry.fieldStart) + field])
      let value = registers.number(place, length)
      if value < bounds[at] || value > bounds[at + 1] { return false }
      place += (length + 3) / 4
      at += 2
    }
    return true
  }
}
