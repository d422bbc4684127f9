public import NetworkTypes

/// A packet that a rule has told of.
public struct DeniedPacket: Hashable, Sendable {
  /// What the rule says of it: `weir deny/<clause>`.
  public var prefix = ""
  /// The packets told in this group before it, so that missing ones are seen; nil where the kernel
  /// does not say.
  public var sequence: UInt32?
  /// Who made its socket, in the reader's user namespace; nil for a packet of no local socket.
  public var user: UInt32?
  /// The layer-4 protocol.
  public var ipProtocol: IPProtocol?
  /// Where it comes from; nil when the packet cannot be read.
  public var source: IPAddress?
  /// Where it goes.
  public var destination: IPAddress?
  /// Its port there; nil for protocols without ports and for later fragments.
  public var sourcePort: UInt16?
  /// Its port there; see ``sourcePort``.
  public var destinationPort: UInt16?
  /// The links it came from and goes to, by index.
  public var inputLink: UInt32?
  /// See ``inputLink``.
  public var outputLink: UInt32?

  /// Makes one of which nothing is known.
  public init() {}

  /// Reads addresses, protocol and ports from the IP header on.
  mutating func read(_ bytes: Span<UInt8>) {
    guard bytes.count >= 20 else { return }
    func word(_ offset: Int) -> UInt16 { UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1]) }
    var transport: Int
    var isFirst = true
    switch bytes[0] >> 4 {
    case 4:
      transport = Int(bytes[0] & 15) * 4
      isFirst = word(6) & 0x1fff == 0
      ipProtocol = IPProtocol(rawValue: bytes[9])
      source = .v4(UInt32(word(12)) << 16 | UInt32(word(14)))
      destination = .v4(UInt32(word(16)) << 16 | UInt32(word(18)))
    case 6 where bytes.count >= 40:
      func address(_ offset: Int) -> IPAddress {
        .v6((0..<16).reduce(UInt128(0)) { $0 << 8 | UInt128(bytes[offset + $1]) })
      }
      source = address(8)
      destination = address(24)
      transport = 40
      var next = bytes[6]
      // Hop-by-hop, routing, fragment and destination options lead on to the next header.
      while [0, 43, 44, 60].contains(next), transport + 8 <= bytes.count {
        if next == 44, word(transport + 2) & 0xfff8 != 0 { isFirst = false }
        let length = next == 44 ? 8 : (Int(bytes[transport + 1]) + 1) * 8
        next = bytes[transport]
        transport += length
      }
      ipProtocol = IPProtocol(rawValue: next)
    default: return
    }
    let hasPorts: Set<IPProtocol> = [.tcp, .udp, .sctp, .udplite, .dccp]
    guard isFirst, let ipProtocol, hasPorts.contains(ipProtocol), transport + 4 <= bytes.count
    else { return }
    sourcePort = word(transport)
    destinationPort = word(transport + 2)
  }
}
