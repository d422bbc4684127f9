import Bytecode
import NetworkTypes
import PolicyLanguage

// Large address classes: single addresses in sized hash sets, ranges in small interval sets, both
// cut into shards because the kernel's dump of a set and its commit of a change cost more than
// linearly in the set's size. A shard is a prefix of the address space, so that a changed address
// touches one shard; sets are named by content, so that the others are kept by the next generation.

/// One shard: the packets whose address begins alike, and what they are tested against.
private struct Shard<Bound: FixedWidthInteger & UnsignedInteger & Sendable> {
  var range: Interval<Bound>
  /// For each large class: single addresses and ranges, either possibly empty.
  var members: [(terms: [Int], singles: IntervalSet<Bound>, ranges: IntervalSet<Bound>)]
}

/// A shard holds at most this many intervals of one class.
private let shardCapacity = 2048

private func cut<Bound: FixedWidthInteger & UnsignedInteger & Sendable>(
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
) -> [(terms: [Int], singles: IntervalSet<Bound>, ranges: IntervalSet<Bound>)] {
  zip(classes, parts).compactMap { addressClass, part in
    if part.isEmpty { return nil }
    var singles: [Interval<Bound>] = []
    var ranges: [Interval<Bound>] = []
    for interval in part {
      let clipped = Interval(
        max(interval.first, range.first), min(interval.last, range.last))
      if clipped.first == clipped.last { singles.append(clipped) } else { ranges.append(clipped) }
    }
    return (
      addressClass.terms, IntervalSet(canonical: singles[...]),
      IntervalSet(canonical: ranges[...])
    )
  }
}

extension TableBuilder {
  /// Loads the address that shards are keyed by: raw for IPv4, because NAT64 packets carry it too.
  func shardKey(_ family: Family, isNat64: Bool) -> [Expression] {
    switch family {
    case .ipv4: [Match.load(.network, isNat64 ? 36 : 16, 4)]
    case .ipv6: Match.family(.ipv6) + [Match.loadDestination(.ipv6)]
    }
  }

  mutating func addShards4() {
    let shards = cut(plan.v4.large)
    if shards.isEmpty { return }
    addShards(shards, .ipv4, isNat64: false)
    addShards(shards, .ipv4, isNat64: true)
  }

  mutating func addShards6() {
    let shards = cut(plan.v6.large)
    if !shards.isEmpty { addShards(shards, .ipv6, isNat64: false) }
  }

  private mutating func addShards<Bound>(
    _ shards: [Shard<Bound>], _ family: Family, isNat64: Bool
  ) {
    let label = isNat64 ? "64" : family.digit
    var elements: [SetElement] = []
    for (index, shard) in shards.enumerated() {
      var rules: [Rule] = []
      for member in shard.members {
        let verdict = classVerdict(family, member.terms)
        for (content, isInterval) in [(member.singles, false), (member.ranges, true)]
        where !content.isEmpty {
          let set = sharedSet(content, family, isInterval: isInterval)
          rules.append(
            Rule(
              shardKey(family, isNat64: isNat64) + [Match.isIn(set), Match.verdict(verdict)]))
        }
      }
      addChain("shard\(label)/\(index)", rules)
      elements.append(
        SetElement(
          key: shard.range.first.bytes, keyEnd: shard.range.last.bytes,
          verdict: .jump(name("shard\(label)/\(index)"))))
    }
    sets.append(
      NamedSet(
        name: name("shards\(label)"), flags: [.map, .interval],
        key: [family == .ipv4 ? .integer : .ipv6Address], isVerdictMap: true,
        typeof: rawType(family), content: .elements(elements)))
  }

  private func rawType(_ family: Family) -> PayloadLoad? {
    family == .ipv4
      ? PayloadLoad(.network, offsetBytes: 16, lengthBytes: 4, into: Match.register) : nil
  }

  /// Adds, once, the set with exactly this content; its name is the content's digest.
  private mutating func sharedSet<Bound>(
    _ content: IntervalSet<Bound>, _ family: Family, isInterval: Bool
  ) -> String {
    var hash = SHA256()
    hash.update(isInterval ? 1 as UInt8 : 0)
    for interval in content.intervals {
      interval.first.bytes.forEach { hash.update($0) }
      if isInterval { interval.last.bytes.forEach { hash.update($0) } }
    }
    let name = "addresses/\(family.digit)/\(hash.hexDigest().prefix(16))"
    if sharedSetNames.insert(name).inserted {
      sets.append(
        NamedSet(
          name: name, flags: isInterval ? .interval : [],
          key: [family == .ipv4 ? .integer : .ipv6Address],
          size: isInterval ? nil : UInt32(exactly: content.intervals.count),
          typeof: rawType(family), content: content.setContent))
    }
    return name
  }
}

extension FixedWidthInteger where Self: UnsignedInteger {
  /// The value's bytes, most significant first.
  fileprivate var bytes: [UInt8] {
    stride(from: Self.bitWidth - 8, through: 0, by: -8).map { UInt8(self >> Self($0) & 0xff) }
  }
}

extension IntervalSet {
  fileprivate var setContent: SetContent {
    if let v4 = self as? IntervalSet<UInt32> { return .ipv4(v4) }
    if let v6 = self as? IntervalSet<UInt128> { return .ipv6(v6) }
    preconditionFailure("addresses are 32 or 128 bits wide")
  }
}
