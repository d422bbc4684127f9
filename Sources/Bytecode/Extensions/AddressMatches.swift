/// What `-m addrtype` asks the routing table about the packet's addresses.
///
/// Source: `addrtype_mt_v1`, `net/netfilter/xt_addrtype.c`.
public struct AddressTypeMatch: Hashable, Sendable {
  /// Types of the source address, one bit an `RTN_*` number; nil when not asked for.
  public var source: UInt16?
  /// Whether the source must be of another type.
  public var isSourceInverted: Bool
  /// Types of the destination address; nil when not asked for.
  public var destination: UInt16?
  /// Whether the destination must be of another type.
  public var isDestinationInverted: Bool
  /// Whether only the input interface's addresses count.
  public var limitsToInput: Bool
  /// Whether only the output interface's addresses count.
  public var limitsToOutput: Bool

  /// Makes it.
  public init(
    source: UInt16? = nil, isSourceInverted: Bool = false, destination: UInt16? = nil,
    isDestinationInverted: Bool = false, limitsToInput: Bool = false, limitsToOutput: Bool = false
  ) {
    self.source = source
    self.isSourceInverted = isSourceInverted
    self.destination = destination
    self.isDestinationInverted = isDestinationInverted
    self.limitsToInput = limitsToInput
    self.limitsToOutput = limitsToOutput
  }
}

/// What `-m iprange` asks of the packet's addresses, 4 or 16 bytes each, network order.
///
/// Source: `iprange_mt4`, `iprange_mt6`, `net/netfilter/xt_iprange.c`.
public struct AddressRangeMatch: Hashable, Sendable {
  /// The source address; nil when not asked for.
  public var source: AddressRange?
  /// Whether the source must lie outside.
  public var isSourceInverted: Bool
  /// The destination address; nil when not asked for.
  public var destination: AddressRange?
  /// Whether the destination must lie outside.
  public var isDestinationInverted: Bool

  /// Makes it.
  public init(
    source: AddressRange? = nil, isSourceInverted: Bool = false, destination: AddressRange? = nil,
    isDestinationInverted: Bool = false
  ) {
    self.source = source
    self.isSourceInverted = isSourceInverted
    self.destination = destination
    self.isDestinationInverted = isDestinationInverted
  }
}

/// A range of addresses, both ends inside.
public struct AddressRange: Hashable, Sendable {
  /// The lowest, 4 or 16 bytes network order.
  public var first: [UInt8]
  /// The highest.
  public var last: [UInt8]

  /// Makes it.
  public init(
    _ first: [UInt8], _ last: [UInt8]
  ) {
    self.first = first
    self.last = last
  }
}

/// What `-m mac` asks of the sender's hardware address; a packet without one does not match.
///
/// Source: `mac_mt`, `net/netfilter/xt_mac.c`.
public struct HardwareAddressMatch: Hashable, Sendable {
  /// 6 bytes.
  public var address: [UInt8]
  /// Whether everything but that matches.
  public var isInverted: Bool

  /// Makes it.
  public init(
    address: [UInt8], isInverted: Bool = false
  ) {
    self.address = address
    self.isInverted = isInverted
  }
}

/// What `-m physdev` asks of the bridge ports of a bridged packet.
///
/// Source: `physdev_mt`, `net/netfilter/xt_physdev.c`.
public struct BridgePortMatch: Hashable, Sendable {
  /// Name of the port it came in by, 16 bytes.
  public var input: [UInt8]
  /// Which bytes of it count.
  public var inputMask: [UInt8]
  /// Name of the port it goes out by, 16 bytes.
  public var output: [UInt8]
  /// Which bytes of it count.
  public var outputMask: [UInt8]
  /// What is asked: 1 input, 2 output, 4 bridged, 8 came in by a port, 16 goes out by one.
  public var asked: UInt8
  /// Which of these must not hold.
  public var inverted: UInt8

