/// Stores the name of the operating system that a SYN looks like, 16 bytes (`osf`); breaks for other packets.
///
/// Source: `net/netfilter/nft_osf.c`.
public struct FingerprintLoad: Hashable, Sendable {
  /// How the TTL is judged: 0 below the fingerprint's on the same link, 1 less, 2 ignored.
  public var ttl: UInt8
  /// 1 adds the version to the name.
  public var flags: UInt32
  /// Where to.
  public var destination: Register

  /// Makes it.
  public init(
    ttl: UInt8 = 0, flags: UInt32 = 0, into destination: Register
  ) {
    self.ttl = ttl
    self.flags = flags
    self.destination = destination
  }
}
