import NetworkTypes
import PacketSets
import PolicyLanguage

/// The parts of a policy as packet sets.
extension PacketDiagrams {
  /// First and later fragments; not an IPv6 fragment header with nothing split off.
  mutating func fragments() throws(PacketSetError) -> Diagram {
    let flags: [UInt32] = [0, 0x4000, 0x8000, 0xc000]
    return try set(
      .fragment, IntervalSet(flags.map { Interval($0 + 1, $0 + 0x3fff) }))
  }

  /// Packets without a transport protocol, or with less than its header.
  mutating func malformed() throws(PacketSetError) -> Diagram {
    var parts = [try set(.transportProtocol, 256)]
    for (number, length) in IPProtocol.headerLengths {
      let isShort = try set(.transportLength, IntervalSet([Interval(0, length - 1)]))
      parts.append(
        try intersection(set(.transportProtocol, UInt32(number.rawValue)), isShort))
    }
    return try union(parts)
  }

  /// ICMP of one family inside the other.
  mutating func misplacedICMP() throws(PacketSetError) -> Diagram {
    let four = try intersection(set(.family, 1), set(.transportProtocol, 1))
    let six = try intersection(set(.family, 0), set(.transportProtocol, 58))
    return try union(four, six)
  }

  /// ICMPv6 messages of the types, any code.
  private mutating func icmpv6(_ types: [UInt32]) throws(PacketSetError) -> Diagram {
    let codes = IntervalSet(types.map { Interval($0 << 8, $0 << 8 | 255) })
    return try intersection([
      set(.family, 1), set(.transportProtocol, 58), set(.sourcePort, codes),
    ])
  }

  /// Neighbour discovery and multicast listener messages as they must look.
  mutating func linkControl(
    _ direction: Direction, _ policy: Policy
  ) throws(PacketSetError) -> Diagram {
    let isOutbound = direction == .outbound
    let discovery = try intersection(
      icmpv6(isOutbound ? [133, 135, 136] : [134, 135, 136]), set(.hopLimit, 255))
    var listener = try intersection(
      icmpv6(isOutbound ? [131, 132, 143] : [130, 131, 132, 143]), set(.hopLimit, 1))
    if isOutbound {
      addressFamily = .ipv6
      defer { addressFamily = nil }
      let linkScope = IntervalSet([Interval(UInt32(0xff02_0000), UInt32(0xff02_ffff))])
      listener = try intersection(listener, set(.destination0, linkScope))
    }
    return try union(discovery, listener)
  }

  /// ICMPv6 that opens no flow: everything but the requests 128 and 139.
  mutating func otherICMPv6() throws(PacketSetError) -> Diagram {
    try icmpv6((0...255).filter { $0 != 128 && $0 != 139 })
  }

  /// TCP segments that are no plain SYN.
  mutating func notOpening() throws(PacketSetError) -> Diagram {
    let other = (0...255).filter { $0 & 0x17 != 0x02 }.map { Interval(UInt32($0), UInt32($0)) }
    return try intersection(set(.transportProtocol, 6), set(.tcpFlags, IntervalSet(other)))
  }

  /// Packets of protocols that have ports.
  mutating func withPorts() throws(PacketSetError) -> Diagram {
    let numbers = (0...255).filter { IPProtocol(rawValue: UInt8($0)).hasPorts }
    return try set(
      .transportProtocol, IntervalSet(numbers.map { Interval(UInt32($0), UInt32($0)) }))
  }

