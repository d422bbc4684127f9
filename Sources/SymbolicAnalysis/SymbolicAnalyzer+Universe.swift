import Bytecode
import NetworkTypes
public import PacketSets

/// Which combinations of field values can be.
extension SymbolicAnalyzer {
  /// The packets that can be on a way, as far as the host's facts tell.
  ///
  /// Left out is what no kernel produces: IPv6 fields in IPv4 packets, a flow for a packet too
  /// short to have one, multicast addresses that routes call unicast, and the like. The page
  /// on semantics lists all of it.
  ///
  /// - Throws: ``PacketSetError/tooComplex``.
  public mutating func possiblePackets(
    _ way: PacketWay
  ) throws(PacketSetError) -> Diagram {
    try diagrams.intersection([
      headers(), conntrack(), addressTypes(), interfaces(way), diagrams.sampledAddresses(),
    ])
  }

  /// Packets whose headers and addresses fit together, wherever they are.
  mutating func consistentPackets() throws(PacketSetError) -> Diagram {
    try diagrams.intersection([headers(), addressTypes(), diagrams.sampledAddresses()])
  }

  private mutating func set(
    _ field: PacketField, _ values: ClosedRange<UInt32>...
  ) throws(PacketSetError) -> Diagram {
    try diagrams.set(field, IntervalSet(values.map { Interval($0.lowerBound, $0.upperBound) }))
  }

  /// Where the first set holds, the second does.
  private mutating func implies(
    _ condition: Diagram, _ consequence: Diagram
  ) throws(PacketSetError) -> Diagram {
    try diagrams.choose(condition, consequence, .everything)
  }

  private mutating func headers() throws(PacketSetError) -> Diagram {
    let isIPv4 = try set(.family, 0...0)
    let whole = try set(.fragment, 0...0, 0x4000...0x4000, 0x8000...0x8000, 0xc000...0xc000)
    var four = try [
      set(.transportProtocol, 0...255), set(.routingHeader, 0...0), set(.firstNextHeader, 0...0),
      set(.flowLabel, 0...0),
    ]
    diagrams.addressFamily = .ipv4
    for words in [PacketField.destination, PacketField.source] {
      for word in words.dropLast() { four.append(try set(word, 0...0)) }
    }
    diagrams.addressFamily = nil
    // Without extension headers the first next header is the transport protocol.
    var pieces: [(Interval<UInt32>, Diagram)] = []
    for next in 0...255 as ClosedRange<UInt32> {
      switch next {
      case 0, 43, 44, 60: continue
      default:
        var plain = try [set(.transportProtocol, next...next), set(.routingHeader, 0...0)]
        plain.append(try set(.fragment, 0...0x7fff))
        pieces.append((Interval(next, next), try diagrams.intersection(plain)))
      }
    }
    let six = try diagrams.select(.firstNextHeader, pieces, otherwise: .everything)
    // An IPv6 fragment has its header; nothing is split off without one. The walk goes on behind
    // the headers that it follows.
    let headed = try set(.fragment, 0x8000...0xbfff, 0...0)
    let followed = try set(.transportProtocol, 0...0, 43...44, 60...60)
    // An authentication header ends the walk, once its first bytes are read.
    let authentic = try implies(set(.transportProtocol, 51...51), set(.transportLength, 2...64))
    let both = try diagrams.intersection([
      six, headed, diagrams.complement(followed), authentic,
    ])
    let all = try diagrams.choose(isIPv4, diagrams.intersection(four), both)
    return host.hasLoneFragments ? all : try diagrams.intersection(all, whole)
  }

  /// Neighbour discovery and MLD, which conntrack never tracks.
  ///
  /// Source: `nf_conntrack_icmpv6_error`, `net/netfilter/nf_conntrack_proto_icmpv6.c`.
  mutating func discovery() throws(PacketSetError) -> Diagram {
    let untracked: [UInt32] = [130, 131, 132, 133, 134, 135, 136, 143, 151, 152]
    let types = IntervalSet(untracked.map { Interval($0 << 8, $0 << 8 | 255) })
    return try diagrams.intersection([
      set(.family, 1...1), set(.transportProtocol, 58...58), diagrams.set(.sourcePort, types),
    ])
  }

