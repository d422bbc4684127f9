public import NetworkTypes

/// What the packet of a probe looks like beyond addresses and ports.
public enum ProbeShape: Hashable, Sendable {
  /// What a well-behaved host sends first: for TCP a SYN.
  case plain
  /// A TCP segment with other flags, of no connection that the kernel knows.
  case flags(TCPFlags)
  /// The layer-4 header cut to so many bytes.
  case truncated(UInt8)
  /// The first of several fragments, with the ports in it.
  case firstFragment
  /// A fragment that is not the first: its bytes look like a layer-4 header and are none.
  case laterFragment
  /// ``firstFragment`` past the kernel's reassembly: socket option `IP_NODEFRAG`, IPv4 only.
  case firstFragmentUnassembled
  /// ``laterFragment`` past the kernel's reassembly: socket option `IP_NODEFRAG`, IPv4 only.
  case laterFragmentUnassembled
  /// A fragment header around a whole packet, IPv6 only (RFC 6946).
  case atomicFragment
  /// The IPv4 option "loose source route", which names another destination (RFC 791).
  case looseSourceRoute
  /// One IPv6 extension header before the layer-4 header.
  case extensionHeader(IPv6ExtensionHeader)
  /// An ICMPv6 message of another type than echo, with a hop limit of its own.
  case controlMessage(type: UInt8, hopLimit: UInt8)

  /// Every shape but the plain one that a flow can have, in a fixed order.
  ///
  /// - Parameter flow: decides by family and protocol.
  /// - Returns: no shape twice.
  public static func ugly(for flow: Flow) -> [ProbeShape] {
    var shapes: [ProbeShape] = []
    if flow.ipProtocol == .tcp { shapes += TCPFlags.unsolicited.map { .flags($0) } }
    if flow.ipProtocol.hasPorts { shapes += [.truncated(0), .truncated(2), .truncated(4)] }
    shapes += [.firstFragment, .laterFragment]
    switch flow.remoteAddress.family {
    case .ipv4:
      shapes += [.firstFragmentUnassembled, .laterFragmentUnassembled, .looseSourceRoute]
    case .ipv6:
      shapes.append(.atomicFragment)
      shapes += IPv6ExtensionHeader.allCases.map { .extensionHeader($0) }
    }
    return shapes
  }

  /// Whether the packet must go out by a socket with `IP_NODEFRAG`.
  public var bypassesReassembly: Bool {
    self == .firstFragmentUnassembled || self == .laterFragmentUnassembled
  }
}

/// The flag bits of a TCP header.
///
/// Source: RFC 9293, byte 13 of the header.
public struct TCPFlags: OptionSet, Hashable, Sendable {
  /// The byte as it is sent.
  public let rawValue: UInt8

  /// Any combination.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// No more from the sender.
  public static let fin = TCPFlags(rawValue: 0x01)
  /// Opens a connection.
  public static let syn = TCPFlags(rawValue: 0x02)
  /// Ends a connection at once.
  public static let rst = TCPFlags(rawValue: 0x04)
  /// Hand over without waiting.
  public static let psh = TCPFlags(rawValue: 0x08)
  /// The acknowledgement number counts.
  public static let ack = TCPFlags(rawValue: 0x10)

  /// Combinations that belong to no new connection: mid-stream, ends, scans.
  public static let unsolicited: [TCPFlags] = [
    .ack, [.ack, .psh], [.syn, .ack], .fin, [.fin, .ack], .rst, [.syn, .fin], [],
  ]
}

/// An IPv6 extension header that a probe puts before the layer-4 header.
public enum IPv6ExtensionHeader: String, Hashable, Sendable, CaseIterable {
  /// Hop-by-hop options, header 0, with padding.
  case hopByHop = "hop-by-hop options"
  /// Destination options, header 60, with padding.
  case destinationOptions = "destination options"
  /// Routing header type 0, source route, deprecated (RFC 5095).
  case sourceRoute = "routing header 0"
  /// Routing header type 2, mobile IPv6 (RFC 6275).
  case mobility = "routing header 2"
  /// Routing header type 4, segment routing (RFC 8754).
  case segmentRouting = "routing header 4"
  /// Authentication header, 51 (RFC 4302).
  case authentication = "authentication header"
}

extension ProbeShape: CustomStringConvertible {
  /// In words: `later fragment`, `flags ack,psh`, `cut to 2 bytes`.
  public var description: String {
    switch self {
    case .plain: "plain"
    case .flags(let flags): "flags \(flags)"
    case .truncated(let count): "cut to \(count) bytes"
    case .firstFragment: "first fragment"
    case .laterFragment: "later fragment"
    case .firstFragmentUnassembled: "first fragment, not reassembled"
    case .laterFragmentUnassembled: "later fragment, not reassembled"
    case .atomicFragment: "atomic fragment"
    case .looseSourceRoute: "loose source route"
    case .extensionHeader(let header): header.rawValue
    case .controlMessage(let type, let hopLimit): "type \(type), hop limit \(hopLimit)"
    }
  }
}

extension TCPFlags: CustomStringConvertible {
  /// Names in ascending order of the bits: `syn,ack`; `none` without any.
  public var description: String {
    let names: [(TCPFlags, String)] = [
      (.fin, "fin"), (.syn, "syn"), (.rst, "rst"), (.psh, "psh"), (.ack, "ack"),
    ]
    let set = names.filter { contains($0.0) }.map(\.1)
    return set.isEmpty ? "none" : set.joined(separator: ",")
  }
}
