/// Counts packets and bytes in the rule itself; never changes the verdict.
///
/// Source: `net/netfilter/nft_counter.c`.
public struct Counter: Hashable, Sendable {
  /// Packets counted.
  public var packets: UInt64
  /// Bytes counted, layer 3 length.
  public var bytes: UInt64

  /// Makes a counter, at zero by default.
  public init(packets: UInt64 = 0, bytes: UInt64 = 0) {
    self.packets = packets
    self.bytes = bytes
  }
}

/// Uses a named object of the same table.
///
/// Source: `net/netfilter/nft_objref.c`; types are `NFT_OBJECT_*`, 1 is a counter.
public struct ObjectReference: Hashable, Sendable {
  /// The object's type, `NFT_OBJECT_*`; 1 is a counter.
  public var type: UInt32
  /// The object's name.
  public var name: String

  /// Refers to a named counter.
  public static func counter(_ name: String) -> ObjectReference {
    ObjectReference(type: 1, name: name)
  }

  /// Refers to named conntrack timeouts.
  public static func conntrackTimeout(_ name: String) -> ObjectReference {
    ObjectReference(type: 7, name: name)
  }

  /// Makes a reference.
  public init(type: UInt32, name: String) {
    self.type = type
    self.name = name
  }
}
