import Bytecode
import NetworkTypes
import PacketSets
import SeededRandom

/// Rulesets that nobody would write, from a seed.
struct RandomRuleset {
  var random: SeededGenerator
  /// Values that rules compare fields with, for packets that meet them.
  var interesting: [PacketField: [UInt32]] = [:]
  private var sets: [NamedSet] = []
  private let hooks: [Hook]
  /// Whether rules may change packets, translate addresses and count.
  private let isRich: Bool

  init(seed: UInt64, hooks: [Hook], isRich: Bool = false) {
    random = SeededGenerator(seed: seed)
    self.hooks = hooks
    self.isRich = isRich
  }

  mutating func make() -> Ruleset {
    let families: [TableFamily] = [.inet, .inet, .ip, .ip6]
    return Ruleset(
      tables: (0...random.next(upperBound: 3)).map { table("t\($0)", pick(families)) })
  }

  /// One or two plain rules ahead of a rule that has the kernel track connections, and a policy.
  mutating func plain() -> Ruleset {
    sets = []
    let state = ConntrackLoad(.state, into: r)
    let known: [Expression] =
      [.ct(state)] + masked([6, 0, 0, 0], [0, 0, 0, 0]) + [.immediate(.verdict(.accept))]
    let first = (0...random.next(upperBound: 2)).map { _ -> Rule in
      var expressions = match()
      if chance(2) { expressions += match() }
      return Rule(expressions + [.immediate(.verdict(pick([.accept, .drop])))])
    }
    let chains = hooks.map { hook in
      let binding = HookBinding(
        type: "filter", hook: hook, priority: 0, policy: pick([.drop, .accept]))
      return Chain(name: "\(hook)", hook: binding, rules: first + [Rule(known)])
    }
    return Ruleset(tables: [Table(family: .inet, name: "t", sets: sets, chains: chains)])
  }

  mutating func table(_ name: String, _ family: TableFamily) -> Table {
    sets = []
    let regular = random.next(upperBound: 4)
    var chains: [Chain] = []
    for index in 0..<regular {
      chains.append(
        Chain(name: "c\(index)", rules: rules(calling: (index + 1)..<regular)))
    }
    for index in 0...random.next(upperBound: 2) {
      let binding = HookBinding(
        type: "filter", hook: pick(hooks), priority: pick([-300, -150, 0, 0, 5]),
        policy: chance(3) ? .drop : .accept)
      chains.append(
        Chain(name: "b\(index)", hook: binding, rules: rules(calling: 0..<regular)))
    }
    if isRich && chance(2) { chains.append(translation(family)) }
    return Table(
      family: family, name: name, flags: chance(12) ? 1 : 0, sets: sets, chains: chains)
  }

  private mutating func rules(calling: Range<Int>) -> [Rule] {
    (0..<random.next(upperBound: 6)).map { _ in
      var expressions: [Expression] = []
      for _ in 0..<random.next(upperBound: 4) { expressions += match() }
      if isRich && chance(3) { expressions += change() }
      expressions += statement(calling)
      return Rule(expressions)
    }
  }

  // MARK: Statements

  /// A chain of type nat, whose rules translate flows.
  private mutating func translation(_ family: TableFamily) -> Chain {
    let isSource = hooks.contains(.postrouting) && chance(3)
    let hook: Hook = isSource ? .postrouting : hooks.contains(.output) ? .output : .prerouting
    let rules = (0..<2).map { _ -> Rule in
      let isWide = family == .ip6 || family == .inet && chance(2)
      let address =
        isWide
        ? IPAddress.v6(0x2001_0db8 << 96 | 7).networkOrderBytes
        : IPAddress.v4(pick(addresses)).networkOrderBytes
      let port = Register(word: 8)
      var expressions = match()
      expressions.append(.immediate(.data(address, into: Register(word: 4))))
      expressions.append(.immediate(.data([0x1f, 0x90], into: port)))
      if isSource {
        return Rule(expressions + [.masquerade(Masquerade())])
      } else if chance(3) {
        return Rule(expressions + [.redirect(Redirect(port: chance(2) ? port : nil))])
      }
      let nat = NAT(
        .destination, family: isWide ? .ip6 : .ip, address: Register(word: 4),
        port: chance(2) ? port : nil)
      return Rule(expressions + [.nat(nat)])
    }
    let binding = HookBinding(
      type: "nat", hook: hook, priority: pick([-100, 0, 100]), policy: .accept)
    return Chain(name: "nat", hook: binding, rules: rules)
  }

