public import NetworkTypes

/// Writes the exact bytes of a probe's packet, from the IP header on, checksums right.
///
/// The bytes are reused from packet to packet, so that a million probes cost no million arrays.
public struct PacketBuilder {
  /// The packet that was built last.
  public internal(set) var bytes: [UInt8] = []

  /// An empty builder.
  public init() { bytes.reserveCapacity(256) }

  /// Builds the packet of a probe.
  ///
  /// - Parameters:
  ///   - probe: what to send; a shape of the other family than the flow's is built as plain.
  ///   - host: the address of the host under test, in the probe's family.
  ///   - tag: 1…65535, found again in the packet on the wire; see ``PacketTag``. Also decides the
  ///     ephemeral port that stands for "one that the kernel chose".
  public mutating func build(_ probe: Probe, host: IPAddress, tag: UInt16) {
    bytes.removeAll(keepingCapacity: true)
    let source = probe.source(host: host)
    let destination = probe.destination(host: host)
    switch (source, destination) {
    case (.v4(let from), .v4(let to)): buildIPv4(probe, from: from, to: to, tag: tag)
    case (.v6(let from), .v6(let to)): buildIPv6(probe, from: from, to: to, tag: tag)
    case (.v4, .v6), (.v6, .v4): preconditionFailure("both ends must be of one family")
    }
  }

  /// Exchanges the packet that was built last with other bytes, so that neither is copied.
  public mutating func exchange(with other: inout [UInt8]) { swap(&bytes, &other) }

  private mutating func buildIPv4(_ probe: Probe, from: UInt32, to: UInt32, tag: UInt16) {
    let hasOption = probe.shape == .looseSourceRoute
    put(hasOption ? 0x47 : 0x45, 0)
    put16(0)
    put16(tag)
    switch probe.shape {
    case .firstFragment, .firstFragmentUnassembled: put16(0x2000)
    case .laterFragment, .laterFragmentUnassembled: put16(185)
    default: put16(0)
    }
    put(64, probe.flow.ipProtocol.rawValue)
    put16(0)
    put32(from)
    put32(to)
    if hasOption {
      // Loose source route, 7 bytes, pointer at its only address; then end of options.
      put(0x83, 7)
      put(4)
      put32(HiddenDestination.v4)
      put(0)
    }
    let headerBytes = bytes.count
    appendTransport(probe, ends: .v4(from, to), tag: tag)
    set16(UInt16(bytes.count), at: 2)
    set16(Checksum.finish(Checksum.sum(bytes[..<headerBytes])), at: 10)
  }

  private mutating func buildIPv6(_ probe: Probe, from: UInt128, to: UInt128, tag: UInt16) {
    let last = probe.flow.ipProtocol.rawValue
    put32(0x6005_0000 | UInt32(tag))
    put16(0)
    let finalDestination = appendFirstHeaders(
      probe.shape, last: last, from: from, to: to, tag: tag)
    appendTransport(probe, ends: .v6(from, finalDestination), tag: tag)
    set16(UInt16(bytes.count - 40), at: 4)
  }

  /// Appends next header, hop limit, addresses and the extension header of the shape, if any.
  ///
  /// Returns the destination that the layer-4 checksum covers (RFC 8200 section 8.1).
  private mutating func appendFirstHeaders(
    _ shape: ProbeShape, last: UInt8, from: UInt128, to: UInt128, tag: UInt16
  ) -> UInt128 {
    var hopLimit: UInt8 = 64
    if case .controlMessage(_, let own) = shape { hopLimit = own }
    func fixed(_ next: UInt8) {
      put(next, hopLimit)
      put128(from)
      put128(to)
    }
    switch shape {
    case .firstFragment, .laterFragment, .atomicFragment:
      fixed(44)
      put(last, 0)
      put16(shape == .firstFragment ? 1 : shape == .laterFragment ? 185 << 3 : 0)
      put32(UInt32(tag))
      return to
    case .extensionHeader(let header):
      fixed(header.protocolNumber)
      return appendExtension(header, next: last, to: to)
    default:
      fixed(last)
      return to
    }
  }

  private mutating func appendExtension(
    _ header: IPv6ExtensionHeader, next: UInt8, to: UInt128
  ) -> UInt128 {
    switch header {
    case .hopByHop, .destinationOptions:
      put(next, 0)
      put(1, 4)  // PadN
      put32(0)
      return to
    case .sourceRoute, .mobility:
      put(next, 2)
      put(header == .sourceRoute ? 0 : 2, 1)
      put32(0)
      put128(HiddenDestination.v6)
      return HiddenDestination.v6
    case .segmentRouting:
      put(next, 4)
      put(4, 1)
      put(1, 0)
      put16(0)
      put128(HiddenDestination.v6)
      put128(to)
      return HiddenDestination.v6
    case .authentication:
      put(next, 4)
      put16(0)
      put32(0x100)
      put32(1)
      for _ in 0..<3 { put32(0) }
      return to
    }
  }

  private mutating func appendTransport(_ probe: Probe, ends: AddressPair, tag: UInt16) {
    let start = bytes.count
    appendHeader(probe, ends: ends, tag: tag, start: start)
    switch probe.shape {
    case .truncated(let count):
      bytes.removeLast(max(0, bytes.count - start - Int(count)))
    case .firstFragment, .firstFragmentUnassembled:
      while !(bytes.count - start).isMultiple(of: 8) { put(0) }
    default: break
    }
  }
}

/// Where the source routes of probes lead: a place that no policy opens by accident.
enum HiddenDestination {
  static let v4: UInt32 = 0x0a00_0001
  static let v6: UInt128 = 0xfd00 << 112 | 1
}

/// Both addresses that a layer-4 checksum covers.
enum AddressPair {
  case v4(UInt32, UInt32)
  case v6(UInt128, UInt128)
}

extension IPv6ExtensionHeader {
  /// The number that announces the header.
  var protocolNumber: UInt8 {
    switch self {
    case .hopByHop: 0
    case .destinationOptions: 60
    case .sourceRoute, .mobility, .segmentRouting: 43
    case .authentication: 51
    }
  }
}
