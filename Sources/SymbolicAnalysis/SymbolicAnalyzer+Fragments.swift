import Bytecode
import NetworkTypes
package import PacketSets

/// What reassembly makes of IPv6 fragments before rules see them.
///
/// Source: `nf_ct_frag6_gather`, `nf_ct_frag6_queue`,
/// `net/ipv6/netfilter/nf_conntrack_reasm.c`; `ipv6frag_thdr_truncated`, `net/ipv6/reassembly.c`.
extension SymbolicAnalyzer {
  /// IPv6 packets whose fragment header no rule sees, since they are whole and lose it.
  ///
  /// So where a rule has the kernel track connections, and no chain looks before reassembly.
  mutating func strippedFragments() throws(PacketSetError) -> Diagram {
    guard tracksIPv6, chainsBeforeReassembly.isEmpty else { return .nothing }
    let whole = try diagrams.intersection(
      diagrams.set(.family, 1), diagrams.set(.fragment, 0x8000))
    guard host.hasLoneFragments else { return whole }
    return try diagrams.difference(whole, truncatedFragments())
  }

  /// IPv6 fragments that reassembly may keep from the rules, or pass on in another form.
  ///
  /// Not among them are those that it passes on as they are: a first fragment that ends before its
  /// upper-layer header does, and one that others must follow whose length is no multiple of 8.
  /// What is not among them reaches the rules, if the lengths in its headers are right.
  package mutating func keepableFragments() throws(PacketSetError) -> Diagram {
    guard tracksIPv6 else { return .nothing }
    let fragments = try diagrams.intersection(
      diagrams.set(.family, 1), set(.fragment, [0x8000...0xffff]))
    let passed = try diagrams.union(truncatedFragments(), unevenFragments())
    return try diagrams.difference(fragments, passed)
  }

  /// First IPv6 fragments, whole packets too, that end before their upper-layer header does.
  ///
  /// Where an authentication header ends the walk, what comes behind it is not known.
  private mutating func truncatedFragments() throws(PacketSetError) -> Diagram {
    let first = try diagrams.intersection(
      diagrams.set(.family, 1), set(.fragment, [0x8000...0x8000, 0xa000...0xa000]))
    let known: [ClosedRange<UInt32>] = [6...6, 17...17, 51...51, 58...59, 256...256]
    let others = try diagrams.complement(set(.transportProtocol, known))
    let short = try diagrams.union([
      diagrams.intersection(
        diagrams.set(.transportProtocol, 6), set(.transportLength, [0...19])),
      diagrams.intersection(
        set(.transportProtocol, [17...17, 58...58]), set(.transportLength, [0...7])),
      diagrams.intersection(others, diagrams.set(.transportLength, 0)),
    ])
    return try diagrams.intersection(first, short)
  }

  /// IPv6 fragments that others must follow, of a length that is no multiple of 8.
  ///
  /// All headers between a fragment header and its upper-layer header have such a length. A fragment
  /// that reaches beyond the 65535 bytes of a packet is dropped before that.
  private mutating func unevenFragments() throws(PacketSetError) -> Diagram {
    let uneven = (0..<8 as Range<UInt32>).map { $0 * 8 + 1...$0 * 8 + 7 }
    return try diagrams.intersection([
      diagrams.set(.family, 1), set(.fragment, [0xa000...0xbf00]),
      set(.transportProtocol, [0...50, 52...255]), set(.transportLength, uneven),
    ])
  }

  private mutating func set(
    _ field: PacketField, _ values: [ClosedRange<UInt32>]
  ) throws(PacketSetError) -> Diagram {
    try diagrams.set(field, IntervalSet(values.map { Interval($0.lowerBound, $0.upperBound) }))
  }

  /// Whether a rule certainly has the kernel track IPv6 connections.
  private var tracksIPv6: Bool {
    ruleset.tables.contains { table in
      table.chains.contains { chain in
        chain.rules.contains { rule in
          rule.expressions.contains { $0.tracksIPv6(in: table.family) }
        }
      }
    }
  }

  /// Base chains that see IPv6 packets before they are put together (priority -400).
  var chainsBeforeReassembly: [String] {
    guard tracksIPv6 else { return [] }
    return ruleset.tables.filter { !$0.isDormant && [.inet, .ip6].contains($0.family) }
      .flatMap { table in
        table.chains.filter { chain in
          guard let hook = chain.hook else { return false }
          return [.output, .prerouting].contains(hook.hook) && hook.priority <= -400
        }.map { "\(table.label) \($0.name): a chain ahead of the reassembly of fragments" }
      }
  }
}

extension Expression {
  /// Whether the expression has the kernel track IPv6 connections.
  ///
  /// Source: calls of `nf_ct_netns_get`, `net/netfilter`.
  fileprivate func tracksIPv6(in family: TableFamily) -> Bool {
    let isSeen = family == .inet || family == .ip6
    switch self {
    case .ct, .ctSet, .redirect, .masquerade, .connectionLimit, .synproxy, .flowOffload:
      return isSeen
    case .nat(let nat): return nat.family == .inet || nat.family == .ip6
    case .dynamicSet(let dynamic):
      return dynamic.expressions.contains { $0.tracksIPv6(in: family) }
    // Helpers, limits of connections, timeouts, expectations, SYN proxies.
    case .objectReference(let reference):
      return isSeen && [3, 5, 7, 9, 10].contains(reference.type)
    case .match(let match):
      let names = ["conntrack", "state", "connmark", "connlimit", "connbytes"]
      return isSeen && names.contains(match.name)
    case .target(let target):
      let names = [
        "CONNMARK", "CONNSECMARK", "DNAT", "SNAT", "MASQUERADE", "REDIRECT", "NETMAP",
      ]
      return isSeen && names.contains(target.name)
    default: return false
    }
  }
}
