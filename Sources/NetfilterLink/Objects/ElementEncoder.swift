import Bytecode
import CNetfilter
import NetworkTypes

/// Writes a set's elements as `NFTA_SET_ELEM_LIST_ELEMENTS` attributes of at most 64 KiB.
///
/// Elements go straight into the message buffer: a libnftnl object per element would cost ten times
/// the time and five times the memory.
///
/// Wire forms, as nft 1.0.6 sends them:
/// 1. plain: one element per key;
/// 2. ranges of one field: an end marker at 0 unless 0 is inside, then per range its first key and,
///    flagged as end, the key after its last; a range that reaches the top has no end and its user
///    data say so;
/// 3. ranges of several fields: lower key and upper key, both inside.
struct ElementEncoder {
  /// Where the next message goes on.
  struct Cursor {
    fileprivate var index = 0
    fileprivate var isStarted = false
  }

  private enum Plan {
    case ranges4(ArraySlice<Interval<UInt32>>)
    case ranges6(ArraySlice<Interval<UInt128>>)
    case singles4([UInt32])
    case singles6([UInt128])
    case general([WireElement])
  }

  /// Payload after which no further element is begun; one element is far below the 64 KiB left.
  private static let payloadLimitBytes = 60_000

  private let plan: Plan

  /// Plans the elements of a set.
  ///
  /// - Throws: ``KernelError`` when the contents do not fit the key.
  init(_ set: NamedSet) throws(KernelError) {
    switch set.content {
    case .ipv4(let addresses):
      guard set.wireKeyLength == 4, !set.flags.contains(.map) else { throw set.unfit }
      plan =
        set.isSingleFieldInterval
        ? .ranges4(addresses.intervals) : .singles4(try set.singles(addresses))
    case .ipv6(let addresses):
      guard set.wireKeyLength == 16, !set.flags.contains(.map) else { throw set.unfit }
      plan =
        set.isSingleFieldInterval
        ? .ranges6(addresses.intervals) : .singles6(try set.singles(addresses))
    case .elements(let elements):
      plan = .general(try WireElement.expand(elements, of: set))
    }
  }

  /// How many elements go over the wire, markers included.
  var wireElementCount: Int {
    switch plan {
    case .ranges4(let ranges): ElementEncoder.count(ranges)
    case .ranges6(let ranges): ElementEncoder.count(ranges)
    case .singles4(let keys): keys.count
    case .singles6(let keys): keys.count
    case .general(let elements): elements.count
    }
  }

  /// Whether everything has been written.
  func isDone(_ cursor: Cursor) -> Bool {
    switch plan {
    case .ranges4(let ranges): cursor.index == ranges.count
    case .ranges6(let ranges): cursor.index == ranges.count
    case .singles4(let keys): cursor.index == keys.count
    case .singles6(let keys): cursor.index == keys.count
    case .general(let elements): cursor.index == elements.count
    }
  }

  /// Writes one list attribute and moves the cursor behind what it holds.
  func write(_ buffer: inout MessageBuffer, _ cursor: inout Cursor) {
    let start = buffer.count
    buffer.append(
      attribute: UInt16(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue), payloadBytes: 0, isNested: true)
    let limit = start + ElementEncoder.payloadLimitBytes
    switch plan {
    case .ranges4(let ranges): ElementEncoder.write(ranges, &buffer, &cursor, limit)
    case .ranges6(let ranges): ElementEncoder.write(ranges, &buffer, &cursor, limit)
    case .singles4(let keys): ElementEncoder.write(keys, &buffer, &cursor, limit)
    case .singles6(let keys): ElementEncoder.write(keys, &buffer, &cursor, limit)
    case .general(let elements):
      while cursor.index < elements.count && buffer.count < limit {
        elements[cursor.index].write(&buffer)
        cursor.index += 1
      }
    }
    buffer.patch(at: start, UInt16(buffer.count - start))
  }

  private static func count<Key>(_ ranges: ArraySlice<Interval<Key>>) -> Int {
    guard let first = ranges.first, let last = ranges.last else { return 0 }
    return 2 * ranges.count + (first.first == .min ? 0 : 1) - (last.last == .max ? 1 : 0)
  }

  @inline(__always)
  private static func write<Key>(
    _ ranges: ArraySlice<Interval<Key>>, _ buffer: inout MessageBuffer, _ cursor: inout Cursor,
    _ limit: Int
  ) where Key: FixedWidthInteger & UnsignedInteger & BitwiseCopyable {
    if !cursor.isStarted, let first = ranges.first, first.first != .min {
      buffer.append(element: Key.min, isEnd: true)
    }
    cursor.isStarted = true
    let span = ranges.span
    while cursor.index < span.count && buffer.count < limit {
      let range = span[cursor.index]
      if range.last == .max {
        buffer.appendOpen(element: range.first)
      } else {
        buffer.append(element: range.first, isEnd: false)
        buffer.append(element: range.last &+ 1, isEnd: true)
      }
      cursor.index += 1
    }
  }

  @inline(__always)
  private static func write<Key>(
    _ keys: [Key], _ buffer: inout MessageBuffer, _ cursor: inout Cursor, _ limit: Int
  ) where Key: FixedWidthInteger & UnsignedInteger & BitwiseCopyable {
    let span = keys.span
    while cursor.index < span.count && buffer.count < limit {
      buffer.append(element: span[cursor.index], isEnd: false)
      cursor.index += 1
    }
  }
}

extension NamedSet {
  /// More single addresses than this in one hash set are a mistake: a range that should be one.
  private static let mostSingles = 1 << 24

  fileprivate var unfit: KernelError {
    KernelError(
      operation: "encoding set \(name)", cause: .notExpressible("its contents do not fit its key"))
  }

  /// The addresses one by one, for a hash set.
  fileprivate func singles<Key>(_ addresses: IntervalSet<Key>) throws(KernelError) -> [Key] {
    var keys: [Key] = []
    keys.reserveCapacity(addresses.intervals.count)
    for range in addresses.intervals {
      guard range.last - range.first < NamedSet.mostSingles - keys.count else {
        throw KernelError(
          operation: "encoding set \(name)",
          cause: .notExpressible("a set without the interval flag holds a large range"))
      }
      var key = range.first
      keys.append(key)
      while key < range.last {
        key += 1
        keys.append(key)
      }
    }
    return keys
  }
}
