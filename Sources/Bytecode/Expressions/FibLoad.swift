/// Asks the routing table about the packet's address.
///
/// Source: `net/netfilter/nft_fib*.c`; results `NFT_FIB_RESULT_*`, flags `NFTA_FIB_F_*`.
/// Example: `fib daddr type` is result 3, flags 2; it stores an `RTN_*` number, 4 bytes host order
/// (1 unicast, 2 local, 3 broadcast, 5 multicast).
public struct FibLoad: Hashable, Sendable {
  /// 1 oif, 2 oifname, 3 address type.
  public var result: UInt32
  /// 1 saddr, 2 daddr, 4 mark, 8 iif, 16 oif, 32 presence.
  public var flags: UInt32
  /// Where to.
  public var destination: Register

  /// Makes a query.
  public init(result: UInt32, flags: UInt32, into destination: Register) {
    self.result = result
    self.flags = flags
    self.destination = destination
  }
}
