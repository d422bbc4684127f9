/// What `-m conntrack` and `-m state` ask of the packet's flow; all of it must hold.
///
/// A field that is nil is not asked for.
///
/// Source: `conntrack_mt`, `net/netfilter/xt_conntrack.c`; `state_mt`, `xt_state.c`.
public struct ConntrackMatch: Hashable, Sendable {
  /// State bits: 1 invalid, 2 established, 4 related, 8 new, 64 untracked, 128 source translated, 256
  /// destination translated; one of them must be set.
  public var states: UInt32?
  /// Layer-4 protocol of the flow.
  public var protocolNumber: UInt16?
  /// Source of the original direction.
  public var originalSource: MaskedAddress?
  /// Destination of the original direction.
  public var originalDestination: MaskedAddress?
  /// Source of the reply direction.
  public var replySource: MaskedAddress?
  /// Destination of the reply direction.
  public var replyDestination: MaskedAddress?
  /// Source port of the original direction.
  public var originalSourcePorts: ClosedRange<UInt16>?
  /// Destination port of the original direction.
  public var originalDestinationPorts: ClosedRange<UInt16>?
  /// Source port of the reply direction.
  public var replySourcePorts: ClosedRange<UInt16>?
  /// Destination port of the reply direction.
  public var replyDestinationPorts: ClosedRange<UInt16>?
  /// Status bits, of which one must be set; no packet matches 0.
  public var status: UInt32?
  /// Seconds until the flow expires.
  public var expirySeconds: ClosedRange<UInt32>?
  /// Direction of the packet.
  public var isReply: Bool?
  /// Which of the fields must not hold.
  public var inverted: ConntrackMatchFields

  /// Makes it.
  public init(
    states: UInt32? = nil, protocolNumber: UInt16? = nil, originalSource: MaskedAddress? = nil,
    originalDestination: MaskedAddress? = nil, replySource: MaskedAddress? = nil,
    replyDestination: MaskedAddress? = nil, originalSourcePorts: ClosedRange<UInt16>? = nil,
    originalDestinationPorts: ClosedRange<UInt16>? = nil,
    replySourcePorts: ClosedRange<UInt16>? = nil, replyDestinationPorts: ClosedRange<UInt16>? = nil,
    status: UInt32? = nil, expirySeconds: ClosedRange<UInt32>? = nil, isReply: Bool? = nil,
    inverted: ConntrackMatchFields = []
  ) {
    self.states = states
    self.protocolNumber = protocolNumber
    self.originalSource = originalSource
    self.originalDestination = originalDestination
    self.replySource = replySource
    self.replyDestination = replyDestination
    self.originalSourcePorts = originalSourcePorts
    self.originalDestinationPorts = originalDestinationPorts
    self.replySourcePorts = replySourcePorts
    self.replyDestinationPorts = replyDestinationPorts
    self.status = status
    self.expirySeconds = expirySeconds
    self.isReply = isReply
    self.inverted = inverted
  }
}

/// The fields of ``ConntrackMatch``.
///
/// Source: `XT_CONNTRACK_*`, `linux/netfilter/xt_conntrack.h`.
public struct ConntrackMatchFields: OptionSet, Hashable, Sendable {
  /// The bits as the structure carries them.
  public let rawValue: UInt16
  /// Any bits.
  public init(rawValue: UInt16) { self.rawValue = rawValue }
  /// ``ConntrackMatch/states``.
  public static let states = ConntrackMatchFields(rawValue: 1)
  /// ``ConntrackMatch/protocolNumber``.
  public static let protocolNumber = ConntrackMatchFields(rawValue: 2)
  /// ``ConntrackMatch/originalSource``.
  public static let originalSource = ConntrackMatchFields(rawValue: 4)
  /// ``ConntrackMatch/originalDestination``.
  public static let originalDestination = ConntrackMatchFields(rawValue: 8)
  /// ``ConntrackMatch/replySource``.
  public static let replySource = ConntrackMatchFields(rawValue: 16)
  /// ``ConntrackMatch/replyDestination``.
  public static let replyDestination = ConntrackMatchFields(rawValue: 32)
  /// ``ConntrackMatch/status``.
  public static let status = ConntrackMatchFields(rawValue: 64)
  /// ``ConntrackMatch/expirySeconds``.
  public static let expiry = ConntrackMatchFields(rawValue: 128)
  /// ``ConntrackMatch/originalSourcePorts``.
  public static let originalSourcePorts = ConntrackMatchFields(rawValue: 256)
  /// ``ConntrackMatch/originalDestinationPorts``.
  public static let originalDestinationPorts = ConntrackMatchFields(rawValue: 512)
  /// ``ConntrackMatch/replySourcePorts``.
  public static let replySourcePorts = ConntrackMatchFields(rawValue: 1024)
  /// ``ConntrackMatch/replyDestinationPorts``.
  public static let replyDestinationPorts = ConntrackMatchFields(rawValue: 2048)
  /// ``ConntrackMatch/isReply``; the field itself says which.
  public static let direction = ConntrackMatchFields(rawValue: 4096)
  /// Every bit but that of an alias of `-m state`, which changes nothing.
  static let known = ConntrackMatchFields(rawValue: 0x1fff)
}

