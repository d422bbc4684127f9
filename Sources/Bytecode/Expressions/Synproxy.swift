/// Answers TCP handshakes in place of the server; takes the packet, drops it or breaks.
///
/// Source: `net/netfilter/nft_synproxy.c`.
public struct Synproxy: Hashable, Sendable {
  /// The MSS offered.
  public var maximumSegmentSize: UInt16
  /// The window scale offered.
  public var windowScale: UInt8
  /// `NF_SYNPROXY_OPT_*`: 1 MSS, 2 window scale, 4 SACK, 8 timestamp.
  public var flags: UInt32

  /// Makes it.
  public init(
    maximumSegmentSize: UInt16, windowScale: UInt8, flags: UInt32
  ) {
    self.maximumSegmentSize = maximumSegmentSize
    self.windowScale = windowScale
    self.flags = flags
  }
}
