import NetworkTypes
package import PolicyLanguage
import SeededRandom

/// Policies that nobody would write, from a seed.
package struct RandomPolicy {
  private var random: SeededGenerator

  /// The policy of a seed.
  package static func make(seed: UInt64) -> Policy {
    var maker = RandomPolicy(random: SeededGenerator(seed: seed))
    return maker.policy(seed)
  }

  /// The denials of a seed with a list before them, and nothing else.
  ///
  /// The list has `count` ranges of IPv4 and as many of IPv6, everywhere or in a few blocks only, some
  /// as large as a block.
  package static func make(seed: UInt64, listing count: Int) -> Policy {
    var maker = RandomPolicy(random: SeededGenerator(seed: seed))
    var policy = maker.policy(seed)
    let isEverywhere = seed.isMultiple(of: 2)
    let v4 = (0..<count).map { index -> Interval<UInt32> in
      var first = UInt32(truncatingIfNeeded: maker.random.next())
      if !isEverywhere { first = first & 0x07ff_ffff | 0x0800_0000 }
      let isBlock = isEverywhere && index.isMultiple(of: 97)
      let span: UInt32 = isBlock ? 0xff_ffff : maker.pick([0, 0, 0, 7, 255, 8191])
      return Interval(first & ~span, first | span)
    }
    let v6 = (0..<count).map { index -> Interval<UInt128> in
      let bits = UInt128(maker.random.next()) << 64
      let base: UInt128 =
        isEverywhere ? maker.pick([0x2000 << 112, 0x64_ff9b << 96, 0]) : 0x26 << 120
      let first = base | bits >> (base == 0 ? 0 : base >> 120 == 0 ? 32 : 4)
      let span: UInt128 =
        index.isMultiple(of: 97)
        ? UInt128.max >> 12 : maker.pick([0, UInt128.max >> 64, .max >> 48])
      return Interval(first & ~span, first | span)
    }
    policy.defaultDecision = Sourced(.allow)
    policy.allow = []
    policy.deny.insert(
      Entry(
        decision: .deny, clause: "listed",
        destination: Destination(
          addresses: AddressSet(
            v4: IntervalSet(v4), v6: IntervalSet(v6).subtracting(RandomPolicy.nat64))),
        location: SourceLocation(file: "random.yaml", line: 1, column: 1)), at: 0)
    return policy
  }

  /// NAT64 addresses are judged by the IPv4 address inside, whatever a list says.
  private static let nat64 = IntervalSet([
    Interval(UInt128(0x64_ff9b) << 96, UInt128(0x64_ff9b) << 96 | 0xffff_ffff)
  ])

  private mutating func policy(_ seed: UInt64) -> Policy {
    let protocols = pick([
      [IPProtocol.tcp, .udp], [.tcp], [.udp], [.icmp, .tcp, .udp, .icmpv6],
      [.tcp, .udp, .sctp, .udplite],
    ])
    return Policy(
      name: "random-\(seed)", protocols: Sourced(protocols),
      inbound: Sourced(pick([Decision.deny, .deny, .allow])),
      sourcePorts: Sourced(pick([nil, PortSet([Interval(32768, 60999)]), ports(3)])),
      idleSeconds: Sourced(nil), onDeny: Sourced(pick(DenialAnswer.allCases)),
      denialLog: Sourced(pick([nil, nil, LogRate(10, per: .second), LogRate(1, per: .day)])),
      defaultDecision: Sourced(pick(Decision.allCases)),
      essentials: essentials(), allow: entries(.allow, "a"), deny: entries(.deny, "d"), tests: [])
  }

  private mutating func essentials() -> [EssentialException] {
    EssentialException.Kind.allCases.filter { _ in chance(5) }.map { kind in
      let addresses = AddressSet(v4: v4(), v6: v6())
      let isAny = kind == .dhcp || kind == .loopback || kind == .ntp && chance(2)
      return EssentialException(
        kind, addresses: isAny ? nil : addresses, sshPort: pick([22, 2222]),
        location: SourceLocation(file: "random.yaml", line: 1, column: 1))
    }
  }

  private mutating func entries(_ decision: Decision, _ prefix: String) -> [Entry] {
    (0..<Int(random.next() % 6)).map { index in
      Entry(
        decision: decision, clause: "\(prefix)\(index)",
        destination: chance(4) ? nil : destination(decision, index),
        ports: chance(2) ? nil : portMatches(),
        location: SourceLocation(file: "random.yaml", line: index + 1, column: 1))
    }
  }

  private mutating func destination(_ decision: Decision, _ index: Int) -> Destination {
    var destination = Destination(addresses: AddressSet(v4: v4(), v6: v6()))
    if decision == .allow && chance(3) {
      let within = chance(2) ? AddressSet(v4: v4(), v6: v6()) : AddressSet.full
      destination.names = [
        NameReference(
          name: "n\(index % 2).example", within: within, withinText: "random",
          location: SourceLocation(file: "random.yaml", line: 1, column: 1))
      ]
    }
    if chance(4) { destination.includesLinkBroadcast = true }
    if chance(4) { destination.isatapEmbedded = v4() }
    if destination.addresses.isEmpty && destination.names.isEmpty
      && !destination.includesLinkBroadcast && destination.isatapEmbedded.isEmpty
    {
      destination.addresses = AddressSet(v4: IntervalSet([Interval(0x0102_0300, 0x0102_03ff)]))
    }
    return destination
  }

  private mutating func portMatches() -> [PortMatch] {
    (0...Int(random.next() % 3)).map { _ in
      let ipProtocol: IPProtocol? = pick([nil, .tcp, .udp, .icmp, .sctp])
      let isWhole = ipProtocol.map { !$0.hasPorts } ?? false || chance(4)
      return PortMatch(
        ipProtocol: isWhole ? ipProtocol ?? .udp : ipProtocol,
        ports: isWhole ? nil : ports(3))
    }
  }

  private mutating func ports(_ most: Int) -> PortSet {
    PortSet(
      (0...Int(random.next() % UInt64(most))).map { _ in
        let first = pick([0, 20, 25, 53, 80, 443, 1000, 32768, 60999, 65535] as [UInt16])
        let width = pick([0, 0, 1, 10, 5000] as [UInt16])
        return Interval(first, first > .max - width ? .max : first + width)
      })
  }

  /// Few different blocks, so that sets overlap, nest and touch.
  private mutating func v4() -> IntervalSet<UInt32> {
    IntervalSet(
      (0..<Int(random.next() % 5)).map { _ in
        let base: UInt32 = pick([
          0, 0x0100_0000, 0x0102_0304, 0x0800_0000, 0x0808_0808, 0x0a00_0000, 0xac10_0000,
          0xc0a8_0100, 0xe000_0000, 0xffff_ff00,
        ])
        let width: UInt32 = pick([0, 0, 1, 255, 65_535, 0xff_ffff, 0x1ff_ffff])
        return Interval(base, base > .max - width ? .max : base + width)
      })
  }

  private mutating func v6() -> IntervalSet<UInt128> {
    IntervalSet(
      (0..<Int(random.next() % 5)).map { _ in
        let top: UInt128 = pick([0, 0x64_ff9b, 0x2001_0db8, 0x2600_0000, 0x2a04_4e42, 0xff02_0000])
        let base = top << 96 | (chance(2) ? 0 : 1)
        let width: UInt128 = pick([0, 0, 1, 0xffff_ffff, 1 << 64, 1 << 100])
        return Interval(base, base > .max - width ? .max : base + width)
      })
  }

  private mutating func chance(_ one: UInt64) -> Bool { random.next() % one == 0 }

  private mutating func pick<Value>(_ values: [Value]) -> Value {
    values[Int(random.next() % UInt64(values.count))]
  }
}
