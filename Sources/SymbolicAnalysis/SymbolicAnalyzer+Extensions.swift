import Bytecode
import NetworkTypes
import PacketSets

/// Matches of xtables.
///
/// Source: `nft_match_eval`, `net/netfilter/nft_compat.c`, and each `net/netfilter/xt_*.c`.
extension SymbolicAnalyzer {
  /// What a match says: where it drops at once, where it may drop, hold or not, and elsewhere, where it
  /// holds.
  struct MatchAnswer {
    var drops = Diagram.nothing
    var open = Diagram.nothing
    var condition: Condition
    var openCause = ""
  }

  mutating func step(
    _ match: ExtensionMatch, _ path: RulePath, _ next: inout [RulePath], _ run: inout RuleRun
  ) throws(PacketSetError) {
    let family = ruleset.tables[run.tableIndex].family
    guard let value = match.value(in: family) else {
      // It may hold or not, and some matches drop the packet at once.
      var path = doubt(path, [cause("the match \(match.name)")])
      path.pending.drops = true
      next.append(path)
      return
    }
    let answer = try answer(value, match.name, path, run.context, family)
    var open = path
    if answer.drops != .nothing {
      var dropped = path
      dropped.packets = try diagrams.intersection(path.packets, answer.drops)
      if dropped.packets != .nothing { end(dropped, Outcome(drops: true), &run) }
      open.packets = try diagrams.difference(path.packets, answer.drops)
      if open.packets == .nothing { return }
    }
    if answer.open != .nothing {
      var either = open
      either.packets = try diagrams.intersection(open.packets, answer.open)
      if either.packets != .nothing {
        var path = doubt(either, [cause(answer.openCause)])
        path.pending.drops = true
        next.append(path)
        open.packets = try diagrams.difference(open.packets, answer.open)
        if open.packets == .nothing { return }
      }
    }
    try split(open, answer.condition, &next, &run)
  }

  private mutating func answer(
    _ value: MatchValue, _ name: String, _ path: RulePath, _ context: EvaluationContext,
    _ family: TableFamily
  ) throws(PacketSetError) -> MatchAnswer {
    // Fields that the rule has changed already are no longer those of the packet.
    if !path.change.fields.isEmpty, !path.change.fields.changes.keys.allSatisfy(\.isMark) {
      return MatchAnswer(condition: .unknown([cause("the match \(name) after a change")]))
    }
    switch value {
    case .comment: return MatchAnswer(condition: .always)
    case .conntrack(let match):
      return MatchAnswer(condition: try condition(match, context))
    case .addressType(let match): return MatchAnswer(condition: try condition(match, family))
    case .owner(let match): return MatchAnswer(condition: try condition(match))
    case .mark(let mark):
      return MatchAnswer(condition: try condition(mark, markBits(PacketField.mark, path)))
    case .connmark(let mark):
      if context.isBeforeConntrack { return MatchAnswer(condition: .never) }
      let isTracked = try Condition(yes: tracked())
      let bits = markBits(PacketField.conntrackMark, path)
      return MatchAnswer(condition: try both(isTracked, condition(mark, bits)))
    case .multiport(let match): return try answer(match)
    case .tcp(let match): return try answer(match, 6, 20)
    case .udp(let match): return try answer(match, 17, 8)
    case .icmp(let match): return try answer(match, 1)
    case .icmpv6(let match): return try answer(match, 58)
    case .addressRange(let match): return MatchAnswer(condition: try condition(match, family))
    case .packetType(let type, let isInverted):
      let hit = try Condition(yes: type > 255 ? .nothing : diagrams.set(.packetType, type))
      return MatchAnswer(condition: isInverted ? try not(hit) : hit)
    case .routingHeader(let isAny): return try routingHeaderAnswer(isAny: isAny)
    case .hopLimit(let limit, let comparison):
      let number = UInt32(limit)
      let hit: Diagram
      switch comparison {
      case 0: hit = try diagrams.set(.hopLimit, number)
      case 1: hit = try diagrams.complement(diagrams.set(.hopLimit, number))
      case 2: hit = number == 0 ? .nothing : try set(.hopLimit, 0, number - 1)
      default: hit = number == 255 ? .nothing : try set(.hopLimit, number + 1, 255)
      }
      return MatchAnswer(condition: Condition(yes: hit))
    default:
      return MatchAnswer(condition: .unknown([cause("the match \(name)")]))
    }
  }

