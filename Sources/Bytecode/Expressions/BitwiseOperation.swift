/// How ``BitwiseOperation`` combines.
///
/// Source: `enum nft_bitwise_ops`, Linux 6.13 and later.
public enum BitwiseOperator: UInt32, Hashable, Sendable, CaseIterable {
  /// `NFT_BITWISE_AND`, `&`.
  case and = 3
  /// `NFT_BITWISE_OR`, `|`.
  case or = 4
  /// `NFT_BITWISE_XOR`, `^`.
  case xor = 5

  /// The sign `nft --debug=netlink` prints.
  public var keyword: String {
    switch self {
    case .and: "&"
    case .or: "|"
    case .xor: "^"
    }
  }
}

/// The right side of a ``BitwiseOperation``.
public enum BitwiseOperand: Hashable, Sendable {
  /// A second register, `NFTA_BITWISE_SREG2`.
  case register(Register)
  /// A constant as long as the operation, `NFTA_BITWISE_DATA`.
  case data([UInt8])
}

/// `destination = source op operand`, on whole words.
///
/// Source: `nft_bitwise_eval`, `net/netfilter/nft_bitwise.c`, Linux 6.13 and later.
public struct BitwiseOperation: Hashable, Sendable {
  /// Which operation.
  public var operation: BitwiseOperator
  /// The left side.
  public var source: Register
  /// The right side.
  public var operand: BitwiseOperand
  /// Where to.
  public var destination: Register
  /// The operands' length in bytes.
  public var lengthBytes: UInt32

  /// Makes it.
  public init(
    _ operation: BitwiseOperator, source: Register, operand: BitwiseOperand, destination: Register,
    lengthBytes: UInt32
  ) {
    self.operation = operation
    self.source = source
    self.operand = operand
    self.destination = destination
    self.lengthBytes = lengthBytes
  }
}
