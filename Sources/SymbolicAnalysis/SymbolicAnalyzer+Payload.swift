import Bytecode
import NetworkTypes
import PacketSets

/// Loads of packet bytes.
extension SymbolicAnalyzer {
  /// Source: `nft_payload_eval`, `net/netfilter/nft_payload.c`; `nft_payload_fast_eval`,
  /// `net/netfilter/nf_tables_core.c`.
  mutating func loads(
    _ load: PayloadLoad, _ path: RulePath, _ context: EvaluationContext
  ) throws(PacketSetError) -> [LoadCase] {
    switch load.base {
    case .network: return try networkLoads(load, path)
    case .transport: return try transportLoads(load, path)
    case .link:
      if context.hook == .output { return [LoadCase(packets: .everything, bits: nil)] }
      let why = cause("the link-layer header")
      return [
        LoadCase(
          packets: .everything, bits: .opaque(Int(load.lengthBytes) * 8, why), mayBreak: why)
      ]
    case .inner, .tunnel:
      let why = cause("the payload behind the transport header")
      return [
        LoadCase(
          packets: .everything, bits: .opaque(Int(load.lengthBytes) * 8, why), mayBreak: why)
      ]
    }
  }

  private mutating func networkLoads(
    _ load: PayloadLoad, _ path: RulePath
  ) throws(PacketSetError) -> [LoadCase] {
    let end = load.offsetBytes &+ load.lengthBytes
    var cases: [LoadCase] = []
    for (family, size) in [(Family.ipv4, 20 as UInt32), (.ipv6, 40)] {
      let packets = try diagrams.set(.family, family == .ipv4 ? 0 : 1)
      let mayBreak = end > size ? cause("bytes behind the fixed header") : nil
      cases.append(
        LoadCase(
          packets: packets, bits: networkBits(family, load, path), mayBreak: mayBreak))
    }
    return cases
  }

  private mutating func transportLoads(
    _ load: PayloadLoad, _ path: RulePath
  ) throws(PacketSetError) -> [LoadCase] {
    let end = load.offsetBytes &+ load.lengthBytes
    let isFast =
      host.kernel.readsLaterFragments && [1, 2, 4].contains(load.lengthBytes)
      && load.offsetBytes % load.lengthBytes == 0
    let there = try transportIsThere(isFast, end)
    var cases = [
      LoadCase(
        packets: there, bits: transportBits(load, path),
        mayBreak: end > 64 ? cause("bytes far behind the transport header") : nil)
    ]
    var rest = try diagrams.complement(there)
    if isFast {
      // The transport offset of a later IPv6 fragment is 0: its own header is read.
      let later = try laterFragments()
      let odd = try diagrams.intersection([
        diagrams.set(.family, 1), later, diagrams.complement(diagrams.set(.transportProtocol, 256)),
      ])
      let mayBreak = end > 40 ? cause("bytes behind the fixed header") : nil
      cases.append(
        LoadCase(packets: odd, bits: networkBits(.ipv6, load, path), mayBreak: mayBreak))
      rest = try diagrams.difference(rest, odd)
    }
    cases.append(LoadCase(packets: rest, bits: nil))
    return cases
  }

  /// Packets that have so many bytes from a transport header that loads look at.
  private mutating func transportIsThere(
    _ isFast: Bool, _ end: UInt32
  ) throws(PacketSetError) -> Diagram {
    let key = PresenceKey(isFast: isFast, endBytes: min(end, 64))
    if let known = presence[key] { return known }
    let long = try diagrams.set(
      .transportLength, IntervalSet([Interval(key.endBytes, 64)]))
    let hasProtocol = try diagrams.set(.transportProtocol, IntervalSet([Interval(0, 255)]))
    var bad = try laterFragments()
    if isFast { bad = try diagrams.intersection(bad, diagrams.set(.family, 1)) }
    let whole = try diagrams.complement(bad)
    let result = try diagrams.intersection([whole, hasProtocol, long])
    presence[key] = result
    return result
  }

  /// Fragments that are not the first.
  mutating func laterFragments() throws(PacketSetError) -> Diagram {
    let high = (0..<8 as Range<UInt32>).map { Interval($0 << 13 | 1, $0 << 13 | 0x1fff) }
    return try diagrams.set(.fragment, IntervalSet(high))
  }

  private func transportBits(_ load: PayloadLoad, _ path: RulePath) -> [Bit] {
    let why = cause("bytes of the transport header that are no port, type or flags")
    return (0..<Int(load.lengthBytes)).flatMap { index -> [Bit] in
      switch Int(load.offsetBytes) + index {
      case 0: Array(bits(.sourcePort, 16, path)[..<8])
      case 1: Array(bits(.sourcePort, 16, path)[8...])
      case 2: Array(bits(.destinationPort, 16, path)[..<8])
      case 3: Array(bits(.destinationPort, 16, path)[8...])
      case 13: bits(.tcpFlags, 8, path)
      default: .opaque(8, why)
      }
    }
  }

  /// The bits of the fixed IPv4 or IPv6 header; what lies behind is not known.
  private func networkBits(
    _ family: Family, _ load: PayloadLoad, _ path: RulePath
  ) -> [Bit] {
    let why = cause("bytes of the network header that are not modelled")
    return (0..<Int(load.lengthBytes)).flatMap { index -> [Bit] in
      let offset = Int(load.offsetBytes) + index
      return family == .ipv4 ? ipv4Byte(offset, why, path) : ipv6Byte(offset, why, path)
    }
  }

  private func ipv4Byte(_ offset: Int, _ why: Int32, _ path: RulePath) -> [Bit] {
    switch offset {
    case 0: [.zero, .one, .zero, .zero] + .opaque(4, why)
    case 1: bits(.trafficClass, 8, path)
    case 6: Array(bits(.fragment, 16, path)[..<8])
    case 7: Array(bits(.fragment, 16, path)[8...])
    case 8: bits(.hopLimit, 8, path)
    case 9: bits(.transportProtocol, 8, path)
    case 12..<16: byte(of: .source3, offset - 12, path)
    case 16..<20: byte(of: .destination3, offset - 16, path)
    default: .opaque(8, why)
    }
  }

  private func ipv6Byte(_ offset: Int, _ why: Int32, _ path: RulePath) -> [Bit] {
    let traffic = bits(.trafficClass, 8, path)
    let label = bits(.flowLabel, 20, path)
    switch offset {
    case 0: return [.zero, .one, .one, .zero] + traffic[..<4]
    case 1: return Array(traffic[4...]) + label[..<4]
    case 2: return Array(label[4..<12])
    case 3: return Array(label[12...])
    case 6: return bits(.firstNextHeader, 8, path)
    case 7: return bits(.hopLimit, 8, path)
    case 8..<24: return byte(of: PacketField.source[(offset - 8) / 4], (offset - 8) % 4, path)
    case 24..<40:
      return byte(of: PacketField.destination[(offset - 24) / 4], (offset - 24) % 4, path)
    default: return .opaque(8, why)
    }
  }

  private func byte(of field: PacketField, _ index: Int, _ path: RulePath) -> [Bit] {
    Array(bits(field, 32, path)[index * 8..<index * 8 + 8])
  }
}
