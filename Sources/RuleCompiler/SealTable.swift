public import Bytecode
import NetworkTypes

/// A link by which no packet socket of this namespace sends.
public struct SealedLink: Hashable, Sendable {
  /// The link's name, at most 15 bytes.
  public var name: String
  /// Whether a DHCP client of user 0 may ask by packet sockets, too.
  public var allowsDHCP: Bool

  /// Makes one.
  public init(name: String, allowsDHCP: Bool) {
    self.name = name
    self.allowsDHCP = allowsDHCP
  }

  /// The chain of the link; no other has its name.
  public var chain: String { Self.chainPrefix + name }
  /// The counter of frames that were dropped.
  public var counter: String { Self.counterPrefix + name }
  /// The counter of a DHCP client's questions.
  public var dhcpCounter: String { Self.dhcpPrefix + name }

  private static let chainPrefix = "link/"
  private static let counterPrefix = "dropped/"
  private static let dhcpPrefix = "dhcp/"

  /// The links that a table seals, or did before somebody changed it, by name.
  ///
  /// - Parameter table: a table that ``sealTable(named:_:)`` may have made.
  /// - Returns: a link for each chain and counter that is named after one.
  public static func links(in table: Table) -> [SealedLink] {
    func names(_ all: [String], _ prefix: String) -> [String] {
      all.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    }
    let counters = table.counters.map(\.name)
    let withDHCP = Set(names(counters, dhcpPrefix))
    let all = withDHCP.union(names(counters, counterPrefix))
      .union(names(table.chains.map(\.name), chainPrefix))
    return all.sorted().map { SealedLink(name: $0, allowsDHCP: withDHCP.contains($0)) }
  }
}

/// The table that drops what packet sockets send by some links, and nothing else.
///
///     egress of the link ─▶ has a route: accept ─▶ [a DHCP question of user 0: accept]
///                        ─▶ not received, and of a user's socket: drop
///
/// A packet that the IP stack made or forwarded carries its route until after this hook, so that its
/// realm can be loaded; a packet socket cannot give its frame one. What the kernel sends by itself
/// without a route, such as ARP, has no socket; what a bridge forwards was received.
///
/// The chains come before any other of their links, so that none takes a frame away before.
///
/// - Parameters:
///   - name: the table's name.
///   - links: the links, at least one, no name twice.
/// - Returns: the table.
///
/// Source: `__dev_queue_xmit`, `net/core/dev.c`; `packet_xmit`, `net/packet/af_packet.c`;
/// `nft_meta_get_eval_rtclassid`, `nft_meta_get_eval_skugid`, `net/netfilter/nft_meta.c`.
public func sealTable(named name: String, _ links: [SealedLink]) -> Table {
  var table = Table(family: .netdev, name: name, comment: CompiledPolicy.tableComment)
  for link in links {
    table.counters.append(NamedCounter(name: link.counter, comment: nil))
    var rules = [Rule(anyValue(of: .rtclassid) + [Match.verdict(.accept)])]
    if link.allowsDHCP {
      table.counters.append(NamedCounter(name: link.dhcpCounter, comment: nil))
      rules += Family.allCases.map { family in
        Rule(
          dhcpQuestion(family)
            + [.objectReference(.counter(link.dhcpCounter)), Match.verdict(.accept)])
      }
    }
    rules.append(
      Rule(
        [
          .meta(MetaLoad(.pkttype, into: Match.register)),
          .compare(Compare(Match.register, .equal, [ownPacketType])),
        ] + anyValue(of: .skuid)
          + [.objectReference(.counter(link.counter)), Match.verdict(.drop)]))
    table.chains.append(
      Chain(
        name: link.chain,
        hook: HookBinding(hook: .egress, priority: .min, policy: .accept, devices: [link.name]),
        rules: rules))
  }
  return table
}

/// `PACKET_HOST`, `linux/if_packet.h`: what a frame is that no link received.
private let ownPacketType: UInt8 = 0

/// Goes on when there is such a number at all; the order is asked for as nft(8) does.
private func anyValue(of key: MetaKey) -> [Expression] {
  [
    .meta(MetaLoad(key, into: Match.register)),
    .byteorder(
      Byteorder(
        source: Match.register, destination: Match.register, operation: 1, lengthBytes: 4,
        sizeBytes: 4)),
    .compare(Compare(Match.register, .lessOrEqual, [0xff, 0xff, 0xff, 0xff])),
  ]
}

/// A DHCP client's question to everybody on the link, from a socket of user 0.
private func dhcpQuestion(_ family: Family) -> [Expression] {
  let etherType: [UInt8]
  let everybody: IPAddress
  let (client, server): (UInt16, UInt16)
  switch family {
  case .ipv4:
    (etherType, everybody, client, server) = ([0x08, 0x00], .v4(.max), 68, 67)
  case .ipv6:
    (etherType, everybody, client, server) = (
      [0x86, 0xdd], .v6(UInt128(0xff02) << 112 | 0x1_0002), 546, 547
    )
  }
  return [
    .meta(MetaLoad(.protocol, into: Match.register)),
    .compare(Compare(Match.register, .equal, etherType)),
    Match.loadDestination(family),
    .compare(Compare(Match.register, .equal, everybody.networkOrderBytes)),
  ] + Match.layer4(.udp) + [
    Match.load(.transport, 0, 4),
    .compare(Compare(Match.register, .equal, client.networkOrder + server.networkOrder)),
    .meta(MetaLoad(.skuid, into: Match.register)),
    .compare(Compare(Match.register, .equal, [0, 0, 0, 0])),
  ]
}
