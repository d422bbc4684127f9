/// How a kernel reads odd packets, where kernels differ.
///
/// Source: `nft_payload_fast_eval`, `net/netfilter/nf_tables_core.c`; `ipv6_find_hdr`,
/// `net/ipv6/exthdrs_core.c`; the differences were seen with packets on Linux 6.18.44.
public struct KernelBehaviour: Hashable, Sendable {
  /// Whether aligned transport loads of 1, 2 or 4 bytes read later fragments too.
  ///
  /// The transport offset of a later IPv6 fragment is 0, so that they read its IPv6 header.
  public var readsLaterFragments: Bool
  /// Whether an IPv6 extension header longer than the packet still leads to a layer-4 protocol.
  public var followsOverlongHeaders: Bool

  /// Makes a behaviour.
  public init(readsLaterFragments: Bool, followsOverlongHeaders: Bool) {
    self.readsLaterFragments = readsLaterFragments
    self.followsOverlongHeaders = followsOverlongHeaders
  }

  /// Linux 6.12.
  public static let linux6_12 = KernelBehaviour(
    readsLaterFragments: true, followsOverlongHeaders: false)
  /// Linux 6.18.
  public static let linux6_18 = KernelBehaviour(
    readsLaterFragments: true, followsOverlongHeaders: true)
  /// Linux 7.3.
  public static let linux7_3 = KernelBehaviour(
    readsLaterFragments: false, followsOverlongHeaders: false)
}
