public import NetworkTypes

/// How a kernel reads odd packets, where kernels differ.
///
/// Source: `nft_payload_fast_eval`, `net/netfilter/nf_tables_core.c`; seen on Linux 6.18.44, read
/// for 7.3.
public struct KernelQuirks: Hashable, Sendable {
  /// Whether aligned transport loads of 1, 2 or 4 bytes read later fragments too; those of IPv6
  /// then read the IPv6 header.
  public var readsLaterFragments: Bool

  /// Makes a set of quirks.
  public init(readsLaterFragments: Bool) { self.readsLaterFragments = readsLaterFragments }

  /// Linux 6.12 to 6.18.
  public static let linux6_18 = KernelQuirks(readsLaterFragments: true)
  /// Linux 7.3.
  public static let linux7_3 = KernelQuirks(readsLaterFragments: false)
}

/// A network link as rules see it.
public struct Link: Hashable, Sendable {
  /// The index, from 1.
  public var index: UInt32
  /// The name, at most 15 bytes.
  public var name: String

  /// Makes a link.
  public init(index: UInt32, name: String) {
    self.index = index
    self.name = name
  }

  /// The loopback link that every network namespace has.
  public static let loopback = Link(index: 1, name: "lo")
}

/// What is known about a host beside its rules; what is not stated is taken as possible.
public struct AnalysisFacts: Hashable, Sendable {
  /// The kernel's quirks.
  public var kernel: KernelQuirks
  /// Every link there is, or nil when they are not known.
  public var links: [Link]?
  /// The addresses that routes call local, or nil when they are not known; 127.0.0.0/8 and ::1
  /// belong to them.
  public var localAddresses: AddressSet?
  /// The directed broadcast addresses of all links, or nil when they are not known.
  public var broadcastAddresses: IntervalSet<UInt32>?
  /// Whether fragments of a flow can reach rules: nothing puts them together, or a raw socket asked
  /// for that (`IP_NODEFRAG`, which needs CAP_NET_RAW).
  public var hasLoneFragments = true

  /// Makes facts; by default those of an unknown host that runs Linux 6.18.
  public init(
    kernel: KernelQuirks = .linux6_18, links: [Link]? = nil,
    localAddresses: AddressSet? = nil, broadcastAddresses: IntervalSet<UInt32>? = nil
  ) {
    self.kernel = kernel
    self.links = links
    self.localAddresses = localAddresses
    self.broadcastAddresses = broadcastAddresses
  }
}
