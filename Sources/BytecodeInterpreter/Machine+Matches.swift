import Bytecode
import NetworkTypes

/// Matches of xtables.
///
/// Source: `nft_match_eval`, `net/netfilter/nft_compat.c`: a match that cannot look at what it
/// must drops the packet.
extension Program {
  func run(
    _ match: MatchValue, _ packet: borrowing PacketContext, _ headers: PacketHeaders,
    _ state: inout MachineState
  ) -> Signal {
    switch match {
    case .comment: return .next
    case .tcp(let tcp): return matchTCP(tcp, headers, state.bytes)
    case .udp(let udp): return matchPorts(udp, headers, state.bytes, header: 8)
    case .icmp(let icmp): return matchMessage(icmp, any: 255, headers, state.bytes)
    case .icmpv6(let icmp): return matchMessage(icmp, any: nil, headers, state.bytes)
    case .multiport(let multiport): return matchPorts(multiport, headers, state.bytes)
    case .mark(let mark): return signal(state.mark.map { mark.holds($0) }, absent: mark.holds(0))
    case .connmark(let mark):
      if state.ctState == .invalid || state.ctState == .untracked { return .breakRule }
      return signal((state.rare?.ctMark ?? packet.ctMark).map { mark.holds($0) }, absent: false)
    case .conntrack(let conntrack): return matchConntrack(conntrack, packet, &state)
    case .addressType(let type): return matchAddressType(type, packet, state.rare)
    case .owner(let owner): return matchOwner(owner, packet)
    case .addressRange(let range): return matchRange(range, packet.family, state.bytes)
    case .hardwareAddress(let address):
      return signal(
        packet.linkHeader.map {
          $0.count >= 14 && (Array($0[6..<12]) == address.address) != address.isInverted
        }, absent: false)
    case .length(let range, let isInverted):
      let at = packet.family == .ipv4 ? 2 : 4
      let field = Int(state.bytes[at]) << 8 | Int(state.bytes[at + 1])
      let length = field + (packet.family == .ipv4 ? 0 : 40)
      let holds = Int(range.lowerBound) <= length && length <= Int(range.upperBound)
      return holds != isInverted ? .next : .breakRule
    case .packetType(let type, let isInverted):
      guard state.rare?.changes[.meta(MetaLoad(.pkttype, into: Register(word: 0)))] == nil else {
        return .undecided
      }
      return signal(packet.packetType.map { (UInt32($0) == type) != isInverted }, absent: false)
    case .hopLimit(let limit, let comparison):
      let own = state.bytes[packet.family == .ipv4 ? 8 : 7]
      let holds =
        switch comparison {
        case 0: own == limit
        case 1: own != limit
        case 2: own < limit
        default: own > limit
        }
      return holds ? .next : .breakRule
    case .routingHeader(let isAny):
      return matchRoutingHeader(isAny: isAny, packet.family, state.bytes)
    default: return .undecided
    }
  }

  /// Source: `rt_mt6`, `net/ipv6/netfilter/ip6t_rt.c`.
  private func matchRoutingHeader(
    isAny: Bool, _ family: Family, _ bytes: [UInt8]
  ) -> Signal {
    guard family == .ipv6 else { return .breakRule }
    switch IPv6Walk.walk(to: 43, in: bytes.span, kernel) {
    case .absent: return .breakRule
    case .cutShort: return .end(.drop)
    case .header(_, let offset, _):
      let start = Int(offset)
      let length = (Int(bytes[start + 1]) + 1) * 8
      if start + length > bytes.count { return .breakRule }
      return isAny ? .next : .undecided
    }
  }

  private func signal(_ fact: Fact<Bool>, absent: Bool) -> Signal {
    switch fact {
    case .unknown: .undecided
    case .absent: absent ? .next : .breakRule
    case .known(let holds): holds ? .next : .breakRule
    }
  }

  private func number(_ bytes: [UInt8], _ place: Int) -> UInt16 {
    UInt16(bytes[place]) << 8 | UInt16(bytes[place + 1])
  }

