/// Which way ``Shift`` moves.
///
/// Source: `enum nft_bitwise_ops`.
public enum ShiftDirection: UInt32, Hashable, Sendable, CaseIterable {
  /// `NFT_BITWISE_LSHIFT`, `<<`.
  case left = 1
  /// `NFT_BITWISE_RSHIFT`, `>>`.
  case right = 2
}

/// Shifts register words, each in host order, word i - 1 more significant than word i.
///
/// Source: `nft_bitwise_eval_lshift`, `nft_bitwise_eval_rshift`, `net/netfilter/nft_bitwise.c`.
public struct Shift: Hashable, Sendable {
  /// Which way.
  public var direction: ShiftDirection
  /// Where from.
  public var source: Register
  /// Where to.
  public var destination: Register
  /// The operand's length in bytes.
  public var lengthBytes: UInt32
  /// By how many bits, 1…31.
  public var bits: UInt32

  /// Makes it.
  public init(
    _ direction: ShiftDirection, source: Register, destination: Register, lengthBytes: UInt32,
    bits: UInt32
  ) {
    self.direction = direction
    self.source = source
    self.destination = destination
    self.lengthBytes = lengthBytes
    self.bits = bits
  }
}