  /// Statements that change a packet, its flow, or nothing.
  private mutating func change() -> [Expression] {
    switch random.next(upperBound: 6) {
    case 0: return [.log(Log(prefix: "x")), .last(Last())]
    case 1: return [.limit(Limit(rate: 5, periodSeconds: 1, burst: 5))]
    case 2: return [.notrack]
    case 3:
      return [
        .immediate(.data(number(pick([1, 8])), into: r)), .ctSet(ConntrackSet(.mark, from: r)),
      ]
    case 4:
      return [
        .immediate(.data([1, 187], into: r)),
        .payloadSet(
          PayloadSet(.transport, offsetBytes: 2, lengthBytes: 2, from: r, checksum: .none)),
      ]
    default:
      return [
        .meta(MetaLoad(.mark, into: r)),
        .shift(
          Shift(
            pick([.left, .right]), source: r, destination: r, lengthBytes: 4, bits: pick([1, 8]))),
        .compare(Compare(r, .equal, number(pick([1, 8])))),
      ]
    }
  }

  private mutating func verdict(_ calling: Range<Int>) -> Verdict {
    switch random.next(upperBound: 9) {
    case 0, 1: .accept
    case 2, 3: .drop
    case 4: .return
    case 5: .continue
    case 6 where !calling.isEmpty:
      .goto("c\(calling.lowerBound + random.next(upperBound: calling.count))")
    case 7, 8:
      calling.isEmpty
        ? .drop : .jump("c\(calling.lowerBound + random.next(upperBound: calling.count))")
    default: .break
    }
  }

  private mutating func statement(_ calling: Range<Int>) -> [Expression] {
    switch random.next(upperBound: 8) {
    case 0:
      return [.counter(Counter())]
    case 1:
      return setMark()
    case 2:
      let name = "m\(sets.count)"
      let elements = portKeys().map { key in
        SetElement(key: key.0, keyEnd: key.1, verdict: verdict(calling))
      }
      let other = chance(2) ? [SetElement.catchAll(verdict(calling))] : []
      sets.append(
        NamedSet(
          name: name, flags: [.interval, .map], key: [.inetService], isVerdictMap: true,
          content: .elements(elements + other)))
      return port() + [.lookup(Lookup(r, in: name, destination: .verdict))]
    case 3:
      return [.reject(.adminProhibited)]
    default:
      return [.immediate(.verdict(verdict(calling)))]
    }
  }

  private mutating func setMark() -> [Expression] {
    switch random.next(upperBound: 3) {
    case 0:
      return [
        .immediate(.data(number(pick([0, 1, 8, 0x4000])), into: r)),
        .metaSet(MetaSet(.mark, from: r)),
      ]
    case 1:
      return [
        .meta(MetaLoad(.mark, into: r)),
        .bitwise(
          Bitwise(
            source: r, destination: r, mask: number(pick([0xffff_fffe, 0xff, ~0x4000])),
            xor: number(pick([0, 1, 0x4000])))),
        .metaSet(MetaSet(.mark, from: r)),
      ]
    default:
      return [.ct(ConntrackLoad(.mark, into: r)), .metaSet(MetaSet(.mark, from: r))]
    }
  }

  // MARK: Matches

  private let r = Register(word: 0)

