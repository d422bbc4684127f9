public import NetworkTypes

/// Everything nf_tables holds: what the compiler made, or what was read back from a kernel.
public struct Ruleset: Hashable, Sendable {
  /// The tables, in the order they were made.
  public var tables: [Table]

  /// Makes a ruleset.
  public init(tables: [Table] = []) { self.tables = tables }
}

/// The family of a table, nft(8)'s sense: `inet` is IPv4 and IPv6 together.
///
/// Source: `enum nfproto`, `linux/netfilter.h`.
public enum TableFamily: UInt8, Hashable, Sendable, CaseIterable {
  /// IPv4 and IPv6, `NFPROTO_INET`.
  case inet = 1
  /// IPv4.
  case ip = 2
  /// ARP.
  case arp = 3
  /// Devices, `NFPROTO_NETDEV`.
  case netdev = 5
  /// Bridges.
  case bridge = 7
  /// IPv6.
  case ip6 = 10

  /// The word nft(8) uses.
  public var keyword: String {
    switch self {
    case .inet: "inet"
    case .ip: "ip"
    case .arp: "arp"
    case .netdev: "netdev"
    case .bridge: "bridge"
    case .ip6: "ip6"
    }
  }
}

/// A table: a name space for chains, sets and named objects.
public struct Table: Hashable, Sendable {
  /// The family.
  public var family: TableFamily
  /// The name, unique within the family.
  public var name: String
  /// `NFT_TABLE_F_*`: 1 dormant, 2 owner, 4 persist.
  public var flags: UInt32
  /// The netlink port of the program that owns it; nil when nobody does.
  public var owner: UInt32?
  /// The comment that `nft list` shows.
  public var comment: String?
  /// Named counters, in order of making.
  public var counters: [NamedCounter]
  /// Named objects that are no counters, in order of making.
  public var objects: [NamedObject]
  /// Flowtables.
  public var flowtables: [Flowtable]
  /// Named sets and maps, and anonymous ones (named `__set0`, `__map0`, …).
  public var sets: [NamedSet]
  /// Base chains and regular chains.
  public var chains: [Chain]
  /// What was read of the table itself but is not modelled; see ``allUnknown``.
  public var unknown: [UnknownItem]

  /// Makes a table.
  public init(
    family: TableFamily, name: String, flags: UInt32 = 0, owner: UInt32? = nil,
    comment: String? = nil, counters: [NamedCounter] = [], objects: [NamedObject] = [],
    flowtables: [Flowtable] = [], sets: [NamedSet] = [], chains: [Chain] = [],
    unknown: [UnknownItem] = []
  ) {
    self.family = family
    self.name = name
    self.flags = flags
    self.owner = owner
    self.comment = comment
    self.counters = counters
    self.objects = objects
    self.flowtables = flowtables
    self.sets = sets
    self.chains = chains
    self.unknown = unknown
  }

  /// What was read of the table and of anything in it but is not modelled.
  ///
  /// Unknown expressions of rules are not among it; they stand in their rules.
  public var allUnknown: [UnknownItem] {
    unknown + objects.flatMap(\.unknown) + flowtables.flatMap(\.unknown)
      + sets.flatMap(\.unknown) + chains.flatMap(\.unknown)
  }
}

/// Something a kernel reported that this model does not know, with its bytes.
public struct UnknownItem: Hashable, Sendable {
  /// What it is, for people: `flowtable`, `object type 3`, `set attribute 21`.
  public var kind: String
  /// The attribute payload as the kernel sent it.
  public var bytes: [UInt8]

  /// Makes an item.
  public init(kind: String, bytes: [UInt8]) {
    self.kind = kind
    self.bytes = bytes
  }
}

/// A named counter object.
public struct NamedCounter: Hashable, Sendable {
  /// The name, unique among the table's counters.
  public var name: String
  /// The comment that `nft list` shows.
  public var comment: String?
  /// Packets counted.
  public var packets: UInt64
  /// Bytes counted, layer 3 length.
  public var bytes: UInt64

  /// Makes a counter, at zero by default.
  public init(name: String, comment: String? = nil, packets: UInt64 = 0, bytes: UInt64 = 0) {
    self.name = name
    self.comment = comment
    self.packets = packets
    self.bytes = bytes
  }
}

/// A rule: expressions evaluated left to right until one breaks or gives a verdict.
public struct Rule: Hashable, Sendable {
  /// The expressions.
  public var expressions: [Expression]
  /// The comment that `nft list` shows; at most 128 bytes, no quote, no newline.
  public var comment: String?
  /// The kernel's handle, when read from one.
  public var handle: UInt64?
  /// Which policy line it came from, when the compiler made it.
  public var provenance: Provenance?

  /// Makes a rule.
  public init(
    _ expressions: [Expression], comment: String? = nil, handle: UInt64? = nil,
    provenance: Provenance? = nil
  ) {
    self.expressions = expressions
    self.comment = comment
    self.handle = handle
    self.provenance = provenance
  }
}

/// Which part of a policy a kernel object came from.
public struct Provenance: Hashable, Sendable {
  /// The clause.
  public var clause: String
  /// Where the clause is written; nil for a built-in one.
  public var location: SourceLocation?

  /// Makes a provenance.
  public init(clause: String, location: SourceLocation? = nil) {
    self.clause = clause
    self.location = location
  }
}
