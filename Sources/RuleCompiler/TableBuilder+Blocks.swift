import Bytecode
import NetworkTypes
import PolicyLanguage

// IPv4 destinations by their block: one hash lookup on the first 8 bits finds the verdict of most
// addresses, because most blocks lie in one class. The others have a chain with what their block
// holds; blocks that hold little share one, and very full ones are cut once more by the first 16
// bits. A hash lookup takes 60 ns, one in an interval set of 20 takes 250, of 1 000 400 (Linux 6.18).

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

/// Blocks in a row share a chain while they hold no more intervals than this.
private let sharedCapacity = 512

/// No blocks are made for fewer intervals than this in all, if they are everywhere.
private let scatteredCapacity = 2048

/// What one address class has inside a block.
private struct BlockMember {
  var terms: [Int]
  var intervals: ArraySlice<Interval<UInt32>>
  var isLarge: Bool
}

/// Blocks that share a chain, ascending, and what they hold.
private struct BlockRun {
  var blocks: [Interval<UInt32>] = []
  var members: [BlockMember] = []
  var count = 0

  mutating func append(_ block: Interval<UInt32>, _ inside: [BlockMember]) {
    blocks.append(block)
    for member in inside {
      count += member.intervals.count
      if let index = members.firstIndex(where: { $0.terms == member.terms }) {
        members[index].intervals += member.intervals
      } else {
        members.append(member)
      }
    }
  }
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
    if isScattered {
      addBlockChain("block4/all", members, isNat64: false)
    } else {
      addBlocks("blocks4", Interval(0, .max), members, .first, isNat64: false)
    }
  }

  /// The lookups for NAT64 of the large classes: the small ones have a map of their own behind them.
  mutating func addBlocks64() -> [Rule] {
    let members = plan.v4.large.map {
      BlockMember(terms: $0.terms, intervals: $0.intervals[...], isLarge: true)
    }
    if members.isEmpty { return [] }
    if isScattered { return largeMemberRules(members, isNat64: true) }
    addBlocks("blocks64", Interval(0, .max), members, .first, isNat64: true)
    return [Rule(blockKey(isNat64: true, level: .first) + [Match.verdictFrom(name("blocks64"))])]
  }

  /// What finds the class of an IPv4 destination.
  var judgement4: [Expression] {
    if isScattered { return [Match.verdict(.goto(name("block4/all")))] }
    return blockKey(isNat64: false, level: .first) + [Match.verdictFrom(name("blocks4"))]
  }

  /// Whether the lookup of a block would find nothing out: most are cut, and all that they hold
  /// fits in one chain.
  private var isScattered: Bool {
    let intervals = (plan.v4.small + plan.v4.large).lazy.flatMap(\.intervals)
    if intervals.prefix(scatteredCapacity + 1).count > scatteredCapacity { return false }
    var cut: Set<UInt32> = []
    for interval in intervals {
      if interval.first & 0xff_ffff != 0 { cut.insert(interval.first >> 24) }
      if interval.last & 0xff_ffff != 0xff_ffff { cut.insert(interval.last >> 24) }
    }
    return cut.count > 128
  }

  private mutating func addBlocks(
    _ suffix: String, _ range: Interval<UInt32>, _ members: [BlockMember], _ level: BlockLevel,
    isNat64: Bool
  ) {
    var rest = members
    var elements: [SetElement] = []
    var run = BlockRun()
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
      if inside.count == 1, let only = inside[0].intervals.first, only == block {
        let verdict = classVerdict(.ipv4, inside[0].terms)
        elements.append(SetElement(key: block.first.networkOrder, verdict: verdict))
      } else if !inside.isEmpty {
        let count = inside.reduce(0) { $0 + $1.intervals.count }
        if run.count + count > sharedCapacity { elements += close(&run, level, isNat64: isNat64) }
        run.append(block, inside)
      }
      if block.last == range.last { break }
      first = block.last + 1
    }
    elements += close(&run, level, isNat64: isNat64)
    elements.sort { $0.key.lexicographicallyPrecedes($1.key) }
    if !isNat64 { elements.append(.catchAll(classVerdict(.ipv4, plan.v4.fallback))) }
    sets.append(
      NamedSet(
        name: name(suffix), flags: .map, key: [isNat64 ? .integer : .ipv4Address],
        isVerdictMap: true, size: UInt32(exactly: max(1, elements.count)),
        typeof: isNat64
          ? PayloadLoad(.network, offsetBytes: 36, lengthBytes: 4, into: Match.register) : nil,
        content: .elements(elements)))
  }

  /// Writes the chain of a run of blocks; the elements that lead there.
  private mutating func close(
    _ run: inout BlockRun, _ level: BlockLevel, isNat64: Bool
  ) -> [SetElement] {
    defer { run = BlockRun() }
    guard let first = run.blocks.first, let last = run.blocks.last else { return [] }
    var label = "\(isNat64 ? "block64" : "block4")/\(Self.label(first.first, level))"
    if first != last { label += "-\(Self.label(last.first, level))" }
    if level == .first, run.members.contains(where: { $0.intervals.count > blockCapacity }) {
      addBlocks(label, first, run.members, .second, isNat64: isNat64)
      addChain(
        label,
        [Rule(blockKey(isNat64: isNat64, level: .second) + [Match.verdictFrom(name(label))])])
    } else {
      addBlockChain(label, run.members, isNat64: isNat64)
    }
    let verdict: Verdict = isNat64 ? .jump(name(label)) : .goto(name(label))
    return run.blocks.map { SetElement(key: $0.first.networkOrder, verdict: verdict) }
  }

  /// `10` or `10.1`: the octets that the level looks at.
  private static func label(_ address: UInt32, _ level: BlockLevel) -> String {
    let octets = IPAddress.v4(address).description.split(separator: ".")
    return octets.prefix(level == .first ? 1 : 2).joined(separator: ".")
  }

  private mutating func addBlockChain(
    _ label: String, _ members: [BlockMember], isNat64: Bool
  ) {
    var rules = largeMemberRules(members, isNat64: isNat64)
    if !isNat64 { rules += smallMemberRules(label, members.filter { !$0.isLarge }) }
    addChain(label, rules)
  }

  private mutating func largeMemberRules(_ members: [BlockMember], isNat64: Bool) -> [Rule] {
    var rules: [Rule] = []
    for member in members where member.isLarge {
      rules += memberRules(
        member.terms, Array(member.intervals), .ipv4,
        load: [Match.load(.network, isNat64 ? 36 : 16, 4)])
    }
    return rules
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
