/// Loads bytes of an IPv6 extension header, a TCP option or an IPv4 option, or its presence.
///
/// The value form breaks when the header is missing; the presence form stores 0 or 1. Both break
/// when the packet is of another family.
///
/// Source: `nft_exthdr_ipv6_eval`, `nft_exthdr_ipv4_eval`, `net/netfilter/nft_exthdr.c`.
/// Example: `exthdr rt exists` is operation 0, type 43, offset 0, length 1, presence.
public struct ExtensionHeaderLoad: Hashable, Sendable {
  /// `NFT_EXTHDR_OP_*`: 0 IPv6, 1 TCP option, 2 IPv4 option, 3 SCTP.
  public var operation: UInt32
  /// The header or option number: 43 routing, 44 fragment, 131 LSRR, 137 SSRR.
  public var type: UInt8
  /// Bytes from the header's start.
  public var offsetBytes: UInt32
  /// How many bytes.
  public var lengthBytes: UInt32
  /// Whether to store presence (`NFT_EXTHDR_F_PRESENT`) instead of the bytes.
  public var isPresence: Bool
  /// Where to.
  public var destination: Register

  /// Makes a load.
  public init(
    operation: UInt32, type: UInt8, offsetBytes: UInt32, lengthBytes: UInt32, isPresence: Bool,
    into destination: Register
  ) {
    self.operation = operation
    self.type = type
    self.offsetBytes = offsetBytes
    self.lengthBytes = lengthBytes
    self.isPresence = isPresence
    self.destination = destination
  }
}
