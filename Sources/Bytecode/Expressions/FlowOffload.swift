/// Puts the flow into a flowtable, whose later packets skip the forward path; breaks when it cannot.
///
/// Source: `nft_flow_offload_eval`, `net/netfilter/nft_flow_offload.c`.
public struct FlowOffload: Hashable, Sendable {
  /// The flowtable's name.
  public var flowtable: String

  /// Makes it.
  public init(
    _ flowtable: String
  ) {
    self.flowtable = flowtable
  }
}
