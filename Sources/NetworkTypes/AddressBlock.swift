/// Consecutive addresses of one family: what an address, a prefix or a range means.
public enum AddressBlock: Hashable, Sendable {
  /// IPv4 addresses, host order.
  case v4(Interval<UInt32>)
  /// IPv6 addresses, host order.
  case v6(Interval<UInt128>)

  /// Every address from `first` to `last`; nil when reversed or of two families.
  public init?(_ first: IPAddress, _ last: IPAddress) {
    switch (first, last) {
    case (.v4(let a), .v4(let b)) where a <= b: self = .v4(Interval(a, b))
    case (.v6(let a), .v6(let b)) where a <= b: self = .v6(Interval(a, b))
    default: return nil
    }
  }

  /// Reads an address, a prefix or a range `a - b`, all in their strict spelling.
  ///
  /// - Throws: ``LiteralError`` with the reason.
  ///
  /// Example: `"192.0.2.1"`, `"192.0.2.0/24"`, `"192.0.2.1 - 192.0.2.9"`, `"2001:db8::1-2001:db8::9"`.
  public init(strict text: some StringProtocol) throws(LiteralError) {
    let bytes = Array(text.utf8)
    var position = 0
    if let block = AddressScanner.block(bytes.span, &position, bytes.count),
      position == bytes.count
    {
      self = block
    } else {
      self = try AddressBlock(spelledOut: String(text))
    }
  }

  /// Reads what the scanner does not: ranges with spaces, and mistakes.
  private init(spelledOut text: String) throws(LiteralError) {
    let slash = text.firstIndex(of: "/") ?? text.endIndex
    if let dash = text.firstIndex(of: "-"), dash < slash || text.contains(" ") {
      let head = text[..<dash].trimmingSpaces
      let tail = text[text.index(after: dash)...].trimmingSpaces
      guard !head.isEmpty, !tail.isEmpty else { throw .notAnAddress(text) }
      let first = try IPAddress(strict: head)
      let last = try IPAddress(strict: tail)
      guard first.family == last.family else { throw .mixedFamilies(text) }
      guard let block = AddressBlock(first, last) else {
        throw .reversedRange(text, meant: "\(last) - \(first)")
      }
      self = block
    } else if slash < text.endIndex {
      self = try Prefix(strict: text).block
    } else {
      let address = try IPAddress(strict: text)
      guard let block = AddressBlock(address, address) else { throw .notAnAddress(text) }
      self = block
    }
  }

  /// The smallest address.
  public var first: IPAddress {
    switch self {
    case .v4(let interval): .v4(interval.first)
    case .v6(let interval): .v6(interval.first)
    }
  }

  /// The largest address.
  public var last: IPAddress {
    switch self {
    case .v4(let interval): .v4(interval.last)
    case .v6(let interval): .v6(interval.last)
    }
  }
}

extension AddressBlock: CustomStringConvertible {
  /// The shortest spelling: an address, a prefix, or a range `a - b`.
  public var description: String {
    if first == last { return "\(first)" }
    let length =
      switch self {
      case .v4(let interval): (interval.first ^ interval.last).leadingZeroBitCount
      case .v6(let interval): (interval.first ^ interval.last).leadingZeroBitCount
      }
    let prefix = Prefix(containing: first, length: length)
    if prefix.block == self { return "\(prefix)" }
    return "\(first) - \(last)"
  }
}

extension AddressSet {
  /// Sorts and merges any blocks.
  ///
  /// O(n log n).
  public init(_ blocks: some Sequence<AddressBlock>) {
    var v4: [Interval<UInt32>] = []
    var v6: [Interval<UInt128>] = []
    for block in blocks {
      switch block {
      case .v4(let interval): v4.append(interval)
      case .v6(let interval): v6.append(interval)
      }
    }
    self.init(v4: IntervalSet(v4), v6: IntervalSet(v6))
  }

  /// The intervals of both families, IPv4 first, ascending.
  public var blocks: [AddressBlock] {
    v4.intervals.map { .v4($0) } + v6.intervals.map { .v6($0) }
  }
}

extension StringProtocol {
  /// The text without spaces and tabs at both ends.
  var trimmingSpaces: SubSequence {
    func isSpace(_ character: Character) -> Bool { character == " " || character == "\t" }
    let head = drop(while: isSpace)
    return head.dropLast(head.reversed().prefix(while: isSpace).count)
  }
}
