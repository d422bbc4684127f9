/// Which hash ``Hash`` computes.
///
/// Source: `enum nft_hash_types`.
public enum HashKind: UInt32, Hashable, Sendable, CaseIterable {
  /// Jenkins' hash of register bytes, `jhash`.
  case jenkins = 0
  /// A hash of the flow, the same both ways, `symhash`.
  case symmetric = 1

  /// The word nft(8) uses.
  public var keyword: String {
    switch self {
    case .jenkins: "jhash"
    case .symmetric: "symhash"
    }
  }
}

/// Stores a hash, 4 bytes host order, from `offset` to `offset + modulus - 1`.
///
/// Source: `net/netfilter/nft_hash.c`.
public struct Hash: Hashable, Sendable {
  /// Which hash.
  public var kind: HashKind
  /// The first word that is hashed (Jenkins).
  public var source: Register?
  /// How many bytes are hashed (Jenkins).
  public var lengthBytes: UInt32
  /// How many values there are.
  public var modulus: UInt32
  /// The seed, when the rule gave one (Jenkins).
  public var seed: UInt32?
  /// The lowest value.
  public var offset: UInt32
  /// Where to.
  public var destination: Register

  /// Makes it.
  public init(
    _ kind: HashKind, source: Register? = nil, lengthBytes: UInt32 = 0, modulus: UInt32,
    seed: UInt32? = nil, offset: UInt32 = 0, into destination: Register
  ) {
    self.kind = kind
    self.source = source
    self.lengthBytes = lengthBytes
    self.modulus = modulus
    self.seed = seed
    self.offset = offset
    self.destination = destination
  }
}
