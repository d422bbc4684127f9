import Bytecode
import Hashing
import NetworkTypes
import PolicyLanguage

// Large address classes: single addresses in sized hash sets, ranges in small interval sets, both
// cut because the kernel's dump of a set and its commit of a change cost more than linearly in the
// set's size. A cut is a prefix of the address space, so that a changed address touches one piece;
// sets are named by content, so that the next generation keeps the others. IPv6 is cut here, IPv4 by
// its blocks.

/// One shard: the packets whose address begins alike, and what they are tested against.
struct Shard<Bound: FixedWidthInteger & UnsignedInteger & Sendable> {
  var range: Interval<Bound>
  /// What each large class has in it.
  var members: [(terms: [Int], intervals: [Interval<Bound>])]
}

/// A shard holds at most this many intervals of one class.
private let shardCapacity = 256

func cut<Bound: FixedWidthInteger & UnsignedInteger & Sendable>(
  _ classes: [AddressClass<Bound>]
) -> [Shard<Bound>] {
  var shards: [Shard<Bound>] = []
  func descend(_ range: Interval<Bound>, _ parts: [ArraySlice<Interval<Bound>>]) {
    if parts.allSatisfy(\.isEmpty) { return }
    if parts.allSatisfy({ $0.count <= shardCapacity }) || range.first == range.last {
      shards.append(Shard(range: range, members: leaf(classes, range, parts)))
      return
    }
    let middle = range.first + (range.last - range.first) / 2
    descend(Interval(range.first, middle), parts.map { $0.prefix { $0.first <= middle } })
    descend(Interval(middle + 1, range.last), parts.map { $0.dropLower(than: middle) })
  }
  descend(Interval(.min, .max), classes.map { $0.intervals[...] })
  return shards
}

extension ArraySlice {
  /// The intervals that reach beyond `middle`, found by bisection.
  fileprivate func dropLower<Bound>(than middle: Bound) -> ArraySlice
  where Element == Interval<Bound> {
    var low = startIndex
    var high = endIndex
    while low < high {
      let probe = low + (high - low) / 2
      if self[probe].last <= middle { low = probe + 1 } else { high = probe }
    }
    return self[low...]
  }
}

private func leaf<Bound: FixedWidthInteger & UnsignedInteger & Sendable>(
  _ classes: [AddressClass<Bound>], _ range: Interval<Bound>,
  _ parts: [ArraySlice<Interval<Bound>>]
) -> [(terms: [Int], intervals: [Interval<Bound>])] {
  zip(classes, parts).compactMap { addressClass, part in
    part.isEmpty ? nil : (addressClass.terms, part.clipped(to: range))
  }
}

extension ArraySlice {
  /// The same intervals without what lies outside `range`; all of them touch it.
  func clipped<Bound>(to range: Interval<Bound>) -> [Interval<Bound>]
  where Element == Interval<Bound> {
    map { Interval(Swift.max($0.first, range.first), Swift.min($0.last, range.last)) }
  }
}

extension TableBuilder {
  /// Single addresses by a hash set, then ranges by an interval set, of one large class.
  mutating func memberRules<Bound>(
    _ terms: [Int], _ intervals: [Interval<Bound>], _ family: Family, load: [Expression]
  ) -> [Rule] {
    let verdict = classVerdict(family, terms)
    var singles = intervals.filter { $0.first == $0.last }
    var ranges = intervals.filter { $0.first != $0.last }
    // A second lookup is dearer than a few addresses more in the first.
    if singles.count < intervals.count / 4 { (singles, ranges) = ([], intervals) }
    return [(singles, false), (ranges, true)].compactMap { part, isInterval in
      if part.isEmpty { return nil }
      let set = sharedSet(
        IntervalSet(canonical: part[...]), of: terms, family, isInterval: isInterval)
      return Rule(load + [Match.isIn(set), Match.verdict(verdict)])
    }
  }

  /// Type of the sets that hold IPv4 addresses for both IPv4 and NAT64 packets.
  private static var rawAddress: PayloadLoad {
    PayloadLoad(.network, offsetBytes: 16, lengthBytes: 4, into: Match.register)
  }

  /// Adds, once, the set with exactly this content; its name is the content's digest.
  private mutating func sharedSet<Bound>(
    _ content: IntervalSet<Bound>, of terms: [Int], _ family: Family, isInterval: Bool
  ) -> String {
    let part = SharedSetPart(
      family: family, terms: terms, isInterval: isInterval,
      first: content.intervals.first.map { UInt128($0.first) },
      last: content.intervals.last.map { UInt128($0.last) })
    let name =
      sharedSetNameByPart[part] ?? content.sharedName(family, isInterval: isInterval)
    sharedSetNameByPart[part] = name
    if sharedSetNames.insert(name).inserted {
      sets.append(
        NamedSet(
          name: name, flags: isInterval ? .interval : [],
          key: [family == .ipv4 ? .integer : .ipv6Address],
          size: isInterval ? nil : UInt32(exactly: content.intervals.count),
          typeof: family == .ipv4 ? Self.rawAddress : nil, content: content.setContent))
    }
    return name
  }
}

/// Which part of a plan a content-named set holds; within one plan, equal parts are equal sets.
///
/// The classes of a plan are disjoint, so class, kind of set and outer bounds leave no choice.
struct SharedSetPart: Hashable, Sendable {
  var family: Family
  var terms: [Int]
  var isInterval: Bool
  var first: UInt128?
  var last: UInt128?
}

extension SHA256 {
  /// Adds an address of whole 32-bit words, most significant byte first.
  fileprivate mutating func update(bytesOf value: some FixedWidthInteger & UnsignedInteger) {
    for shift in stride(from: value.bitWidth - 32, through: 0, by: -32) {
      update(UInt32(truncatingIfNeeded: value >> shift))
    }
  }
}

extension IntervalSet {
  /// `addresses/4/` and a digest of what the set holds and how.
  fileprivate func sharedName(_ family: Family, isInterval: Bool) -> String {
    var hash = SHA256()
    // A word, so that all that follows is added by words.
    hash.update(isInterval ? 1 as UInt32 : 0)
    for interval in intervals {
      hash.update(bytesOf: interval.first)
      if isInterval { hash.update(bytesOf: interval.last) }
    }
    return "addresses/\(family.digit)/\(hash.hexDigest().prefix(16))"
  }

  fileprivate var setContent: SetContent {
    if let v4 = self as? IntervalSet<UInt32> { return .ipv4(v4) }
    if let v6 = self as? IntervalSet<UInt128> { return .ipv6(v6) }
    preconditionFailure("addresses are 32 or 128 bits wide")
  }
}
