/// Drops the packet and answers its sender.
///
/// Source: `enum nft_reject_types`, `linux/netfilter/nf_tables.h`; `net/netfilter/nft_reject_inet.c`.
public struct Reject: Hashable, Sendable {
  /// 0 ICMP unreachable of the packet's own family, 1 TCP reset, 2 ICMP code of both families.
  public var type: UInt32
  /// The ICMP code, or the `NFT_REJECT_ICMPX_*` code (3 is admin-prohibited); 0 for a reset.
  public var code: UInt8

  /// TCP reset.
  public static let tcpReset = Reject(type: 1, code: 0)
  /// ICMP or ICMPv6 administratively prohibited.
  public static let adminProhibited = Reject(type: 2, code: 3)

  /// Makes a rejection.
  public init(type: UInt32, code: UInt8) {
    self.type = type
    self.code = code
  }
}