  /// Source: `nf_conntrack_in` and the `*_error` functions of `net/netfilter/nf_conntrack_*.c`;
  /// `ipv4_conntrack_local`, `net/netfilter/nf_conntrack_proto.c`.
  private mutating func conntrack() throws(PacketSetError) -> Diagram {
    let isTracked = try set(.conntrackState, 1...3)
    var tracked = [try set(.transportProtocol, 0...255)]
    tracked.append(try diagrams.complement(laterFragments()))
    for (number, length) in [(6, 20), (17, 8), (1, 8), (58, 8), (132, 12), (33, 12), (136, 8)]
      as [(UInt32, UInt32)]
    {
      tracked.append(
        try implies(set(.transportProtocol, number...number), set(.transportLength, length...64)))
    }
    // ICMP of the other family is no flow; neighbour discovery and MLD are never tracked.
    tracked.append(
      try implies(set(.family, 0...0), diagrams.complement(set(.transportProtocol, 58...58))))
    let discovery = try discovery()
    tracked.append(
      try implies(
        set(.family, 1...1),
        diagrams.intersection(
          diagrams.complement(set(.transportProtocol, 1...1)), diagrams.complement(discovery))))
    // Only requests open a flow.
    let requests =
      [(0...0, 1...1, [8, 13, 15, 17]), (1...1, 58...58, [128, 139])]
      as [(ClosedRange<UInt32>, ClosedRange<UInt32>, [UInt32])]
    for (family, number, types) in requests {
      let message = try diagrams.intersection([
        set(.family, family), set(.transportProtocol, number), set(.conntrackState, 3...3),
      ])
      let opening = IntervalSet(types.map { Interval($0 << 8, $0 << 8 | 255) })
      tracked.append(try implies(message, diagrams.set(.sourcePort, opening)))
    }
    // A new flow is seen in its original direction.
    tracked.append(try implies(set(.conntrackState, 3...3), set(.conntrackDirection, 0...0)))
    // Nothing that is not tracked has a direction, a status or a mark.
    var plain = [try set(.conntrackDirection, 0...0)]
    for field in PacketField.conntrackMark + PacketField.conntrackStatus {
      plain.append(try set(field, 0...0))
    }
    // Only rules and copies exempt other packets from tracking; rules are followed as changes.
    if !hasCopies {
      let exempt = try diagrams.intersection([
        discovery, set(.transportLength, 8...64), diagrams.complement(laterFragments()),
      ])
      plain.append(try implies(set(.conntrackState, 4...4), exempt))
    }
    // IPv4: conntrack puts fragments together, or takes those of a socket that is exempt
    // (`IP_NODEFRAG`) for invalid. IPv6: a fragment that is a whole packet has no fragment header any
    // more when rules see it; one that cannot be put together passes as it is.
    let tracked4 = try diagrams.intersection(set(.family, 0...0), set(.conntrackState, 1...3))
    var collected = [try implies(tracked4, set(.fragment, 0...0, 0x4000...0x4000))]
    collected.append(try diagrams.complement(strippedFragments()))
    let consistent = try diagrams.choose(
      isTracked, diagrams.intersection(tracked), diagrams.intersection(plain))
    return try diagrams.intersection(collected + [consistent])
  }

  /// Source: `__inet_dev_addr_type`, `net/ipv4/fib_frontend.c`; `nft_fib6_eval_type`,
  /// `net/ipv6/netfilter/nft_fib_ipv6.c`.
  private mutating func addressTypes() throws(PacketSetError) -> Diagram {
    var parts: [Diagram] = []
    for (type, words) in [
      (PacketField.destinationType, PacketField.destination),
      (.sourceType, PacketField.source),
    ] {
      let four = try addressTypes4(type, words[3])
      let six = try addressTypes6(type, words)
      parts.append(
        try diagrams.choose(
          set(.family, 0...0), diagrams.intersection(four), diagrams.intersection(six)))
    }
    return try diagrams.intersection(parts)
  }

  private mutating func addressTypes4(
    _ type: PacketField, _ address: PacketField
  ) throws(PacketSetError) -> [Diagram] {
    diagrams.addressFamily = .ipv4
    defer { diagrams.addressFamily = nil }
    let isMulticast = try set(address, 0xe000_0000...0xefff_ffff)
    let isLimited = try set(address, 0...0, UInt32.max...UInt32.max)
    var parts = try [
      diagrams.choose(
        isMulticast, set(type, 5...5),
        diagrams.choose(isLimited, set(type, 3...3), diagrams.complement(set(type, 5...5)))),
      set(type, 0...11),
    ]
    if let local = host.localAddresses {
      let isLocal = try set(type, 2...2)
      let member = try diagrams.set(
        address, local.v4.union(IntervalSet([Interval(0x7f00_0000, 0x7fff_ffff)])))
      parts.append(try diagrams.choose(member, isLocal, diagrams.complement(isLocal)))
    }
    if let broadcast = host.broadcastAddresses {
      let all = broadcast.union(IntervalSet([Interval(0, 0), Interval(UInt32.max, UInt32.max)]))
      parts.append(try implies(set(type, 3...3), diagrams.set(address, all)))
    }
    return parts
  }

  private mutating func addressTypes6(
    _ type: PacketField, _ words: [PacketField]
  ) throws(PacketSetError) -> [Diagram] {
    diagrams.addressFamily = .ipv6
    defer { diagrams.addressFamily = nil }
    let isMulticast = try set(words[0], 0xff00_0000...UInt32.max)
    var parts = try [
      diagrams.choose(isMulticast, set(type, 5...5), diagrams.complement(set(type, 5...5))),
      diagrams.complement(set(type, 3...3)), set(type, 0...11),
    ]
    if let local = host.localAddresses {
      let isLocal = try set(type, 2...2)
      let member = try diagrams.set(words, local.v6.union(IntervalSet([Interval(1, 1)])))
      parts.append(try diagrams.choose(member, isLocal, diagrams.complement(isLocal)))
    }
    return parts
  }

  private mutating func interfaces(_ way: PacketWay) throws(PacketSetError) -> Diagram {
    let none = (try set(.inputInterface, 0...0), try set(.outputInterface, 0...0))
    let any = (
      try set(.inputInterface, 1...links.last), try set(.outputInterface, 1...links.last)
    )
    switch way {
    case .egress: return try diagrams.intersection(none.0, any.1)
    case .forwarding: return try diagrams.intersection([any.0, any.1, set(.socket, 0...0)])
    case .ingress: return try diagrams.intersection(any.0, none.1)
    }
  }
}

extension SymbolicAnalyzer {
  /// Whether an expression may send copies of packets, which conntrack does not track.
  private var hasCopies: Bool {
    ruleset.tables.contains { table in
      table.chains.contains { chain in
        chain.rules.contains { rule in rule.expressions.contains(where: \.mayCopy) }
      }
    }
  }
}

extension Expression {
  fileprivate var mayCopy: Bool {
    switch self {
    case .unknown, .duplicate, .target: true
    default: false
    }
  }
}
