import Bytecode
import NetworkTypes
import PolicyLanguage

// IPv6 destinations: an interval map that knows every address, and before it a hash lookup on the
// first 16 bits that decides most addresses of 2000::/3.

/// Addresses that go the same way: a class, NAT64, or a piece of a large list.
private struct Way {
  var interval: Interval<UInt128>
  var verdict: Verdict
}

extension Interval<UInt128> {
  /// 2000::/3, all global unicast addresses there are.
  fileprivate static var globalUnicast: Interval { Interval(1 << 125, (2 << 125) - 1) }

  /// A block by its number, the first 16 bits.
  fileprivate init(block: UInt16) {
    let first = UInt128(block) << 112
    self.init(first, first | ((1 << 112) - 1))
  }

  /// The numbers of the blocks that the interval touches.
  fileprivate var blocks: ClosedRange<UInt16> { UInt16(first >> 112)...UInt16(last >> 112) }

  fileprivate func contains(_ other: Interval) -> Bool {
    first <= other.first && other.last <= last
  }
}

/// With more blocks than this that are not of the default class, the interval map alone decides.
private let blockLimit = 4096

extension TableBuilder {
  mutating func addClassifier6() {
    var small = IntervalSet.nat64.intervals.map {
      Way(interval: $0, verdict: .goto(name("nat64")))
    }
    for addressClass in plan.v6.small {
      let verdict = classVerdict(.ipv6, addressClass.terms)
      small += addressClass.intervals.map { Way(interval: $0, verdict: verdict) }
    }
    small.sort { $0.interval.first < $1.interval.first }
    let pieces = addPieces(small)
    let covered = IntervalSet(pieces.map(\.interval))
    let outside = small.flatMap { way in
      IntervalSet([way.interval]).subtracting(covered).intervals.map {
        Way(interval: $0, verdict: way.verdict)
      }
    }
    let ways = (pieces + outside).sorted { $0.interval.first < $1.interval.first }
    addDestinationMap(
      "destination6", .ipv6Address,
      ways.map { SetElement(v6: $0.interval, verdict: $0.verdict) }
        + [.catchAll(classVerdict(.ipv6, plan.v6.fallback))],
      typeof: nil)
    addBlocks6(small, pieces)
  }

  /// The large classes in pieces, each with a chain that decides all of its addresses.
  private mutating func addPieces(_ small: [Way]) -> [Way] {
    let fallback = classVerdict(.ipv6, plan.v6.fallback)
    let load = Match.family(.ipv6) + [Match.loadDestination(.ipv6)]
    var pieces: [Way] = []
    for shard in cut(plan.v6.large) {
      let label = "shard6/\(pieces.count)"
      var rules: [Rule] = []
      for member in shard.members {
        rules += memberRules(member.terms, member.intervals, .ipv6, load: load)
      }
      let inside = small.filter {
        $0.interval.first <= shard.range.last && shard.range.first <= $0.interval.last
      }
      if inside.isEmpty {
        rules.append(rule([], fallback))
      } else {
        let elements = inside.map {
          SetElement(
            v6: Interval(
              max($0.interval.first, shard.range.first), min($0.interval.last, shard.range.last)),
            verdict: $0.verdict)
        }
        addDestinationMap(label, .ipv6Address, elements + [.catchAll(fallback)], typeof: nil)
        rules.append(Rule(load + [Match.verdictFrom(name(label))]))
      }
      addChain(label, rules)
      pieces.append(Way(interval: shard.range, verdict: .goto(name(label))))
    }
    return pieces
  }

  /// The blocks of 2000::/3 that are not of the default class as a whole.
  private mutating func addBlocks6(_ small: [Way], _ pieces: [Way]) {
    var ways = small
    for addressClass in plan.v6.large {
      let verdict = classVerdict(.ipv6, addressClass.terms)
      ways += addressClass.intervals.map { Way(interval: $0, verdict: verdict) }
    }
    // Nil for a block that an edge cuts.
    var blocks: [UInt16: Verdict?] = [:]
    for way in ways {
      let first = max(way.interval.first, Interval<UInt128>.globalUnicast.first)
      let last = min(way.interval.last, Interval<UInt128>.globalUnicast.last)
      guard first <= last else { continue }
      for block in Interval(first, last).blocks {
        let isWhole = way.interval.contains(Interval(block: block))
        blocks.updateValue(isWhole ? way.verdict : nil, forKey: block)
      }
    }
    if blocks.isEmpty || blocks.count > blockLimit { return }
    var elements: [SetElement] = []
    var isCut = false
    var piece = pieces.startIndex
    for (block, whole) in blocks.sorted(by: { $0.key < $1.key }) {
      let interval = Interval(block: block)
      while piece < pieces.endIndex, pieces[piece].interval.last < interval.first { piece += 1 }
      let isInPiece = piece < pieces.endIndex && pieces[piece].interval.contains(interval)
      let verdict = whole ?? (isInPiece ? pieces[piece].verdict : .goto(name("cut6")))
      if whole == nil && !isInPiece { isCut = true }
      elements.append(SetElement(key: block.networkOrder + [0, 0], verdict: verdict))
    }
    if isCut { addChain("cut6", [Rule(judgement(.ipv6))]) }
    elements.append(.catchAll(classVerdict(.ipv6, plan.v6.fallback)))
    sets.append(
      NamedSet(
        name: name("blocks6"), flags: .map, key: [.integer], isVerdictMap: true,
        size: UInt32(exactly: elements.count),
        typeof: PayloadLoad(.network, offsetBytes: 24, lengthBytes: 4, into: Match.register),
        content: .elements(elements)))
  }

  /// The lookup that knows every address of a family.
  func judgement(_ family: Family) -> [Expression] {
    switch family {
    case .ipv4: judgement4
    case .ipv6:
      Match.family(.ipv6) + [
        Match.loadDestination(.ipv6), Match.verdictFrom(name("destination6")),
      ]
    }
  }

  /// The lookup for most addresses of a family; the others go the long way.
  func shortCut(_ family: Family) -> [Expression] {
    let blocks = name("blocks6")
    guard family == .ipv6, sets.contains(where: { $0.name == blocks }) else {
      return judgement(family)
    }
    let block = Bitwise(
      source: Match.register, destination: Match.register, mask: [0xff, 0xff, 0, 0])
    return [Match.load(.network, 24, 1)] + Match.masked([0xe0], .equal, [0x20])
      + [Match.load(.network, 24, 4), .bitwise(block), Match.verdictFrom(blocks)]
  }
}
