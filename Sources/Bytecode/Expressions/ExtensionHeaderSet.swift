/// Writes register bytes into a TCP option; breaks when the option is missing.
///
/// Source: `nft_exthdr_tcp_set_eval`, `net/netfilter/nft_exthdr.c`.
public struct ExtensionHeaderSet: Hashable, Sendable {
  /// `NFT_EXTHDR_OP_*`, as in ``ExtensionHeaderLoad``; the kernel knows 1, TCP option.
  public var operation: UInt32
  /// The option number.
  public var type: UInt8
  /// Bytes from the option's start.
  public var offsetBytes: UInt32
  /// How many bytes.
  public var lengthBytes: UInt32
  /// Where from.
  public var source: Register

  /// Makes it.
  public init(
    operation: UInt32, type: UInt8, offsetBytes: UInt32, lengthBytes: UInt32, from source: Register
  ) {
    self.operation = operation
    self.type = type
    self.offsetBytes = offsetBytes
    self.lengthBytes = lengthBytes
    self.source = source
  }
}

/// Overwrites a TCP option with no-operations; drops a packet that it cannot change.
///
/// Source: `nft_exthdr_tcp_strip_eval`, `net/netfilter/nft_exthdr.c`.
public struct ExtensionHeaderReset: Hashable, Sendable {
  /// `NFT_EXTHDR_OP_*`, as in ``ExtensionHeaderLoad``; the kernel knows 1, TCP option.
  public var operation: UInt32
  /// The option number.
  public var type: UInt8

  /// Makes it.
  public init(
    operation: UInt32, type: UInt8
  ) {
    self.operation = operation
    self.type = type
  }
}
