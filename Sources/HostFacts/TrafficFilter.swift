/// A classifier of traffic control; it may drop, rewrite or redirect packets.
///
/// Source: `struct tcmsg` and `TCA_*`, `linux/rtnetlink.h`.
public struct TrafficFilter: Hashable, Sendable, Codable {
  /// The link.
  public var link: Int32
  /// Where on the link: 0xfffffff2 ingress, 0xfffffff3 egress, else a queueing discipline's handle.
  public var parent: UInt32
  /// The classifier, such as `bpf`, `u32` or `matchall`.
  public var kind: String
  /// The EtherType it looks at, host order; 3 for all.
  public var etherType: UInt16
  /// Lower is asked first.
  public var priority: UInt16
  /// The name of a program, for the kind `bpf`.
  public var program: String?
  /// The kinds of its actions, such as `mirred`, in order; empty where it has none that it lists.
  public var actions: [String]

  /// Makes a filter.
  public init(
    link: Int32, parent: UInt32, kind: String, etherType: UInt16 = 3, priority: UInt16 = 0,
    program: String? = nil, actions: [String] = []
  ) {
    self.link = link
    self.parent = parent
    self.kind = kind
    self.etherType = etherType
    self.priority = priority
    self.program = program
    self.actions = actions
  }
}