  private mutating func match() -> [Expression] {
    switch random.next(upperBound: isRich ? 25 : 22) {
    case 0: return [.meta(MetaLoad(.nfproto, into: r))] + compare([pick([2, 10])])
    case 1, 2:
      return [.meta(MetaLoad(.l4proto, into: r))] + compare([pick([6, 17, 1, 58, 51])])
    case 3: return address(12, .source3)
    case 4: return address(16, .destination3)
    case 5: return wide()
    case 6: return [load(.network, 6, 2)] + masked([0x3f, 0xff], [0, 0])
    case 7: return [load(.network, pick([1, 7, 8, 9, 6]), 1)] + compare([pick([0, 6, 64, 255])])
    case 8, 9: return port() + compare(bytes(pick(ports)))
    case 10: return [load(.transport, 13, 1)] + masked([0x17], [2])
    case 11: return [load(.transport, 0, 1)] + compare([pick([128, 133, 135, 8])])
    case 12: return portRange()
    case 13:
      return [.ct(ConntrackLoad(.state, into: r))]
        + masked([pick([2, 8, 10, 0x4e]), 0, 0, 0], [0, 0, 0, 0])
    case 14: return conntrack()
    case 15:
      return [.meta(MetaLoad(.mark, into: r))] + masked(number(pick([1, 0x4000, .max])), number(1))
    case 16: return user()
    case 17: return link()
    case 18:
      return [.fib(FibLoad(result: 3, flags: pick([1, 2]), into: r))]
        + compare([pick([2, 3, 5]), 0, 0, 0])
    case 19:
      let header = ExtensionHeaderLoad(
        operation: 0, type: pick([43, 44, 0]), offsetBytes: 0, lengthBytes: 1, isPresence: true,
        into: r)
      return [.extensionHeader(header)] + compare([pick([0, 1])])
    case 20: return pair()
    case 22, 23, 24: return [.match(extensionMatch())]
    default: return member()
    }
  }

  /// A match of xtables with its structure, padded to 8 bytes.
  private mutating func extensionMatch() -> ExtensionMatch {
    var match = shortMatch()
    match.info += [UInt8](repeating: 0, count: -match.info.count & 7)
    precondition(match.value(in: match.name == "icmp" ? .ip : .inet) != nil, match.name)
    return match
  }

  private mutating func shortMatch() -> ExtensionMatch {
    func half(_ value: UInt16) -> [UInt8] { [UInt8(value & 255), UInt8(value >> 8)] }
    let inverted: UInt8 = chance(3) ? 1 : 0
    switch random.next(upperBound: 8) {
    case 0:
      let info =
        number(pick([1, 0x4000])) + number(pick([1, 0x4001, .max])) + [inverted, 0, 0, 0]
      return ExtensionMatch("mark", revision: 1, info: info)
    case 1:
      let ports = half(pick(ports)) + half(pick(self.ports)) + [UInt8](repeating: 0, count: 26)
      let flags = [UInt8](repeating: 0, count: 15)
      return ExtensionMatch(
        "multiport", revision: 1, info: [pick([0, 1, 2]), 2] + ports + flags + [inverted])
    case 2:
      let info =
        half(0) + half(.max) + half(pick([0, 80])) + half(pick([443, .max]))
        + [0, 0x17, pick([2, 0x10]), inverted << 1]
      return ExtensionMatch("tcp", revision: 0, info: info)
    case 3:
      let info =
        half(0) + half(.max) + half(pick([0, 53])) + half(pick([53, .max])) + [inverted, 0]
      return ExtensionMatch("udp", revision: 0, info: info)
    case 4:
      return ExtensionMatch("state", revision: 0, info: number(pick([2, 8, 10, 1, 0x40])))
    case 5:
      let users = number(pick([0, 1000])) + number(pick([1000, 65534]))
      let groups = number(0) + number(pick([0, .max]))
      return ExtensionMatch(
        "owner", revision: 1,
        info: users + groups + [pick([1, 3, 4]), pick([0, 1, 4]), 0, 0])
    case 6:
      let info = half(0) + half(pick([1 << 5, 1 << 3, 1 << 1 | 1 << 2])) + number(pick([0, 2]))
      return ExtensionMatch("addrtype", revision: 1, info: info)
    default:
      return ExtensionMatch("icmp", revision: 0, info: [pick([8, 255, 0]), 0, 255, inverted])
    }
  }

