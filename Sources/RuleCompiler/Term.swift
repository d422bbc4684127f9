import NetworkTypes
import PolicyLanguage

/// One entry, or one part of an entry, with a single kind of address test.
///
/// An entry whose `to:` mixes numbers, names and link facts becomes several terms in a row: they
/// decide alike, so their order does not matter.
struct Term: Hashable, Sendable {
  /// How the term tests the remote address.
  enum AddressTest: Hashable, Sendable {
    /// Every address.
    case any
    /// Membership that is known when the policy is compiled.
    case fixed(AddressSet)
    /// Membership in the answers of a name, which lie in `within`.
    case name(String, within: AddressSet)
    /// Whether the routing table calls the address a link's broadcast address.
    case linkBroadcast
    /// Whether the address is the ISATAP form of one of these.
    case isatap(IntervalSet<UInt32>)
  }

  var decision: Decision
  var clause: String
  var location: SourceLocation?
  var addresses: AddressTest
  /// Nil means every protocol and port.
  var ports: [PortMatch]?

  /// Whether the term decides every flow to an address that it tests positive for.
  var isTotal: Bool {
    if ports != nil { return false }
    switch addresses {
    case .any, .fixed: return true
    case .name, .linkBroadcast, .isatap: return false
    }
  }

  /// Whether only the packet path can tell if an address belongs to the term.
  var isDynamic: Bool {
    switch addresses {
    case .any, .fixed: false
    case .name, .linkBroadcast, .isatap: true
    }
  }

  /// Addresses for which the term may matter.
  var support: AddressSet {
    switch addresses {
    case .any: .full
    case .fixed(let set): set
    case .name(_, let within): within
    case .linkBroadcast: AddressSet(v4: .full)
    case .isatap: AddressSet(v6: .full)
    }
  }
}

extension Policy {
  /// Pass 1: the policy as one list in the order of decision, ending with the default.
  var terms: [Term] {
    let entries = (allow + deny).flatMap { entry -> [Term] in
      entry.addressTests.map {
        Term(
          decision: entry.decision, clause: entry.clause, location: entry.location,
          addresses: $0, ports: entry.ports)
      }
    }
    return entries + [
      Term(
        decision: defaultDecision.value, clause: "default", location: defaultDecision.location,
        addresses: .any, ports: nil)
    ]
  }
}

extension Entry {
  fileprivate var addressTests: [Term.AddressTest] {
    guard let destination else { return [.any] }
    var tests: [Term.AddressTest] = []
    if !destination.addresses.isEmpty { tests.append(.fixed(destination.addresses)) }
    tests += destination.names.map { .name($0.name, within: $0.within) }
    if destination.includesLinkBroadcast { tests.append(.linkBroadcast) }
    if !destination.isatapEmbedded.isEmpty { tests.append(.isatap(destination.isatapEmbedded)) }
    return tests
  }
}
