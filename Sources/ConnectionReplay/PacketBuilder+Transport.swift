import NetworkTypes

// One method per layer-4 protocol. Each appends header and payload and fills in the checksum.
extension PacketBuilder {
  mutating func appendHeader(_ probe: Probe, ends: AddressPair, tag: UInt16, start: Int) {
    let flow = probe.flow
    let ephemeral = 32768 + tag % 28232
    let isOutbound = flow.direction == .outbound
    let from = (isOutbound ? flow.localPort : flow.remotePort) ?? ephemeral
    let to = (isOutbound ? flow.remotePort : flow.localPort) ?? 0
    if flow.ipProtocol.hasPorts {
      put16(from)
      put16(to)
    }
    switch flow.ipProtocol {
    case .tcp: appendTCP(probe.shape, tag)
    case .udp, .udplite: appendUDP(flow.ipProtocol, tag)
    case .sctp: appendSCTP(tag, start)
    case .dccp: appendDCCP(tag)
    case .icmp: appendEcho(type: 8, tag)
    case .icmpv6:
      if case .controlMessage(let type, _) = probe.shape {
        appendEcho(type: type, tag)
      } else {
        appendEcho(type: 128, tag)
      }
    case .gre: put32(0x0000_0800)
    case IPProtocol(rawValue: 4): appendInnerIPv4(tag)
    case IPProtocol(rawValue: 41): appendInnerIPv6(tag)
    default:
      put32(0x1600_0000)
      put32(UInt32(tag))
    }
    seal(flow.ipProtocol, ends, start)
  }

  private mutating func appendTCP(_ shape: ProbeShape, _ tag: UInt16) {
    var flags: TCPFlags = .syn
    if case .flags(let other) = shape { flags = other }
    put32(0x0100_0000 | UInt32(tag))
    put32(flags.contains(.ack) ? 0x0200_0000 : 0)
    put(0x50, flags.rawValue)
    put16(64_240)
    put32(0)
  }

  private mutating func appendUDP(_ ipProtocol: IPProtocol, _ tag: UInt16) {
    put16(16)  // length; for UDP-Lite the checksum's coverage, all of it as well
    put16(0)
    appendPayload(tag)
  }

  private mutating func appendPayload(_ tag: UInt16) {
    put32(0x7765_6972)  // "weir"
    put32(UInt32(tag))
  }

  /// INIT, verification tag 0 (RFC 9260 section 3.3.2).
  private mutating func appendSCTP(_ tag: UInt16, _ start: Int) {
    put32(0)
    put32(0)
    put32(0x0100_0014)
    put32(0x0100_0000 | UInt32(tag))
    put32(65_536)
    put32(0x0001_0001)
    put32(1)
    let code = Checksum.crc32c(bytes[start...])
    set16(UInt16(truncatingIfNeeded: code.byteSwapped >> 16), at: start + 8)
    set16(UInt16(truncatingIfNeeded: code.byteSwapped), at: start + 10)
  }

  /// Request with a 48-bit sequence number (RFC 4340 section 5.2).
  private mutating func appendDCCP(_ tag: UInt16) {
    put(5, 0)
    put16(0)
    put(1, 0)
    put16(0)
    put32(UInt32(tag))
    put32(0)
  }

  private mutating func appendEcho(type: UInt8, _ tag: UInt16) {
    put(type, 0)
    put16(0)
    put16(tag)
    put16(1)
    appendPayload(tag)
  }

  /// A whole IPv4 packet, UDP to a destination that the outer header hides.
  private mutating func appendInnerIPv4(_ tag: UInt16) {
    var inner = PacketBuilder()
    let flow = Flow(ipProtocol: .udp, remoteAddress: .v4(HiddenDestination.v4), remotePort: 53)
    inner.build(Probe(flow), host: .v4(HiddenDestination.v4 + 1), tag: tag)
    bytes += inner.bytes
  }

  /// A whole IPv6 packet, UDP to a destination that the outer header hides.
  private mutating func appendInnerIPv6(_ tag: UInt16) {
    var inner = PacketBuilder()
    let flow = Flow(ipProtocol: .udp, remoteAddress: .v6(HiddenDestination.v6), remotePort: 53)
    inner.build(Probe(flow), host: .v6(HiddenDestination.v6 + 1), tag: tag)
    bytes += inner.bytes
  }

  /// Fills in the checksum where the protocol has the 16-bit one.
  private mutating func seal(_ ipProtocol: IPProtocol, _ ends: AddressPair, _ start: Int) {
    let offset: Int
    switch ipProtocol {
    case .tcp: offset = 16
    case .udp, .udplite, .dccp: offset = 6
    case .icmp, .icmpv6, .igmp: offset = 2
    default: return
    }
    var sum = Checksum.sum(bytes[start...])
    if ipProtocol != .icmp && ipProtocol != .igmp {
      sum += Checksum.sum(ends) + UInt64(ipProtocol.rawValue) + UInt64(bytes.count - start)
    }
    let checksum = Checksum.finish(sum)
    // A UDP checksum of zero would mean "none" (RFC 768).
    set16(checksum == 0 && ipProtocol == .udp ? 0xffff : checksum, at: start + offset)
  }
}

// Numbers in network order.
extension PacketBuilder {
  mutating func put(_ byte: UInt8) { bytes.append(byte) }

  mutating func put(_ first: UInt8, _ second: UInt8) {
    bytes.append(first)
    bytes.append(second)
  }

  mutating func put16(_ number: UInt16) {
    bytes.append(UInt8(number >> 8))
    bytes.append(UInt8(truncatingIfNeeded: number))
  }

  mutating func put32(_ number: UInt32) {
    put16(UInt16(number >> 16))
    put16(UInt16(truncatingIfNeeded: number))
  }

  mutating func put128(_ number: UInt128) {
    for shift in stride(from: UInt128(96), through: 0, by: -32) {
      put32(UInt32(truncatingIfNeeded: number >> shift))
    }
  }

  mutating func set16(_ number: UInt16, at offset: Int) {
    bytes[offset] = UInt8(number >> 8)
    bytes[offset + 1] = UInt8(truncatingIfNeeded: number)
  }
}