  /// Packets to a destination; to any when there is none.
  mutating func destinations(
    _ destination: Destination?, _ answers: NameAnswers
  ) throws(PacketSetError) -> Diagram {
    guard let destination else { return .everything }
    var parts = try [four(destination.addresses.v4), nat64(destination.addresses.v4)]
    let block = IntervalSet([
      Interval(UInt128(0x64_ff9b) << 96, UInt128(0x64_ff9b) << 96 | 0xffff_ffff)
    ])
    parts.append(try six(destination.addresses.v6.subtracting(block)))
    if !destination.isatapEmbedded.isEmpty {
      let identifier = IntervalSet<UInt32>([
        Interval(0x5efe, 0x5efe), Interval(0x200_5efe, 0x200_5efe),
      ])
      addressFamily = .ipv6
      parts.append(
        try intersection([
          set(.family, 1), set(.destination2, identifier),
          set(.destination3, destination.isatapEmbedded),
        ]))
      addressFamily = nil
    }
    if destination.includesLinkBroadcast {
      parts.append(try set(.destinationType, 3))
      parts.append(try four(IntervalSet([Interval(.max, .max)])))
    }
    for reference in destination.names {
      let accepted = (answers.addresses[reference.name] ?? []).filter(reference.accepts)
      var v4: [Interval<UInt32>] = []
      var v6: [Interval<UInt128>] = []
      for address in accepted {
        switch address {
        case .v4(let bits): v4.append(Interval(bits, bits))
        case .v6(let bits): v6.append(Interval(bits, bits))
        }
      }
      parts.append(try four(IntervalSet(v4)))
      parts.append(try six(IntervalSet(v6)))
    }
    return try union(parts)
  }

  /// Packets of an essential's flows.
  mutating func essential(_ flow: EssentialFlow) throws(PacketSetError) -> Diagram {
    let isOutbound = flow.direction == .outbound
    let remote = isOutbound ? PacketField.destination : PacketField.source
    var parts = [try union(four(flow.remote.v4, in: remote), six(flow.remote.v6, in: remote))]
    if let number = flow.ipProtocol {
      parts.append(try set(.transportProtocol, UInt32(number.rawValue)))
    }
    let (near, far): (PacketField, PacketField) =
      isOutbound ? (.sourcePort, .destinationPort) : (.destinationPort, .sourcePort)
    for (field, port) in [(near, flow.localPort), (far, flow.remotePort)] {
      guard let port else { continue }
      parts.append(try intersection(withPorts(), set(field, UInt32(port))))
    }
    return try intersection(parts)
  }

  private mutating func four(
    _ addresses: IntervalSet<UInt32>, in fields: [PacketField] = PacketField.destination
  ) throws(PacketSetError) -> Diagram {
    addressFamily = .ipv4
    defer { addressFamily = nil }
    return try intersection(set(.family, 0), set(fields[3], addresses))
  }

  /// IPv4 addresses in 64:ff9b::/96.
  private mutating func nat64(
    _ addresses: IntervalSet<UInt32>
  ) throws(PacketSetError) -> Diagram {
    let prefix = UInt128(0x64_ff9b) << 96
    let embedded = addresses.intervals.map {
      Interval(prefix | UInt128($0.first), prefix | UInt128($0.last))
    }
    return try six(IntervalSet(canonical: embedded[...]))
  }

  private mutating func six(
    _ addresses: IntervalSet<UInt128>, in fields: [PacketField] = PacketField.destination
  ) throws(PacketSetError) -> Diagram {
    addressFamily = .ipv6
    defer { addressFamily = nil }
    return try intersection(set(.family, 1), set(fields, addresses))
  }

  /// Packets of one of the protocols and ports; of any when there are none.
  mutating func services(_ matches: [PortMatch]?) throws(PacketSetError) -> Diagram {
    guard let matches else { return .everything }
    var parts: [Diagram] = []
    for match in matches {
      var part = try withPorts()
      if let number = match.ipProtocol {
        let exact = try set(.transportProtocol, UInt32(number.rawValue))
        part = match.ports == nil ? exact : try intersection(exact, part)
      }
      if let ports = match.ports {
        part = try intersection(part, set(.destinationPort, ports.widened))
      }
      parts.append(part)
    }
    return try union(parts)
  }
}

extension IntervalSet where Bound == UInt16 {
  /// The same numbers, 32 bits wide.
  var widened: IntervalSet<UInt32> {
    IntervalSet<UInt32>(
      canonical: intervals.map { Interval(UInt32($0.first), UInt32($0.last)) }[...])
  }
}

extension IPProtocol {
  /// Bytes without which conntrack calls a packet invalid.
  ///
  /// Source: `tcp_error`, `udp_error`, `icmp_error`, `icmpv6_error`, `sctp_error`, `dccp_error`
  /// and `udplite_error` in `net/netfilter/nf_conntrack_proto_*.c`.
  static let headerLengths: [(IPProtocol, UInt32)] = [
    (.tcp, 20), (.udp, 8), (.icmp, 8), (.icmpv6, 8), (.sctp, 12), (.dccp, 12), (.udplite, 8),
  ]
}
