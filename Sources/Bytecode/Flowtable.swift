/// A flowtable: flows in it skip the forward path.
///
/// Source: `nf_tables_fill_flowtable_info`, `net/netfilter/nf_tables_api.c`.
public struct Flowtable: Hashable, Sendable {
  /// The name, unique within the table.
  public var name: String
  /// The hook; ``Hook/unknown`` for any number but that of ingress.
  public var hook: Hook
  /// The priority of its hook.
  public var priority: Int32
  /// The devices whose packets it sees, in the kernel's order.
  public var devices: [String]
  /// `NFT_FLOWTABLE_*`: 1 hardware offload, 2 counter.
  public var flags: UInt32
  /// The kernel's handle, when read from one.
  public var handle: UInt64?
  /// What was read of it but is not modelled.
  public var unknown: [UnknownItem]

  /// Makes a flowtable.
  public init(
    name: String, hook: Hook = .ingress, priority: Int32, devices: [String], flags: UInt32 = 0,
    handle: UInt64? = nil, unknown: [UnknownItem] = []
  ) {
    self.name = name
    self.hook = hook
    self.priority = priority
    self.devices = devices
    self.flags = flags
    self.handle = handle
    self.unknown = unknown
  }
}