  // MARK: Layer 4

  /// Source: `tcp_mt`, `net/netfilter/xt_tcpudp.c`.
  private func matchTCP(
    _ match: TransportMatch, _ headers: PacketHeaders, _ bytes: [UInt8]
  ) -> Signal {
    // The first 8 bytes of a header must not come in a fragment of their own.
    if headers.fragmentOffset == 1 { return .end(.drop) }
    let ports = matchPorts(match, headers, bytes, header: 20)
    guard case .next = ports else { return ports }
    let start = Int(headers.transportOffset)
    let areSet = bytes[start + 13] & match.flagMask == match.flags
    guard areSet != match.areFlagsInverted else { return .breakRule }
    guard match.option != 0 else { return .next }
    let length = Int(bytes[start + 12] >> 4) * 4
    guard length >= 20, start + length <= bytes.count else { return .end(.drop) }
    var at = start + 20
    while at < start + length {
      if bytes[at] == match.option { return match.isOptionInverted ? .breakRule : .next }
      let isShort = bytes[at] < 2
      at += isShort || at + 1 >= start + length ? 1 : max(1, Int(bytes[at + 1]))
    }
    return match.isOptionInverted ? .next : .breakRule
  }

  /// Source: `udp_mt`, `net/netfilter/xt_tcpudp.c`.
  private func matchPorts(
    _ match: TransportMatch, _ headers: PacketHeaders, _ bytes: [UInt8], header: Int
  ) -> Signal {
    guard headers.fragmentOffset == 0 else { return .breakRule }
    let start = Int(headers.transportOffset)
    guard start + header <= bytes.count else { return .end(.drop) }
    let isSource =
      match.sourcePorts.contains(number(bytes, start)) != match.isSourceInverted
    let isDestination =
      match.destinationPorts.contains(number(bytes, start + 2)) != match.isDestinationInverted
    return isSource && isDestination ? .next : .breakRule
  }

  /// Source: `icmp_match`, `icmp6_match`, `net/netfilter/xt_tcpudp.c`.
  private func matchMessage(
    _ match: ICMPMatch, any: UInt8?, _ headers: PacketHeaders, _ bytes: [UInt8]
  ) -> Signal {
    guard headers.fragmentOffset == 0 else { return .breakRule }
    let start = Int(headers.transportOffset)
    guard start + 8 <= bytes.count else { return .end(.drop) }
    let isType = bytes[start] == match.type && match.codes.contains(bytes[start + 1])
    return (match.type == any || isType) != match.isInverted ? .next : .breakRule
  }

  /// Source: `multiport_mt`, `net/netfilter/xt_multiport.c`.
  private func matchPorts(
    _ match: MultiportMatch, _ headers: PacketHeaders, _ bytes: [UInt8]
  ) -> Signal {
    guard headers.fragmentOffset == 0 else { return .breakRule }
    let start = Int(headers.transportOffset)
    guard start + 4 <= bytes.count else { return .end(.drop) }
    let source = match.ports.contains { $0.contains(number(bytes, start)) }
    let destination = match.ports.contains { $0.contains(number(bytes, start + 2)) }
    let holds =
      switch match.end {
      case .source: source
      case .destination: destination
      case .either: source || destination
      }
    return holds != match.isInverted ? .next : .breakRule
  }

  // MARK: Addresses

  /// Source: `iprange_mt4`, `iprange_mt6`, `net/netfilter/xt_iprange.c`.
  private func matchRange(
    _ match: AddressRangeMatch, _ family: Family, _ bytes: [UInt8]
  ) -> Signal {
    let (first, length) = family == .ipv4 ? (12, 4) : (8, 16)
    func lies(_ start: Int, _ range: AddressRange?) -> Bool? {
      guard let range else { return nil }
      let address = bytes[start..<start + length]
      return !address.lexicographicallyPrecedes(range.first)
        && !range.last.lexicographicallyPrecedes(address)
    }
    if let isIn = lies(first, match.source), isIn == match.isSourceInverted { return .breakRule }
    if let isIn = lies(first + length, match.destination), isIn == match.isDestinationInverted {
      return .breakRule
    }
    return .next
  }

