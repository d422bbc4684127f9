/// A chain; a base chain when ``hook`` is set.
public struct Chain: Hashable, Sendable {
  /// The name, unique within the table.
  public var name: String
  /// Where packets enter; nil for a regular chain.
  public var hook: HookBinding?
  /// `NFT_CHAIN_*`: 2 hardware offload, 4 bound to the rule that jumps there; without 1, base chain.
  public var flags: UInt32
  /// What the base chain's policy has counted, where counting is on.
  public var counter: Counter?
  /// The comment that `nft list` shows.
  public var comment: String?
  /// The rules in order.
  public var rules: [Rule]
  /// The kernel's handle, when read from one.
  public var handle: UInt64?
  /// What was read of it but is not modelled.
  public var unknown: [UnknownItem]

  /// Makes a chain.
  public init(
    name: String, hook: HookBinding? = nil, flags: UInt32 = 0, counter: Counter? = nil,
    comment: String? = nil, rules: [Rule] = [], handle: UInt64? = nil,
    unknown: [UnknownItem] = []
  ) {
    self.name = name
    self.hook = hook
    self.flags = flags
    self.counter = counter
    self.comment = comment
    self.rules = rules
    self.handle = handle
    self.unknown = unknown
  }
}

/// What makes a chain a base chain.
public struct HookBinding: Hashable, Sendable {
  /// `filter`, `nat` or `route`.
  public var type: String
  /// The hook.
  public var hook: Hook
  /// The priority; lower runs first.
  public var priority: Int32
  /// What happens to a packet that falls off the end: `.accept` or `.drop`.
  public var policy: Verdict
  /// The devices whose packets it sees (netdev, inet ingress), in the kernel's order.
  public var devices: [String]

  /// Makes a binding.
  public init(
    type: String = "filter", hook: Hook, priority: Int32, policy: Verdict, devices: [String] = []
  ) {
    self.type = type
    self.hook = hook
    self.priority = priority
    self.policy = policy
    self.devices = devices
  }
}

/// A netfilter hook of any family.
///
/// The raw values are those of the ip, ip6 and inet families, and of weir's own beyond. The numbers
/// of netlink differ by family: ``init(number:family:)`` and ``number(in:)``.
///
/// Source: `enum nf_inet_hooks`, `enum nf_dev_hooks`, `linux/netfilter.h`; `linux/netfilter_arp.h`;
/// `linux/netfilter_bridge.h`.
public enum Hook: UInt32, Hashable, Sendable, CaseIterable {
  /// `NF_INET_PRE_ROUTING`.
  case prerouting = 0
  /// `NF_INET_LOCAL_IN`.
  case input = 1
  /// `NF_INET_FORWARD`.
  case forward = 2
  /// `NF_INET_LOCAL_OUT`.
  case output = 3
  /// `NF_INET_POST_ROUTING`.
  case postrouting = 4
  /// `NF_INET_INGRESS`, `NF_NETDEV_INGRESS`.
  case ingress = 5
  /// `NF_NETDEV_EGRESS`.
  case egress = 6
  /// A number that the family does not have; the chain's `unknown` holds it.
  case unknown = 7

  /// The hook of a number in netlink; ``unknown`` when the family has no such hook.
  public init(number: UInt32, family: TableFamily) {
    let all = Hook.hooks(of: family)
    self = number < all.count ? all[Int(number)] : .unknown
  }

  /// The number in netlink; nil when the family has no such hook.
  public func number(in family: TableFamily) -> UInt32? {
    Hook.hooks(of: family).firstIndex(of: self).map(UInt32.init)
  }

  private static func hooks(of family: TableFamily) -> [Hook] {
    switch family {
    case .inet: [.prerouting, .input, .forward, .output, .postrouting, .ingress]
    case .ip, .ip6, .bridge: [.prerouting, .input, .forward, .output, .postrouting]
    case .arp: [.input, .output, .forward]
    case .netdev: [.ingress, .egress]
    }
  }
}