  /// Source: `rt_mt6`, `net/ipv6/netfilter/ip6t_rt.c`: a header that reaches past the end does not
  /// match, and headers that cannot be followed drop the packet.
  private mutating func routingHeaderAnswer(
    isAny: Bool
  ) throws(PacketSetError) -> MatchAnswer {
    let isThere = try diagrams.intersection(
      diagrams.set(.family, 1), diagrams.set(.routingHeader, 1))
    var answer = MatchAnswer(condition: Condition(yes: isThere))
    if !isAny {
      let why = cause("the type of a routing header")
      answer.condition = Condition(yes: .nothing, unsure: isThere, causes: [why])
    }
    let isLost = try diagrams.union(
      set(.transportProtocol, 256, 256),
      diagrams.intersection(
        set(.transportProtocol, 51, 51), diagrams.complement(isThere)))
    let isAtTheEnd = try diagrams.intersection(isThere, set(.transportLength, 0, 0))
    answer.open = try diagrams.intersection(
      diagrams.set(.family, 1), diagrams.union(isLost, isAtTheEnd))
    answer.openCause = "the match rt in a packet whose headers do not end well"
    return answer
  }

  private func markBits(_ fields: [PacketField], _ path: RulePath) -> [Bit] {
    fields.flatMap { bits($0, 4, path) }
  }

  mutating func set(
    _ field: PacketField, _ first: UInt32, _ last: UInt32
  ) throws(PacketSetError) -> Diagram {
    try diagrams.set(field, IntervalSet([Interval(first, last)]))
  }

  /// Packets of a flow that conntrack knows.
  mutating func tracked() throws(PacketSetError) -> Diagram { try set(.conntrackState, 1, 3) }

  /// `-m mark`: `(mark & mask) == value`.
  private mutating func condition(
    _ mark: MaskedMark, _ bits: [Bit]
  ) throws(PacketSetError) -> Condition {
    var hit = Condition.always
    if mark.value & ~mark.mask != 0 {
      hit = .never
    } else {
      for (index, bit) in bits.enumerated() {
        let place = UInt32(1) << UInt32(31 - index)
        guard mark.mask & place != 0 else { continue }
        let byte: UInt8 = mark.value & place != 0 ? 1 : 0
        hit = try both(hit, between(.zeros(7) + [bit], [byte], [byte]))
      }
    }
    return mark.isInverted ? try not(hit) : hit
  }

  /// `-m conntrack`, `-m state`; without a flow only the state can be asked.
  ///
  /// Source: `conntrack_mt`, `net/netfilter/xt_conntrack.c`.
  private mutating func condition(
    _ match: ConntrackMatch, _ context: EvaluationContext
  ) throws(PacketSetError) -> Condition {
    var all: [Condition] = []
    if let states = match.states {
      var hit = Diagram.nothing
      var condition = Condition.never
      if context.isBeforeConntrack {
        let early = try statesBeforeConntrack()
        let (isInvalidAsked, isUntrackedAsked) = (states & 1 != 0, states & 64 != 0)
        if isInvalidAsked { hit = early.invalid }
        if isUntrackedAsked { hit = try diagrams.union(hit, early.untracked) }
        condition = Condition(yes: hit)
        if isInvalidAsked && isUntrackedAsked {
          condition.yes = try diagrams.union(hit, early.either)
        } else if isInvalidAsked || isUntrackedAsked {
          condition.unsure = early.either
          condition.causes = [cause(Self.exemption)]
        }
      } else {
        let values = [1, 2, 4, 8, 64].enumerated().filter { states & UInt32($0.element) != 0 }
          .map { Interval(UInt32($0.offset), UInt32($0.offset)) }
        hit = try diagrams.set(.conntrackState, IntervalSet(values))
        for (bit, status) in [(128, 16), (256, 32)] as [(UInt32, UInt32)] where states & bit != 0 {
          let translated = try diagrams.intersection(tracked(), hasStatus(status))
          hit = try diagrams.union(hit, translated)
        }
        condition = Condition(yes: hit)
      }
      all.append(match.inverted.contains(.states) ? try not(condition) : condition)
    }
    var inFlow: [Condition] = []
    if let isReply = match.isReply {
      inFlow.append(Condition(yes: try diagrams.set(.conntrackDirection, isReply ? 1 : 0)))
    }
    if let status = match.status {
      let hit = try hasStatus(status)
      inFlow.append(
        Condition(
          yes: match.inverted.contains(.status) ? try diagrams.complement(hit) : hit))
    }
    let asksMore =
      match.protocolNumber != nil || match.originalSource != nil
      || match.originalDestination != nil || match.replySource != nil
      || match.replyDestination != nil || match.originalSourcePorts != nil
      || match.originalDestinationPorts != nil || match.replySourcePorts != nil
      || match.replyDestinationPorts != nil || match.expirySeconds != nil
    if asksMore { inFlow.append(.unknown([cause("the tuple or expiry of a flow")])) }
    let hasFlow = context.isBeforeConntrack ? Diagram.nothing : try tracked()
    // A packet without a flow passes what asks for a state, and nothing else.
    let without: Diagram = match.states != nil ? try diagrams.complement(hasFlow) : .nothing
    var flow = Condition(yes: hasFlow)
    for part in inFlow { flow = try both(flow, part) }
    var result = try either(flow, Condition(yes: without))
    for part in all { result = try both(result, part) }
    return result
  }

