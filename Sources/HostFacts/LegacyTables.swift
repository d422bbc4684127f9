/// Tables of the old programs, which `nft list ruleset` does not show.
///
/// Source: `/proc/net/ip_tables_names` and its siblings, `net/netfilter/x_tables.c`.
public struct LegacyTables: Hashable, Sendable, Codable {
  /// Of iptables-legacy: `filter`, `nat`, `mangle`, `raw`, `security`.
  public var ip: Fact<[String]>
  /// Of ip6tables-legacy.
  public var ip6: Fact<[String]>
  /// Of arptables-legacy.
  public var arp: Fact<[String]>
  /// Of ebtables-legacy; none where the namespace has no bridge, since they see nothing then.
  public var bridge: Fact<[String]>

  /// Makes the four lists.
  public init(
    ip: Fact<[String]>, ip6: Fact<[String]>, arp: Fact<[String]>, bridge: Fact<[String]>
  ) {
    self.ip = ip
    self.ip6 = ip6
    self.arp = arp
    self.bridge = bridge
  }
}