  /// Makes it.
  public init(
    input: [UInt8], inputMask: [UInt8], output: [UInt8], outputMask: [UInt8], asked: UInt8,
    inverted: UInt8
  ) {
    self.input = input
    self.inputMask = inputMask
    self.output = output
    self.outputMask = outputMask
    self.asked = asked
    self.inverted = inverted
  }
}

/// What `-m devgroup` asks of the groups of the packet's interfaces.
///
/// Source: `devgroup_mt`, `net/netfilter/xt_devgroup.c`.
public struct DeviceGroupMatch: Hashable, Sendable {
  /// Group of the input interface; nil when not asked for.
  public var input: MaskedMark?
  /// Group of the output interface; nil when not asked for.
  public var output: MaskedMark?

  /// Makes it.
  public init(
    input: MaskedMark? = nil, output: MaskedMark? = nil
  ) {
    self.input = input
    self.output = output
  }
}

extension AddressTypeMatch {
  /// `struct xt_addrtype_info` and `xt_addrtype_info_v1`, by revision.
  init?(_ info: [UInt8], revision: UInt32) {
    guard revision <= 1, var reader = StructureReader(info, size: revision == 0 ? 12 : 8) else {
      return nil
    }
    let source: UInt16 = reader.take()
    let destination: UInt16 = reader.take()
    var flags: UInt32 = reader.take()
    if revision == 0 {
      flags = (flags != 0 ? 1 : 0) | (reader.take(UInt32.self) != 0 ? 2 : 0)
    }
    guard flags <= 15 else { return nil }
    self.init(
      source: source == 0 ? nil : source, isSourceInverted: flags & 1 != 0,
      destination: destination == 0 ? nil : destination, isDestinationInverted: flags & 2 != 0,
      limitsToInput: flags & 4 != 0, limitsToOutput: flags & 8 != 0)
  }
}

extension AddressRangeMatch {
  /// `struct xt_iprange_mtinfo`, revision 1.
  init?(_ info: [UInt8], family: TableFamily) {
    guard let length = family.addressBytes, var reader = StructureReader(info, size: 68) else {
      return nil
    }
    let all = (0..<4).map { _ in Array(reader.take(16).prefix(length)) }
    let flags: UInt8 = reader.take()
    guard flags & ~0x33 == 0 else { return nil }
    self.init(
      source: flags & 1 != 0 ? AddressRange(all[0], all[1]) : nil,
      isSourceInverted: flags & 0x10 != 0,
      destination: flags & 2 != 0 ? AddressRange(all[2], all[3]) : nil,
      isDestinationInverted: flags & 0x20 != 0)
  }
}

extension HardwareAddressMatch {
  /// `struct xt_mac_info`.
  init?(_ info: [UInt8]) {
    guard var reader = StructureReader(info, size: 12) else { return nil }
    let address = Array(reader.take(6))
    self.init(address: address, isInverted: reader.take(UInt32.self) != 0)
  }
}

extension BridgePortMatch {
  /// `struct xt_physdev_info`.
  init?(_ info: [UInt8]) {
    guard var reader = StructureReader(info, size: 66) else { return nil }
    let names = (0..<4).map { _ in Array(reader.take(16)) }
    let inverted: UInt8 = reader.take()
    let asked: UInt8 = reader.take()
    guard asked <= 31, inverted <= 31 else { return nil }
    self.init(
      input: names[0], inputMask: names[1], output: names[2], outputMask: names[3],
      asked: asked, inverted: inverted)
  }
}

extension DeviceGroupMatch {
  /// `struct xt_devgroup_info`.
  init?(_ info: [UInt8]) {
    guard var reader = StructureReader(info, size: 20) else { return nil }
    let flags: UInt32 = reader.take()
    let numbers = (0..<4).map { _ in reader.take(UInt32.self) }
    guard flags <= 15 else { return nil }
    self.init(
      input: flags & 1 != 0
        ? MaskedMark(numbers[0], mask: numbers[1], isInverted: flags & 2 != 0) : nil,
      output: flags & 4 != 0
        ? MaskedMark(numbers[2], mask: numbers[3], isInverted: flags & 8 != 0) : nil)
  }
}
