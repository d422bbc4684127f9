import Bytecode
import RuleCompiler

extension Ruleset {
  /// The links that seals drop packet sockets' frames on, where nobody changed the seal, and whether
  /// every seal of the link lets DHCP questions out.
  var sealedLinks: [String: Bool] {
    let links = tables.filter(\.isIntactSeal).flatMap { SealedLink.links(in: $0) }
    return Dictionary(links.map { ($0.name, $0.allowsDHCP) }) { $0 && $1 }
  }

  /// The tables but those that let every packet of the IP stack pass: seals that nobody changed.
  var withoutSeals: Ruleset { Ruleset(tables: tables.filter { !$0.isIntactSeal }) }
}

extension Table {
  /// Whether it is a seal as weir makes it, under whatever name.
  fileprivate var isIntactSeal: Bool {
    family == .netdev && isSame(as: sealTable(named: name, SealedLink.links(in: self)))
  }
}
