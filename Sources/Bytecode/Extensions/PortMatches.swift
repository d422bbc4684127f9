/// What `-m multiport` asks of the ports of TCP, UDP, UDP-Lite, SCTP and DCCP.
///
/// Source: `multiport_mt`, `net/netfilter/xt_multiport.c`.
public struct MultiportMatch: Hashable, Sendable {
  /// Which port.
  public var end: PortEnd
  /// Ranges of which one must hold it.
  public var ports: [ClosedRange<UInt16>]
  /// Whether everything but that matches.
  public var isInverted: Bool

  /// Makes it.
  public init(
    end: PortEnd, ports: [ClosedRange<UInt16>], isInverted: Bool = false
  ) {
    self.end = end
    self.ports = ports
    self.isInverted = isInverted
  }
}

/// Which port a match looks at.
///
/// Source: `enum xt_multiport_flags`, `linux/netfilter/xt_multiport.h`.
public enum PortEnd: UInt8, Hashable, Sendable, CaseIterable {
  /// The source port.
  case source = 0
  /// The destination port.
  case destination = 1
  /// Either.
  case either = 2
}

/// What `-p tcp -m tcp` and `-p udp -m udp` ask of a packet; it must be of that protocol.
///
/// Source: `tcp_mt`, `udp_mt`, `net/netfilter/xt_tcpudp.c`.
public struct TransportMatch: Hashable, Sendable {
  /// The source port.
  public var sourcePorts: ClosedRange<UInt16>
  /// Whether the source port must be another.
  public var isSourceInverted: Bool
  /// The destination port.
  public var destinationPorts: ClosedRange<UInt16>
  /// Whether the destination port must be another.
  public var isDestinationInverted: Bool
  /// A TCP option that must be there; 0 for none.
  public var option: UInt8
  /// Whether the option must be missing.
  public var isOptionInverted: Bool
  /// The TCP flags that count.
  public var flagMask: UInt8
  /// How those flags must be set.
  public var flags: UInt8
  /// Whether the flags must be set otherwise.
  public var areFlagsInverted: Bool

  /// Makes it.
  public init(
    sourcePorts: ClosedRange<UInt16> = 0...65535, isSourceInverted: Bool = false,
    destinationPorts: ClosedRange<UInt16> = 0...65535, isDestinationInverted: Bool = false,
    option: UInt8 = 0, isOptionInverted: Bool = false, flagMask: UInt8 = 0, flags: UInt8 = 0,
    areFlagsInverted: Bool = false
  ) {
    self.sourcePorts = sourcePorts
    self.isSourceInverted = isSourceInverted
    self.destinationPorts = destinationPorts
    self.isDestinationInverted = isDestinationInverted
    self.option = option
    self.isOptionInverted = isOptionInverted
    self.flagMask = flagMask
    self.flags = flags
    self.areFlagsInverted = areFlagsInverted
  }
}

/// What `-m icmp` and `-m icmp6` ask of a packet; it must be of that protocol.
///
/// Source: `icmp_match`, `net/ipv4/netfilter/ip_tables.c`, `net/ipv6/netfilter/ip6_tables.c`.
public struct ICMPMatch: Hashable, Sendable {
  /// The type; for IPv4 255 is any.
  public var type: UInt8
  /// The code.
  public var codes: ClosedRange<UInt8>
  /// Whether everything but that matches.
  public var isInverted: Bool

  /// Makes it.
  public init(
    type: UInt8, codes: ClosedRange<UInt8>, isInverted: Bool = false
  ) {
    self.type = type
    self.codes = codes
    self.isInverted = isInverted
  }
}

extension MultiportMatch {
  /// `struct xt_multiport` and `xt_multiport_v1`, by revision.
  init?(_ info: [UInt8], revision: UInt32) {
    guard revision <= 1, var reader = StructureReader(info, size: revision == 0 ? 32 : 48) else {
      return nil
    }
    let end = PortEnd(rawValue: reader.take())
    let count = Int(reader.take(UInt8.self))
    let all = (0..<15).map { _ in reader.take(UInt16.self) }
    let begins = revision == 1 ? Array(reader.take(15)) : [UInt8](repeating: 0, count: 15)
    let isInverted = revision == 1 && reader.takeFlag()
    guard let end, count <= 15 else { return nil }
    var ports: [ClosedRange<UInt16>] = []
    var index = 0
    while index < count {
      let isRange = begins[index] != 0
      guard !isRange || index + 1 < count && all[index] <= all[index + 1] else { return nil }
      ports.append(all[index]...(isRange ? all[index + 1] : all[index]))
      index += isRange ? 2 : 1
    }
    self.init(end: end, ports: ports, isInverted: isInverted)
  }
}

extension TransportMatch {
  /// `struct xt_tcp`.
  init?(tcpInfo info: [UInt8]) {
    guard var reader = StructureReader(info, size: 12) else { return nil }
    let source: (UInt16, UInt16) = (reader.take(), reader.take())
    let destination: (UInt16, UInt16) = (reader.take(), reader.take())
    let option: UInt8 = reader.take()
    let mask: UInt8 = reader.take()
    let flags: UInt8 = reader.take()
    let inverted: UInt8 = reader.take()
    guard source.0 <= source.1, destination.0 <= destination.1, inverted <= 15 else { return nil }
    self.init(
      sourcePorts: source.0...source.1, isSourceInverted: inverted & 1 != 0,
      destinationPorts: destination.0...destination.1, isDestinationInverted: inverted & 2 != 0,
      option: option, isOptionInverted: inverted & 8 != 0, flagMask: mask, flags: flags,
      areFlagsInverted: inverted & 4 != 0)
  }

  /// `struct xt_udp`.
  init?(udpInfo info: [UInt8]) {
    guard var reader = StructureReader(info, size: 10) else { return nil }
    let source: (UInt16, UInt16) = (reader.take(), reader.take())
    let destination: (UInt16, UInt16) = (reader.take(), reader.take())
    let inverted: UInt8 = reader.take()
    guard source.0 <= source.1, destination.0 <= destination.1, inverted <= 3 else { return nil }
    self.init(
      sourcePorts: source.0...source.1, isSourceInverted: inverted & 1 != 0,
      destinationPorts: destination.0...destination.1, isDestinationInverted: inverted & 2 != 0)
  }
}

extension ICMPMatch {
  /// `struct ipt_icmp`, `struct ip6t_icmp`.
  init?(_ info: [UInt8]) {
    guard var reader = StructureReader(info, size: 4) else { return nil }
    let type: UInt8 = reader.take()
    let codes: (UInt8, UInt8) = (reader.take(), reader.take())
    let inverted: UInt8 = reader.take()
    guard codes.0 <= codes.1, inverted <= 1 else { return nil }
    self.init(type: type, codes: codes.0...codes.1, isInverted: inverted == 1)
  }
}