  private mutating func compare(_ value: [UInt8]) -> [Expression] {
    [.compare(Compare(r, pick(CompareOperator.allCases + [.equal, .equal, .notEqual]), value))]
  }

  private mutating func masked(_ mask: [UInt8], _ value: [UInt8]) -> [Expression] {
    [
      .bitwise(Bitwise(source: r, destination: r, mask: mask)),
      .compare(Compare(r, chance(2) ? .equal : .notEqual, value)),
    ]
  }

  private func load(_ base: PayloadBase, _ offset: UInt32, _ length: UInt32) -> Expression {
    .payload(PayloadLoad(base, offsetBytes: offset, lengthBytes: length, into: r))
  }

  private mutating func port() -> [Expression] {
    [load(.transport, chance(4) ? 0 : 2, 2)]
  }

  private let ports: [UInt16] = [22, 25, 53, 80, 443, 1000, 32768, 65535]
  private let addresses: [UInt32] = [
    0x0102_0304, 0x0808_0808, 0x0a00_0001, 0xac10_0000, 0xc0a8_0101, 0xe000_0001, .max,
  ]

  private mutating func address(_ offset: UInt32, _ field: PacketField) -> [Expression] {
    let value = pick(addresses)
    interesting[field, default: []] += [value, value &- 1, value &+ 1]
    let octets = IPAddress.v4(value).networkOrderBytes
    switch random.next(upperBound: 3) {
    case 0: return [load(.network, offset, 4)] + compare(octets)
    case 1: return [load(.network, offset, 3)] + compare(Array(octets.prefix(3)))
    default:
      let mask: [UInt8] = pick([[255, 0, 0, 0], [255, 240, 0, 0], [0, 0, 0, 255]])
      return [load(.network, offset, 4)] + masked(mask, zip(octets, mask).map { $0 & $1 })
    }
  }

  private mutating func wide() -> [Expression] {
    let value = UInt128(pick([0x2001_0db8, 0x64_ff9b, 0xff02_0000] as [UInt32])) << 96
    let full = IPAddress.v6(value | UInt128(pick(addresses))).networkOrderBytes
    switch random.next(upperBound: 4) {
    case 0: return [load(.network, 24, 16)] + compare(full)
    case 1: return [load(.network, 8, 4)] + compare(Array(full.prefix(4)))
    case 2: return [load(.network, 24, 2)] + compare(Array(full.prefix(2)))
    default:
      interesting[.destination3, default: []].append(UInt32(truncatingIfNeeded: value))
      return [load(.network, 36, 4)] + compare(Array(full.suffix(4)))
    }
  }

  private mutating func portRange() -> [Expression] {
    let a = pick(ports)
    let b = pick(ports)
    return port() + [
      .range(RangeCompare(r, isInverted: chance(2), from: bytes(min(a, b)), to: bytes(max(a, b))))
    ]
  }

  private mutating func conntrack() -> [Expression] {
    switch random.next(upperBound: 3) {
    case 0: [.ct(ConntrackLoad(.direction, into: r))] + compare([pick([0, 1])])
    case 1: [.ct(ConntrackLoad(.status, into: r))] + masked([8, 0, 0, 0], [0, 0, 0, 0])
    default: [.ct(ConntrackLoad(.mark, into: r))] + compare(number(pick([0, 1, 8])))
    }
  }

  private mutating func user() -> [Expression] {
    let value = pick([0, 1000, 65534] as [UInt32])
    let key: MetaKey = chance(2) ? .skuid : .skgid
    if chance(2) { return [.meta(MetaLoad(key, into: r))] + compare(number(value)) }
    return [
      .meta(MetaLoad(key, into: r)),
      .byteorder(Byteorder(source: r, destination: r, operation: 1, lengthBytes: 4, sizeBytes: 4)),
    ] + compare(number(value).reversed())
  }

