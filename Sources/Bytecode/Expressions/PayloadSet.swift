/// The checksum that a write repairs at ``PayloadSet/checksumOffset``.
///
/// Source: `enum nft_payload_csum_types`, `linux/netfilter/nf_tables.h`.
public enum PayloadChecksum: UInt32, Hashable, Sendable, CaseIterable {
  /// None.
  case none = 0
  /// The Internet checksum of the header written to.
  case internet = 1
  /// The CRC32c of SCTP.
  case sctp = 2
}

/// Writes register bytes into the packet and repairs its checksums; breaks when the packet is too short.
///
/// Source: `nft_payload_set_eval`, `net/netfilter/nft_payload.c`.
public struct PayloadSet: Hashable, Sendable {
  /// Where the offset counts from.
  public var base: PayloadBase
  /// Bytes from the base.
  public var offsetBytes: UInt32
  /// How many bytes.
  public var lengthBytes: UInt32
  /// Where from.
  public var source: Register
  /// Which checksum of the header is repaired.
  public var checksum: PayloadChecksum
  /// Where that checksum stands, in bytes from the base.
  public var checksumOffset: UInt32
  /// `NFT_PAYLOAD_L4CSUM_PSEUDOHDR` 1: the layer-4 checksum covers the bytes as well.
  public var checksumFlags: UInt32

  /// Makes it.
  public init(
    _ base: PayloadBase, offsetBytes: UInt32, lengthBytes: UInt32, from source: Register,
    checksum: PayloadChecksum = .none, checksumOffset: UInt32 = 0, checksumFlags: UInt32 = 0
  ) {
    self.base = base
    self.offsetBytes = offsetBytes
    self.lengthBytes = lengthBytes
    self.source = source
    self.checksum = checksum
    self.checksumOffset = checksumOffset
    self.checksumFlags = checksumFlags
  }
}