  /// Packets of flows with one of the status bits.
  private mutating func hasStatus(_ bits: UInt32) throws(PacketSetError) -> Diagram {
    var parts: [Diagram] = []
    for (index, field) in PacketField.conntrackStatus.enumerated() {
      let nibble = bits >> UInt32(12 - 4 * index) & 15
      let values = (0...15 as ClosedRange<UInt32>).filter { $0 & nibble != 0 }
      parts.append(try diagrams.set(field, IntervalSet(values.map { Interval($0, $0) })))
    }
    return try diagrams.union(parts)
  }

  /// `-m owner`; without a socket it holds exactly when all that is asked is inverted.
  ///
  /// Source: `owner_mt`, `net/netfilter/xt_owner.c`.
  private mutating func condition(_ match: OwnerMatch) throws(PacketSetError) -> Condition {
    let hasSocket = try diagrams.set(.socket, 1)
    let asked: [(isAsked: Bool, isInverted: Bool)] = [
      (match.users != nil, match.areUsersInverted),
      (match.groups != nil, match.areGroupsInverted),
      (match.socketExists != nil, match.socketExists == false),
      (match.includesSupplementary, false),
    ]
    let holdsWithout = asked.allSatisfy { $0.isAsked == $0.isInverted }
    var with = Condition(yes: match.socketExists == false ? .nothing : hasSocket)
    if let users = match.users {
      let hit = try set(.socketUser, users.lowerBound, users.upperBound)
      with = try both(
        with, Condition(yes: match.areUsersInverted ? diagrams.complement(hit) : hit))
    }
    if let groups = match.groups {
      let hit = try set(.socketGroup, groups.lowerBound, groups.upperBound)
      if match.includesSupplementary {
        let why = [cause("the supplementary groups of a socket's owner")]
        let other = Condition(
          yes: hit, unsure: try diagrams.complement(hit), causes: why)
        with = try both(with, match.areGroupsInverted ? not(other) : other)
      } else {
        with = try both(
          with, Condition(yes: match.areGroupsInverted ? diagrams.complement(hit) : hit))
      }
    }
    let without: Diagram = holdsWithout ? try diagrams.complement(hasSocket) : .nothing
    return try either(with, Condition(yes: without))
  }

  /// `-m addrtype`: exact for IPv4, and for IPv6 where one type is asked that routes tell.
  ///
  /// Source: `addrtype_mt_v1`, `match_type6`, `net/netfilter/xt_addrtype.c`.
  private mutating func condition(
    _ match: AddressTypeMatch, _ family: TableFamily
  ) throws(PacketSetError) -> Condition {
    var result = Condition.always
    for (mask, isInverted, field) in [
      (match.source, match.isSourceInverted, PacketField.sourceType),
      (match.destination, match.isDestinationInverted, .destinationType),
    ] {
      guard let mask else { continue }
      let types = (0...11 as ClosedRange<UInt32>).filter { mask >> UInt16($0) & 1 == 1 }
      var hit = Condition(
        yes: try diagrams.set(field, IntervalSet(types.map { Interval($0, $0) })))
      let isPlain = types == [2] || types == [5]
      if match.limitsToInput || match.limitsToOutput || family != .ip && !isPlain {
        hit = .unknown([cause("the match addrtype of a link or of several IPv6 types")])
      }
      result = try both(result, isInverted ? not(hit) : hit)
    }
    return result
  }

  /// `-m iprange`.
  private mutating func condition(
    _ match: AddressRangeMatch, _ family: TableFamily
  ) throws(PacketSetError) -> Condition {
    var result = Condition.always
    for (range, isInverted, words) in [
      (match.source, match.isSourceInverted, PacketField.source),
      (match.destination, match.isDestinationInverted, PacketField.destination),
    ] {
      guard let range else { continue }
      let bits =
        family == .ip ? [Bit].field(words[3], 32) : words.flatMap { [Bit].field($0, 32) }
      let isReversed = range.last.lexicographicallyPrecedes(range.first)
      let hit = isReversed ? Condition.never : try between(bits, range.first, range.last)
      result = try both(result, isInverted ? not(hit) : hit)
    }
    return result
  }

