/// Looks register bytes up in a set or map of the same table.
///
/// Without a destination a hit goes on and a miss breaks (the other way round when inverted). With
/// one, a hit stores the element's data there; with the verdict register it ends the rule.
///
/// Source: `nft_lookup_eval`, `net/netfilter/nft_lookup.c`.
public struct Lookup: Hashable, Sendable {
  /// The set's name.
  public var set: String
  /// The first word of the key.
  public var source: Register
  /// Where the data goes; nil for a membership test.
  public var destination: Register?
  /// Whether a miss goes on and a hit breaks.
  public var isInverted: Bool

  /// Makes a lookup.
  public init(
    _ source: Register, in set: String, destination: Register? = nil, isInverted: Bool = false
  ) {
    self.set = set
    self.source = source
    self.destination = destination
    self.isInverted = isInverted
  }
}
