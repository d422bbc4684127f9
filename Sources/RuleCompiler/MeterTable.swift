public import Bytecode
import NetworkTypes

/// The table that meters what leaves and enters a namespace; it decides nothing.
///
/// Every packet that leaves crosses postrouting once, and there one rule of one chain, by its family;
/// every packet that enters for this host crosses input once. The chains come after all others, so
/// that only what others let through is counted: a packet that any rule drops, whoever wrote it, was
/// not egress. What stays on the loopback is not counted.
///
/// - Parameter name: the table's name.
/// - Returns: the table, with four counters: `egress/ipv4`, `egress/ipv6`, `ingress/ipv4` and
///   `ingress/ipv6`.
public func meterTable(named name: String) -> Table {
  func rules(_ direction: String, _ link: MetaKey) -> [Rule] {
    let loopback = Array("lo".utf8) + [UInt8](repeating: 0, count: 14)
    return Family.allCases.map { family in
      Rule(
        [
          .meta(MetaLoad(link, into: Match.register)),
          .compare(Compare(Match.register, .notEqual, loopback)),
        ] + Match.family(family) + [.objectReference(.counter("\(direction)/\(family)"))])
    }
  }
  // The last place that a chain can have.
  let last: Int32 = .max
  return Table(
    family: .inet, name: name, comment: CompiledPolicy.tableComment,
    counters: ["egress", "ingress"].flatMap { direction in
      Family.allCases.map { NamedCounter(name: "\(direction)/\($0)", comment: nil) }
    },
    chains: [
      Chain(
        name: "egress",
        hook: HookBinding(hook: .postrouting, priority: last, policy: .accept),
        rules: rules("egress", .oifname)),
      Chain(
        name: "ingress", hook: HookBinding(hook: .input, priority: last, policy: .accept),
        rules: rules("ingress", .iifname)),
    ])
}
