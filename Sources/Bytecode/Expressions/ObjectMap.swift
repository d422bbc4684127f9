/// Uses the named object that a map of the same table holds for a key; breaks on a miss.
///
/// Source: `nft_objref_map_eval`, `net/netfilter/nft_objref.c`.
public struct ObjectMap: Hashable, Sendable {
  /// The first word of the key.
  public var source: Register
  /// The map's name.
  public var set: String

  /// Makes it.
  public init(
    _ source: Register, in set: String
  ) {
    self.source = source
    self.set = set
  }
}