/// An address of which only masked bits count.
public struct MaskedAddress: Hashable, Sendable {
  /// 4 or 16 bytes, network order.
  public var address: [UInt8]
  /// As long as the address.
  public var mask: [UInt8]

  /// Makes it.
  public init(
    _ address: [UInt8], mask: [UInt8]
  ) {
    self.address = address
    self.mask = mask
  }
}

extension ConntrackMatch {
  /// `struct xt_conntrack_mtinfo1`, `2`, `3`, by revision; nil for others and unknown bits.
  init?(_ info: [UInt8], revision: UInt32, family: TableFamily) {
    let sizes: [UInt32: Int] = [1: 152, 2: 156, 3: 164]
    guard let length = family.addressBytes, let size = sizes[revision],
      var reader = StructureReader(info, size: size)
    else { return nil }
    let addresses = (0..<4).map { _ in
      let address = Array(reader.take(16).prefix(length))
      return MaskedAddress(address, mask: Array(reader.take(16).prefix(length)))
    }
    let expiry: (UInt32, UInt32) = (reader.take(), reader.take())
    let layer4: UInt16 = reader.take()
    let low = (0..<4).map { _ in revision == 3 ? reader.take() : reader.takeNetworkOrder() }
    let asked = ConntrackMatchFields(rawValue: reader.take(UInt16.self) & ~0x2000)
    let inverted = ConntrackMatchFields(rawValue: reader.take(UInt16.self) & ~0x2000)
    let states = revision == 1 ? UInt16(reader.take(UInt8.self)) : reader.take()
    let status = revision == 1 ? UInt16(reader.take(UInt8.self)) : reader.take()
    let high = revision == 3 ? (0..<4).map { _ in reader.take(UInt16.self) } : low
    guard states <= 0x1ff, asked.isSubset(of: .known), inverted.isSubset(of: .known),
      zip(low, high).allSatisfy({ $0 <= $1 }), expiry.0 <= expiry.1 || !asked.contains(.expiry)
    else { return nil }
    func ask<Value>(_ field: ConntrackMatchFields, _ value: @autoclosure () -> Value) -> Value? {
      asked.contains(field) ? value() : nil
    }
    self.init(
      states: ask(.states, ConntrackMatch.stateBits(UInt32(states))),
      protocolNumber: ask(.protocolNumber, layer4),
      originalSource: ask(.originalSource, addresses[0]),
      originalDestination: ask(.originalDestination, addresses[1]),
      replySource: ask(.replySource, addresses[2]),
      replyDestination: ask(.replyDestination, addresses[3]),
      originalSourcePorts: ask(.originalSourcePorts, low[0]...high[0]),
      originalDestinationPorts: ask(.originalDestinationPorts, low[1]...high[1]),
      replySourcePorts: ask(.replySourcePorts, low[2]...high[2]),
      replyDestinationPorts: ask(.replyDestinationPorts, low[3]...high[3]),
      status: ask(.status, UInt32(status)), expirySeconds: ask(.expiry, expiry.0...expiry.1),
      isReply: ask(.direction, inverted.contains(.direction)),
      inverted: inverted.intersection(asked).subtracting(.direction))
  }

  /// `struct xt_state_info`.
  init?(stateInfo info: [UInt8]) {
    guard var reader = StructureReader(info, size: 4) else { return nil }
    let states: UInt32 = reader.take()
    guard states & ~0x4f == 0 else { return nil }
    self.init(states: states)
  }

  /// The structure's state bits, 64 and 128 translated and 256 untracked, in the order of `ct state`.
  private static func stateBits(_ bits: UInt32) -> UInt32 {
    bits & 0xf | (bits & 0x40) << 1 | (bits & 0x80) << 1 | (bits & 0x100) >> 2
  }
}

extension TableFamily {
  /// The length of the family's addresses; nil for a family that has none or both.
  var addressBytes: Int? {
    switch self {
    case .ip: 4
    case .ip6: 16
    default: nil
    }
  }
}