  private mutating func link() -> [Expression] {
    let name = pick(["lo", "eth0", "br0", "br7"])
    let isOut = chance(2)
    switch random.next(upperBound: 3) {
    case 0:
      let bytes = Array(name.utf8) + [UInt8](repeating: 0, count: 16 - name.utf8.count)
      return [.meta(MetaLoad(isOut ? .oifname : .iifname, into: r))] + compare(bytes)
    case 1:
      return [.meta(MetaLoad(isOut ? .oifname : .iifname, into: r))]
        + compare(Array(name.utf8.prefix(2)))
    default:
      return [.meta(MetaLoad(isOut ? .oif : .iif, into: r))] + compare(number(pick([0, 1, 2, 3])))
    }
  }

  /// An address and a port in a concatenation.
  private mutating func pair() -> [Expression] {
    let isRange = chance(2)
    let elements = (0..<random.next(upperBound: 5)).map { _ -> SetElement in
      let value = pick(addresses)
      interesting[.destination3, default: []].append(value)
      let low = IPAddress.v4(value).networkOrderBytes + bytes(pick(ports)) + [0, 0]
      guard isRange else { return SetElement(key: low) }
      let top = value | 0xffff
      let high = IPAddress.v4(top).networkOrderBytes + bytes(.max) + [0, 0]
      return SetElement(key: low, keyEnd: high)
    }
    var seen: Set<[UInt8]> = []
    let unique = elements.filter { seen.insert($0.key).inserted }
    let name = "p\(sets.count)"
    sets.append(
      NamedSet(
        name: name, flags: isRange ? [.interval, .concatenation] : [],
        key: [.ipv4Address, .inetService], content: .elements(unique)))
    return [
      load(.network, 16, 4),
      .payload(
        PayloadLoad(.transport, offsetBytes: 2, lengthBytes: 2, into: Register(word: 1))),
      .lookup(Lookup(r, in: name, isInverted: chance(4))),
    ]
  }

  private mutating func member() -> [Expression] {
    let name = "s\(sets.count)"
    if chance(2) {
      sets.append(
        NamedSet(
          name: name, flags: .interval, key: [.inetService],
          content: .elements(portKeys().map { SetElement(key: $0.0, keyEnd: $0.1) })))
      return port() + [.lookup(Lookup(r, in: name, isInverted: chance(3)))]
    }
    let intervals = (0..<random.next(upperBound: 5)).map { _ -> Interval<UInt32> in
      let first = pick(addresses)
      interesting[.destination3, default: []] += [first, first &- 1]
      return Interval(first, first | pick([0, 255, 0xffff]))
    }
    sets.append(
      NamedSet(
        name: name, flags: .interval, key: [.ipv4Address],
        content: .ipv4(IntervalSet(intervals))))
    return [
      load(.network, pick([12, 16]), 4), .lookup(Lookup(r, in: name, isInverted: chance(3))),
    ]
  }

  /// Disjoint ranges of ports.
  private mutating func portKeys() -> [([UInt8], [UInt8])] {
    let set = PortSet(
      (0..<random.next(upperBound: 5)).map { _ in
        let first = pick(ports)
        return Interval(first, first | pick([0, 0, 3, 255]))
      })
    return set.intervals.map { (bytes($0.first), bytes($0.last)) }
  }

  // MARK: Helpers

  private func bytes(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 255)] }

  /// Host order, little endian.
  private func number(_ value: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(value >> UInt32(8 * $0) & 255) }
  }

  private mutating func chance(_ one: Int) -> Bool { random.next(upperBound: one) == 0 }

  private mutating func pick<Value>(_ values: [Value]) -> Value {
    values[random.next(upperBound: values.count)]
  }
}
