import NetworkTypes

/// Which end of a flow address translation changes.
enum TranslatedEnd {
  case source
  case destination
}

/// What a nat, masquerade or redirect expression asks for.
struct Translation {
  /// The addresses to choose from; nil keeps the address.
  var addresses: ClosedRange<IPAddress>?
  /// The ports to choose from, host order; nil keeps the port.
  var ports: ClosedRange<UInt16>?
  /// Whether the port is drawn at random.
  var isRandom = false
  /// Whether the port is moved by a base, which is not modelled.
  var isShifted = false

  /// The direction that the packet's own becomes; nil when the kernel draws lots.
  ///
  /// Takes it that no other flow has the same ends already: then the kernel would take others.
  ///
  /// Source: `get_unique_tuple`, `nf_nat_l4proto_unique_tuple`, `net/netfilter/nf_nat_core.c`.
  func applied(to direction: FlowDirection, _ end: TranslatedEnd) -> FlowDirection? {
    if isShifted { return nil }
    if end == .source, !isRandom, isInRange(direction) { return direction }
    var direction = direction
    if let addresses {
      guard addresses.lowerBound == addresses.upperBound else { return nil }
      switch end {
      case .source: direction.source = addresses.lowerBound
      case .destination: direction.destination = addresses.lowerBound
      }
    }
    guard !isRandom else { return drawn(direction, end) }
    guard let ports else { return direction }
    if portIsInRange(direction, end, ports) { return direction }
    return drawn(direction, end)
  }

  private func isInRange(_ direction: FlowDirection) -> Bool {
    if let addresses, !addresses.contains(direction.source) { return false }
    return ports.map { portIsInRange(direction, .source, $0) } ?? true
  }

  private func portIsInRange(
    _ direction: FlowDirection, _ end: TranslatedEnd, _ ports: ClosedRange<UInt16>
  ) -> Bool {
    switch direction.ipProtocol {
    case 1, 58: ports.contains(direction.sourcePort)
    case 6, 17, 33, 132, 136, 47:
      ports.contains(end == .source ? direction.sourcePort : direction.destinationPort)
    default: true
    }
  }

  /// The last resort: a port, or an ICMP identifier, from the range.
  private func drawn(_ direction: FlowDirection, _ end: TranslatedEnd) -> FlowDirection? {
    var direction = direction
    let isMessage = direction.ipProtocol == 1 || direction.ipProtocol == 58
    switch direction.ipProtocol {
    case 1, 58, 6, 17, 33, 132, 136: break
    default: return direction
    }
    guard let ports else { return end == .destination && !isMessage ? direction : nil }
    let isCertain = ports.count == 1 || (end == .destination && !isRandom)
    guard isCertain else { return nil }
    if end == .source || isMessage {
      direction.sourcePort = ports.lowerBound
    } else {
      direction.destinationPort = ports.lowerBound
    }
    return direction
  }
}

/// Changes one end of a packet, checksums included.
///
/// Source: `nf_nat_manip_pkt` and the functions it calls, `net/netfilter/nf_nat_proto.c`.
struct PacketRewrite {
  var family: Family
  /// Where the layer-4 header starts; nil when only addresses change.
  var transport: Int?

  /// Makes an end of the packet that of the target.
  func apply(_ target: FlowDirection, _ end: TranslatedEnd, to bytes: inout [UInt8]) {
    let place =
      switch (family, end) {
      case (.ipv4, .source): 12
      case (.ipv4, .destination): 16
      case (.ipv6, .source): 8
      case (.ipv6, .destination): 24
      }
    let address = end == .source ? target.source : target.destination
    let new = address.networkOrderBytes
    let old = Array(bytes[place..<place + new.count])
    if let transport { rewriteTransport(target, end, transport, old, new, &bytes) }
    if family == .ipv4 { InternetChecksum.repair(&bytes, at: 10, old, by: new) }
    bytes.replaceSubrange(place..<place + new.count, with: new)
  }

  private func rewriteTransport(
    _ target: FlowDirection, _ end: TranslatedEnd, _ start: Int, _ old: [UInt8], _ new: [UInt8],
    _ bytes: inout [UInt8]
  ) {
    let port = end == .source ? target.sourcePort : target.destinationPort
    let portPlace = end == .source ? start : start + 2
    switch target.ipProtocol {
    case 6 where bytes.count >= start + 20:
      repair(start + 16, portPlace, port, old, new, &bytes)
    case 6 where bytes.count >= start + 8: set(port, at: portPlace, &bytes)
    case 17 where bytes.count >= start + 8:
      guard bytes[start + 6] != 0 || bytes[start + 7] != 0 else {
        return set(port, at: portPlace, &bytes)
      }
      repair(start + 6, portPlace, port, old, new, &bytes, neverZero: true)
    case 136 where bytes.count >= start + 8:
      repair(start + 6, portPlace, port, old, new, &bytes, neverZero: true)
    case 132 where bytes.count >= start + 12:
      set(port, at: portPlace, &bytes)
      let sum = CRC32C.ofSCTP(bytes[start...])
      for index in 0..<4 { bytes[start + 8 + index] = UInt8(sum >> (8 * UInt32(index)) & 0xff) }
    case 1 where bytes.count >= start + 8:
      let id = number(target.sourcePort)
      InternetChecksum.repair(
        &bytes, at: start + 2, Array(bytes[start + 4..<start + 6]), by: id)
      bytes.replaceSubrange(start + 4..<start + 6, with: id)
    case 58 where bytes.count >= start + 8:
      InternetChecksum.repair(&bytes, at: start + 2, old, by: new)
      guard bytes[start] == 128 || bytes[start] == 129 else { return }
      let id = number(target.sourcePort)
      InternetChecksum.repair(
        &bytes, at: start + 2, Array(bytes[start + 4..<start + 6]), by: id)
      bytes.replaceSubrange(start + 4..<start + 6, with: id)
    default: return
    }
  }

  private func repair(
    _ checksum: Int, _ portPlace: Int, _ port: UInt16, _ old: [UInt8], _ new: [UInt8],
    _ bytes: inout [UInt8], neverZero: Bool = false
  ) {
    InternetChecksum.repair(&bytes, at: checksum, old, by: new)
    InternetChecksum.repair(
      &bytes, at: checksum, Array(bytes[portPlace..<portPlace + 2]), by: number(port),
      neverZero: neverZero)
    set(port, at: portPlace, &bytes)
  }

  private func set(_ port: UInt16, at place: Int, _ bytes: inout [UInt8]) {
    bytes.replaceSubrange(place..<place + 2, with: number(port))
  }

  private func number(_ port: UInt16) -> [UInt8] { [UInt8(port >> 8), UInt8(port & 0xff)] }
}

/// The checksum of SCTP.
///
/// Source: RFC 9260 appendix A, RFC 3720 appendix B.4.
enum CRC32C {
  /// Of an SCTP packet, its own checksum field taken as zero; stored least significant byte first.
  static func ofSCTP(_ packet: ArraySlice<UInt8>) -> UInt32 {
    var sum: UInt32 = .max
    for (index, byte) in packet.enumerated() {
      sum ^= (8..<12).contains(index) ? 0 : UInt32(byte)
      for _ in 0..<8 { sum = sum >> 1 ^ (sum & 1 == 1 ? 0x82f6_3b78 : 0) }
    }
    return ~sum
  }
}
