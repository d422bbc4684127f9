import Bytecode
import HostFacts

/// Goes through every row.
struct BypassSurvey {
  let state: HostState
  let rules: Ruleset?
  /// The links by which rules let packet sockets send nothing, or nothing but DHCP questions (true).
  let sealedLinks: [String: Bool]
  let acceptsMidStream: Bool?

  var search: RuleSearch { RuleSearch(rules) }

  func finding(_ bypass: Bypass) -> BypassFinding {
    switch bypass {
    case .packetSockets: packetSockets
    case .xdpSockets: xdpSockets
    case .capabilities: capabilities
    case .userNamespaces: userNamespaces
    case .xdpPrograms: xdpPrograms
    case .trafficControl: trafficControl
    case .netfilterPrograms: netfilterPrograms
    case .cgroupPrograms: cgroupPrograms
    case .legacyTables: legacyTables
    case .flowtables: flowtables
    case .forwarding: forwarding
    case .bridges: bridges
    case .childLinks: childLinks
    case .tunDevices: tunDevices
    case .tunnels: tunnels
    case .ipsec: ipsec
    case .routeEncapsulation: routeEncapsulation
    case .otherNamespaces: otherNamespaces
    case .marks: marks
    case .identity: identity
    case .destinationRewriting: destinationRewriting
    case .packetRewriting: packetRewriting
    case .untracked: untracked
    case .fragments: fragments
    case .helpers: helpers
    case .loosePickup: loosePickup
    case .loopbackProxies: loopbackProxies
    case .otherProtocols: otherProtocols
    case .kernelPackets: kernelPackets
    }
  }

  /// A finding of a list that is known or not: one piece of evidence for each item.
  func finding<Item>(
    _ bypass: Bypass, _ what: String, _ fact: Fact<[Item]>, _ evidence: (Item) -> Evidence?
  ) -> BypassFinding {
    switch fact {
    case .known(let items):
      BypassFinding(bypass: bypass, evidence: items.compactMap(evidence), unknowns: [])
    case .unknown(let reason):
      BypassFinding(bypass: bypass, evidence: [], unknowns: ["\(what): \(reason)"])
    }
  }

  /// The name of a link, or its number where it is not among those read.
  func name(_ link: Int32) -> String {
    state.links.value?.first { $0.index == link }?.name ?? "link \(link)"
  }
}

extension BypassFinding {
  /// Adds the reason of an unknown fact.
  mutating func note<Value>(_ what: String, _ fact: Fact<Value>) {
    if let reason = fact.reason { unknowns.append("\(what): \(reason)") }
  }

  /// With what another finding of the same row has.
  func with(_ other: BypassFinding) -> BypassFinding {
    BypassFinding(
      bypass: bypass, evidence: evidence + other.evidence, unknowns: unknowns + other.unknowns)
  }
}
