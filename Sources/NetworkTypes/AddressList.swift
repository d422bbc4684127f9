/// Addresses, prefixes and ranges read from a list file, one a line.
///
/// `#` starts a comment, both families may mix, blank lines and CRLF line ends are fine, a byte
/// order mark is not. Order and duplicates are kept; ``addresses`` sorts and merges.
public struct AddressList: Hashable, Sendable {
  /// A line that is neither an address nor a prefix nor a range.
  public struct Problem: Hashable, Sendable {
    /// The line, from 1.
    public let line: Int
    /// The column of the item, from 1.
    public let column: Int
    /// How many characters the item has, at least 1.
    public let length: Int
    /// The whole line without its end, for display.
    public let sourceLine: String
    /// What is wrong with it.
    public let reason: LiteralError
  }

  /// The IPv4 items in file order.
  public private(set) var v4: [Interval<UInt32>] = []
  /// The IPv6 items in file order.
  public private(set) var v6: [Interval<UInt128>] = []
  /// The first bad lines, at most as many as asked for.
  public private(set) var problems: [Problem] = []
  /// How many lines were bad in all.
  public private(set) var problemCount = 0

  /// The items as a merged set.
  ///
  /// Linear when the file is sorted, O(n log n) otherwise.
  public var addresses: AddressSet { AddressSet(v4: IntervalSet(v4), v6: IntervalSet(v6)) }

  /// Reads a whole file.
  ///
  /// Linear; a good line makes no allocation of its own.
  public init(_ bytes: Span<UInt8>, keepingProblems maximumProblems: Int = 20) {
    let count = bytes.count
    v4.reserveCapacity(min(count / 16, 1 << 16))
    var line = 1
    var start = 0
    while start < count {
      var position = start
      if readFast(bytes, &position, count) {
        start = position
      } else {
        start = readSlow(bytes, start, count, line, maximumProblems)
      }
      line += 1
    }
  }

  /// Reads one plain line `item\n` and moves behind it; false when anything else stands there.
  @inline(__always)
  private mutating func readFast(
    _ bytes: Span<UInt8>, _ position: inout Int, _ end: Int
  ) -> Bool {
    guard let block = AddressScanner.block(bytes, &position, end),
      Self.atLineEnd(bytes, &position, end)
    else { return false }
    switch block {
    case .v4(let interval): v4.append(interval)
    case .v6(let interval): v6.append(interval)
    }
    return true
  }

  /// Whether only spaces, a comment and a line end follow; moves behind them.
  @inline(__always)
  private static func atLineEnd(
    _ bytes: Span<UInt8>, _ position: inout Int, _ end: Int
  ) -> Bool {
    while position < end {
      let byte = bytes[position]
      position += 1
      switch byte {
      case 0x0a: return true
      case 0x20, 0x09, 0x0d: continue
      case UInt8(ascii: "#"):
        while position < end, bytes[position] != 0x0a { position += 1 }
      default: return false
      }
    }
    return true
  }

  /// Reads any line: blank, comment, indented, spaced range, or bad; answers where the next starts.
  private mutating func readSlow(
    _ bytes: Span<UInt8>, _ start: Int, _ count: Int, _ line: Int, _ maximumProblems: Int
  ) -> Int {
    var end = start
    while end < count, bytes[end] != 0x0a { end += 1 }
    let lineEnd = end > start && bytes[end - 1] == 0x0d ? end - 1 : end
    var itemEnd = start
    while itemEnd < end, bytes[itemEnd] != UInt8(ascii: "#") { itemEnd += 1 }
    var itemStart = start
    while itemStart < itemEnd, Self.isSpace(bytes[itemStart]) { itemStart += 1 }
    while itemEnd > itemStart, Self.isSpace(bytes[itemEnd - 1]) { itemEnd -= 1 }
    guard itemStart < itemEnd else { return end + 1 }
    // A bad line may be huge: a policy file's worth of it explains nothing.
    let shown = min(itemEnd, itemStart + 80)
    let text = Self.text(bytes, itemStart, shown)
    do throws(LiteralError) {
      switch try AddressBlock(strict: text) {
      case .v4(let interval): v4.append(interval)
      case .v6(let interval): v6.append(interval)
      }
    } catch {
      problemCount += 1
      if problems.count < maximumProblems {
        problems.append(
          Problem(
            line: line, column: Self.text(bytes, start, itemStart).unicodeScalars.count + 1,
            length: max(1, text.unicodeScalars.count),
            sourceLine: Self.text(bytes, start, min(lineEnd, start + 160)), reason: error))
      }
    }
    return end + 1
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0d
  }

  private static func text(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> String {
    String(decoding: (start..<end).map { bytes[$0] }, as: UTF8.self)
  }
}