  /// Source: `addrtype_mt_v1`, `net/netfilter/xt_addrtype.c`.
  private func matchAddressType(
    _ match: AddressTypeMatch, _ packet: borrowing PacketContext, _ rare: RareState?
  ) -> Signal {
    guard !match.limitsToInput, !match.limitsToOutput, rare?.isAddressChanged != true else {
      return .undecided
    }
    if packet.family == .ipv6 { return matchAddressType6(match, packet) }
    var isOpen = false
    for (types, isInverted, type) in [
      (match.source, match.isSourceInverted, packet.sourceType),
      (match.destination, match.isDestinationInverted, packet.destinationType),
    ] {
      guard let types else { continue }
      switch type {
      case .known(let number):
        if (number < 16 && types >> UInt16(number) & 1 == 1) == isInverted { return .breakRule }
      case .unknown, .absent: isOpen = true
      }
    }
    return isOpen ? .undecided : .next
  }

  /// For IPv6 every type asked for must hold, and unicast is told from the address alone.
  ///
  /// Source: `addrtype_mt6`, `match_type6`, `net/netfilter/xt_addrtype.c`; `__ipv6_addr_type`.
  private func matchAddressType6(
    _ match: AddressTypeMatch, _ packet: borrowing PacketContext
  ) -> Signal {
    guard let ends = PacketEnds(packet.bytes, .ipv6) else { return .undecided }
    var isOpen = false
    for (types, isInverted, type, address) in [
      (match.source, match.isSourceInverted, packet.sourceType, ends.source),
      (match.destination, match.isDestinationInverted, packet.destinationType, ends.destination),
    ] {
      guard let types, case .v6(let bits) = address else { continue }
      let isGroup = bits >> 120 == 0xff
      let isUnicast = !isGroup && bits != 0 && bits >> 32 != 0xffff
      var holds: Bool? = true
      if types & 0x20 != 0, !isGroup { holds = false }
      if types & 0x02 != 0, !isUnicast { holds = false }
      if types & 0x01 != 0, bits != 0 { holds = false }
      if holds == true, types & 0x94 != 0 {
        // Local, anycast or unreachable, by its route.
        switch type {
        case .known(2): holds = types & 0x04 != 0
        case .known(4): holds = types & 0x10 != 0
        case .known: holds = types & 0x80 != 0 ? nil : false
        case .unknown, .absent: holds = nil
        }
      }
      guard let holds else {
        isOpen = true
        continue
      }
      if holds == isInverted { return .breakRule }
    }
    return isOpen ? .undecided : .next
  }

  /// Source: `owner_mt`, `net/netfilter/xt_owner.c`.
  private func matchOwner(
    _ match: OwnerMatch, _ packet: borrowing PacketContext
  ) -> Signal {
    let asksSocket = match.socketExists != nil
    switch packet.socketUser {
    case .unknown: return .undecided
    case .absent:
      // Without a socket what is inverted holds, and nothing else.
      let holds =
        (match.users == nil || match.areUsersInverted)
        && (match.groups == nil || match.areGroupsInverted)
        && match.socketExists != true && !match.includesSupplementary
      return holds ? .next : .breakRule
    case .known(let user):
      if asksSocket, match.socketExists == false { return .breakRule }
      if let users = match.users, users.contains(user) == match.areUsersInverted {
        return .breakRule
      }
      guard let groups = match.groups else { return .next }
      guard case .known(let group) = packet.socketGroup else { return .undecided }
      if groups.contains(group) { return match.areGroupsInverted ? .breakRule : .next }
      if match.includesSupplementary { return .undecided }
      return match.areGroupsInverted ? .next : .breakRule
    }
  }

