/// `destination = (source & mask) ^ xor`, on whole words.
///
/// Source: `nft_bitwise_eval_bool`, `net/netfilter/nft_bitwise.c`.
public struct Bitwise: Hashable, Sendable {
  /// Where from.
  public var source: Register
  /// Where to.
  public var destination: Register
  /// The mask; its length is the operand's, 1…16 bytes.
  public var mask: [UInt8]
  /// The xor value, as long as the mask.
  public var xor: [UInt8]

  /// Makes an operation; `xor` is zero by default.
  public init(source: Register, destination: Register, mask: [UInt8], xor: [UInt8]? = nil) {
    self.source = source
    self.destination = destination
    self.mask = mask
    self.xor = xor ?? [UInt8](repeating: 0, count: mask.count)
  }
}

/// Swaps a register between host and network order.
///
/// Source: `nft_byteorder_eval`, `net/netfilter/nft_byteorder.c`.
public struct Byteorder: Hashable, Sendable {
  /// Where from.
  public var source: Register
  /// Where to.
  public var destination: Register
  /// 0 network to host, 1 host to network.
  public var operation: UInt32
  /// Operand length in bytes.
  public var lengthBytes: UInt32
  /// Element size in bytes: 2, 4 or 8.
  public var sizeBytes: UInt32

  /// Makes an operation.
  public init(
    source: Register, destination: Register, operation: UInt32, lengthBytes: UInt32,
    sizeBytes: UInt32
  ) {
    self.source = source
    self.destination = destination
    self.operation = operation
    self.lengthBytes = lengthBytes
    self.sizeBytes = sizeBytes
  }
}
