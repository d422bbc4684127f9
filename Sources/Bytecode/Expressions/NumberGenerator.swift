/// How ``NumberGenerator`` goes on.
///
/// Source: `enum nft_ng_types`.
public enum NumberGeneratorKind: UInt32, Hashable, Sendable, CaseIterable {
  /// One after the other, `inc`.
  case incremental = 0
  /// At random, `random`.
  case random = 1

  /// The word nft(8) uses.
  public var keyword: String {
    switch self {
    case .incremental: "inc"
    case .random: "random"
    }
  }
}

/// Stores a number, 4 bytes host order, from `offset` to `offset + modulus - 1` (`numgen`).
///
/// Source: `net/netfilter/nft_numgen.c`.
public struct NumberGenerator: Hashable, Sendable {
  /// How it goes on.
  public var kind: NumberGeneratorKind
  /// How many values there are.
  public var modulus: UInt32
  /// The lowest value.
  public var offset: UInt32
  /// Where to.
  public var destination: Register

  /// Makes it.
  public init(
    _ kind: NumberGeneratorKind, modulus: UInt32, offset: UInt32 = 0, into destination: Register
  ) {
    self.kind = kind
    self.modulus = modulus
    self.offset = offset
    self.destination = destination
  }
}