  // MARK: Conntrack

  /// Source: `conntrack_mt`, `net/netfilter/xt_conntrack.c`.
  private func matchConntrack(
    _ match: ConntrackMatch, _ packet: borrowing PacketContext, _ state: inout MachineState
  ) -> Signal {
    guard let ctState = state.ctState else { return .undecided }
    let rare = state.rare
    let hasEntry = ctState != .invalid && ctState != .untracked
    let status = rare?.ctStatus ?? packet.ctStatus
    if let states = match.states {
      var bits = ctState.rawValue
      if hasEntry {
        if case .known(let status) = status {
          // SNAT and DNAT count as states here.
          bits |= status & 0x10 != 0 ? 128 : 0
          bits |= status & 0x20 != 0 ? 256 : 0
        } else if states & 0x180 != 0 {
          return .undecided
        }
      }
      if (states & bits != 0) == match.inverted.contains(.states) { return .breakRule }
    }
    // Nothing else is looked at without an entry.
    guard hasEntry else { return match.states == nil ? .breakRule : .next }
    if let isReply = match.isReply {
      guard case .known(let direction) = rare?.ctDirection ?? packet.ctDirection else {
        return .undecided
      }
      if (direction == 1) != isReply { return .breakRule }
    }
    if let wanted = match.status {
      guard case .known(let bits) = status else { return .undecided }
      if (bits & wanted != 0) == match.inverted.contains(.status) { return .breakRule }
    }
    guard match.asksFlow else { return match.expirySeconds == nil ? .next : .undecided }
    guard case .known(let flow) = rare?.flow ?? packet.flow else { return .undecided }
    if !match.holds(flow) { return .breakRule }
    return match.expirySeconds == nil ? .next : .undecided
  }
}

extension MaskedMark {
  /// Whether a mark is one that the match asks for.
  fileprivate func holds(_ mark: UInt32) -> Bool { (mark & mask == value) != isInverted }
}

extension ConntrackMatch {
  /// Whether it asks for ends of the flow or its protocol.
  fileprivate var asksFlow: Bool {
    protocolNumber != nil || originalSource != nil || originalDestination != nil
      || replySource != nil || replyDestination != nil || originalSourcePorts != nil
      || originalDestinationPorts != nil || replySourcePorts != nil
      || replyDestinationPorts != nil
  }

  fileprivate func holds(_ flow: TrackedFlow) -> Bool {
    func address(
      _ wanted: MaskedAddress?, _ own: IPAddress, _ field: ConntrackMatchFields
    ) -> Bool {
      guard let wanted else { return true }
      let bytes = own.networkOrderBytes
      guard bytes.count == wanted.address.count else { return false }
      let isEqual = zip(bytes, zip(wanted.mask, wanted.address)).allSatisfy {
        $0 & $1.0 == $1.1 & $1.0
      }
      return isEqual != inverted.contains(field)
    }
    func port(
      _ wanted: ClosedRange<UInt16>?, _ own: UInt16, _ field: ConntrackMatchFields
    ) -> Bool {
      wanted.map { $0.contains(own) != inverted.contains(field) } ?? true
    }
    let isProtocol =
      protocolNumber.map {
        ($0 == UInt16(flow.original.ipProtocol)) != inverted.contains(.protocolNumber)
      } ?? true
    return isProtocol && address(originalSource, flow.original.source, .originalSource)
      && address(originalDestination, flow.original.destination, .originalDestination)
      && address(replySource, flow.reply.source, .replySource)
      && address(replyDestination, flow.reply.destination, .replyDestination)
      && port(originalSourcePorts, flow.original.sourcePort, .originalSourcePorts)
      && port(
        originalDestinationPorts, flow.original.destinationPort, .originalDestinationPorts)
      && port(replySourcePorts, flow.reply.sourcePort, .replySourcePorts)
      && port(replyDestinationPorts, flow.reply.destinationPort, .replyDestinationPorts)
  }
}
