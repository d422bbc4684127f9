import Bytecode
import NetworkTypes
import PolicyLanguage

// IPv4 destinations by their block: one hash lookup on the first 8 bits finds the verdict of most
// addresses, because most blocks lie in one class. The others have a chain with what their block
// holds, and very full ones are cut once more by the first 16 bits.

/// How many leading bits a block map looks at.
enum BlockLevel {
  case first
  case second

  var mask: UInt32 { self == .first ? 0xff00_0000 : 0xffff_0000 }
  /// How many addresses a block of the level has, less one.
  var span: UInt32 { ~mask }
}

/// A block with more intervals of one large class than this is cut once more.
private let blockCapacity = 24_576

/// What one address class has inside a block.
private struct BlockMember {
  var terms: [Int]
  var intervals: ArraySlice<Interval<UInt32>>
  var isLarge: Bool
}

extension TableBuilder {
  /// Loads the masked address: as an address for IPv4, as raw bytes for NAT64.
  func blockKey(isNat64: Bool, level: BlockLevel) -> [Expression] {
    let load =
      isNat64
      ? [Match.load(.network, 36, 4)] : Match.family(.ipv4) + [Match.loadDestination(.ipv4)]
    return load + [
      .bitwise(
        Bitwise(
          source: Match.register, destination: Match.register, mask: level.mask.networkOrder))
    ]
  }

  mutating func addBlocks4() {
    let members =
      plan.v4.small.map {
        BlockMember(terms: $0.terms, intervals: $0.intervals[...], isLarge: false)
      }
      + plan.v4.large.map {
        BlockMember(terms: $0.terms, intervals: $0.intervals[...], isLarge: true)
      }
    addBlocks("blocks4", Interval(0, .max), members, .first, isNat64: false)
  }

  /// Only the large classes: the small ones have a map of their own behind them.
  mutating func addBlocks64() {
    let members = plan.v4.large.map {
      BlockMember(terms: $0.terms, intervals: $0.intervals[...], isLarge: true)
    }
    addBlocks("blocks64", Interval(0, .max), members, .first, isNat64: true)
  }

  private mutating func addBlocks(
    _ suffix: String, _ range: Interval<UInt32>, _ members: [BlockMember], _ level: BlockLevel,
    isNat64: Bool
  ) {
    var rest = members
    var elements: [SetElement] = []
    var first = range.first
    while true {
      let block = Interval(first, first + level.span)
      let inside = rest.indices.compactMap { index -> BlockMember? in
        let part = rest[index].intervals.prefix { $0.first <= block.last }
        guard !part.isEmpty else { return nil }
        let isOpen = part.last.map { $0.last > block.last } ?? false
        rest[index].intervals.removeFirst(part.count - (isOpen ? 1 : 0))
        return BlockMember(
          terms: rest[index].terms, intervals: part.clipped(to: block)[...],
          isLarge: rest[index].isLarge)
      }
      if !inside.isEmpty {
        let verdict = blockVerdict(suffix, block, inside, level, isNat64: isNat64)
        elements.append(SetElement(key: block.first.networkOrder, verdict: verdict))
      }
      if block.last == range.last { break }
      first = block.last + 1
    }
    if !isNat64 { elements.append(.catchAll(classVerdict(.ipv4, plan.v4.fallback))) }
    sets.append(
      NamedSet(
        name: name(suffix), flags: .map, key: [isNat64 ? .integer : .ipv4Address],
        isVerdictMap: true, size: UInt32(exactly: max(1, elements.count)),
        typeof: isNat64
          ? PayloadLoad(.network, offsetBytes: 36, lengthBytes: 4, into: Match.register) : nil,
        content: .elements(elements)))
  }

  private mutating func blockVerdict(
    _ suffix: String, _ block: Interval<UInt32>, _ members: [BlockMember], _ level: BlockLevel,
    isNat64: Bool
  ) -> Verdict {
    if members.count == 1, let only = members[0].intervals.first, only == block {
      return classVerdict(.ipv4, members[0].terms)
    }
    let label = "\(isNat64 ? "block64" : "block4")/\(Self.label(block.first, level))"
    if level == .first, members.contains(where: { $0.intervals.count > blockCapacity }) {
      addBlocks(label, block, members, .second, isNat64: isNat64)
      addChain(
        label,
        [Rule(blockKey(isNat64: isNat64, level: .second) + [Match.verdictFrom(name(label))])])
    } else {
      addBlockChain(label, members, isNat64: isNat64)
    }
    return isNat64 ? .jump(name(label)) : .goto(name(label))
  }

  /// `10` or `10.1`: the octets that the level looks at.
  private static func label(_ address: UInt32, _ level: BlockLevel) -> String {
    let octets = IPAddress.v4(address).description.split(separator: ".")
    return octets.prefix(level == .first ? 1 : 2).joined(separator: ".")
  }

  private mutating func addBlockChain(
    _ label: String, _ members: [BlockMember], isNat64: Bool
  ) {
    var rules: [Rule] = []
    for member in members where member.isLarge {
      rules += memberRules(
        member.terms, Array(member.intervals), .ipv4,
        load: [Match.load(.network, isNat64 ? 36 : 16, 4)])
    }
    if !isNat64 { rules += smallMemberRules(label, members.filter { !$0.isLarge }) }
    addChain(label, rules)
  }

  private mutating func smallMemberRules(
    _ label: String, _ members: [BlockMember]
  ) -> [Rule] {
    let fallback = classVerdict(.ipv4, plan.v4.fallback)
    if members.isEmpty { return [rule([], fallback)] }
    var elements: [SetElement] = []
    for member in members {
      let verdict = classVerdict(.ipv4, member.terms)
      elements += member.intervals.map { SetElement(v4: $0, verdict: verdict) }
    }
    elements.sort { $0.key.lexicographicallyPrecedes($1.key) }
    elements.append(.catchAll(fallback))
    addDestinationMap(label, .ipv4Address, elements, typeof: nil)
    let load = Match.family(.ipv4) + [Match.loadDestination(.ipv4)]
    return [Rule(load + [Match.verdictFrom(name(label))])]
  }
}