  // MARK: Transport headers

  /// The part of a match that reads a transport header, whatever protocol it is of: a later fragment
  /// has none, and a short one is dropped.
  private mutating func reading(
    _ length: UInt32, _ hit: Condition, _ name: String
  ) throws(PacketSetError) -> MatchAnswer {
    let later = try laterFragments()
    let first = try diagrams.complement(later)
    // Without a protocol the match reads the IPv6 header.
    let hasProtocol = try set(.transportProtocol, 0, 255)
    let short = try diagrams.intersection([
      first, hasProtocol, set(.transportLength, 0, length - 1),
    ])
    let readable = try diagrams.intersection([
      first, hasProtocol, set(.transportLength, length, 64),
    ])
    let odd = Condition(
      yes: .nothing, unsure: try diagrams.intersection(first, diagrams.complement(hasProtocol)),
      causes: [cause("the match \(name) in a packet without a transport protocol")])
    return MatchAnswer(
      drops: short, condition: try either(both(Condition(yes: readable), hit), odd))
  }

  private mutating func ports(
    _ field: PacketField, _ ranges: [ClosedRange<UInt16>], isInverted: Bool
  ) throws(PacketSetError) -> Condition {
    let values = IntervalSet(
      ranges.map { Interval(UInt32($0.lowerBound), UInt32($0.upperBound)) })
    let hit = try diagrams.set(field, values)
    return Condition(yes: isInverted ? try diagrams.complement(hit) : hit)
  }

  /// Source: `multiport_mt`, `net/netfilter/xt_multiport.c`.
  private mutating func answer(
    _ match: MultiportMatch
  ) throws(PacketSetError) -> MatchAnswer {
    let source = try ports(.sourcePort, match.ports, isInverted: false)
    let destination = try ports(.destinationPort, match.ports, isInverted: false)
    var hit: Condition
    switch match.end {
    case .source: hit = source
    case .destination: hit = destination
    case .either: hit = try either(source, destination)
    }
    if match.isInverted { hit = try not(hit) }
    return try reading(4, hit, "multiport")
  }

  /// Source: `tcp_mt`, `udp_mt`, `net/netfilter/xt_tcpudp.c`.
  private mutating func answer(
    _ match: TransportMatch, _ number: UInt32, _ length: UInt32
  ) throws(PacketSetError) -> MatchAnswer {
    var hit = try both(
      ports(.sourcePort, [match.sourcePorts], isInverted: match.isSourceInverted),
      ports(.destinationPort, [match.destinationPorts], isInverted: match.isDestinationInverted))
    if match.flagMask != 0 || match.areFlagsInverted {
      let values = (0...255 as ClosedRange<UInt32>)
        .filter { $0 & UInt32(match.flagMask) == UInt32(match.flags) }
      let flags = Condition(
        yes: try diagrams.set(.tcpFlags, IntervalSet(values.map { Interval($0, $0) })))
      hit = try both(hit, match.areFlagsInverted ? not(flags) : flags)
    }
    var answer = try reading(length, hit, number == 6 ? "tcp" : "udp")
    if match.option != 0 {
      // The options are no field, and a header that says that it is too short drops the packet.
      let asked = try diagrams.union(hit.yes, hit.unsure)
      answer.open = try diagrams.intersection(asked, set(.transportLength, length, 64))
      answer.openCause = "a TCP option"
    }
    if number == 6 {
      // A fragment that begins eight bytes into a TCP header is taken for an attack.
      let second = (0..<8 as Range<UInt32>).map { Interval($0 << 13 | 1, $0 << 13 | 1) }
      let attack = try diagrams.intersection([
        diagrams.set(.family, 0), diagrams.set(.fragment, IntervalSet(second)),
      ])
      answer.drops = try diagrams.union(answer.drops, attack)
    }
    return answer
  }

  /// Source: `icmp_match`, `net/netfilter/xt_tcpudp.c`.
  private mutating func answer(
    _ match: ICMPMatch, _ number: UInt32
  ) throws(PacketSetError) -> MatchAnswer {
    let type = UInt32(match.type) << 8
    var hit = Condition(
      yes: try set(
        .sourcePort, type | UInt32(match.codes.lowerBound), type | UInt32(match.codes.upperBound)))
    if number == 1 && match.type == 255 { hit = .always }
    if match.isInverted { hit = try not(hit) }
    return try reading(8, hit, number == 1 ? "icmp" : "icmp6")
  }
}

extension PacketField {
  /// Whether it is a part of the packet's or the flow's mark.
  fileprivate var isMark: Bool {
    PacketField.mark.contains(self) || PacketField.conntrackMark.contains(self)
  }
}
