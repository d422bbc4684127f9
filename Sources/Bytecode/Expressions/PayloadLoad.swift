/// Where a payload offset counts from.
///
/// Source: `enum nft_payload_bases`, `linux/netfilter/nf_tables.h`.
public enum PayloadBase: UInt32, Hashable, Sendable, CaseIterable {
  /// The link-layer header.
  case link = 0
  /// The IPv4 or IPv6 header.
  case network = 1
  /// The layer-4 header.
  case transport = 2
  /// The layer-4 payload.
  case inner = 3
  /// The header of a tunnel, only within ``Inner``.
  case tunnel = 4
}

/// Loads packet bytes into a register, in packet order.
///
/// Breaks the rule, without a verdict and even when negated, when the packet is too short, has no
/// such header, or is a later fragment (transport base).
///
/// Source: `nft_payload_eval`, `net/netfilter/nft_payload.c`.
/// Example: `tcp dport` is `transport`, offset 2, length 2.
public struct PayloadLoad: Hashable, Sendable {
  /// Where the offset counts from.
  public var base: PayloadBase
  /// Bytes from the base, 0…65535.
  public var offsetBytes: UInt32
  /// How many bytes, 1…16.
  public var lengthBytes: UInt32
  /// Where to, left aligned; the rest of the last word becomes zero.
  public var destination: Register

  /// Makes a load.
  public init(
    _ base: PayloadBase, offsetBytes: UInt32, lengthBytes: UInt32, into destination: Register
  ) {
    self.base = base
    self.offsetBytes = offsetBytes
    self.lengthBytes = lengthBytes
    self.destination = destination
  }
}
