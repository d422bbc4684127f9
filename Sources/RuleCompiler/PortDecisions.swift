import NetworkTypes
import PolicyLanguage

/// Which term decides each port of one protocol, for one class of addresses.
///
/// `[term: ports]` as disjoint sets that together cover 0…65535; a protocol without ports has the
/// whole range for its one term.
struct PortDecisions: Hashable {
  /// Deciding term and its ports, ascending by term; every set is non-empty.
  var parts: [Part]

  /// Ports that one term decides.
  struct Part: Hashable {
    var term: Int
    var ports: PortSet
  }
}

/// What terms decide for one protocol: dynamic ones first, for the ports that reach them.
struct ProtocolDecisions: Hashable {
  /// Dynamic terms in order, with the ports that no fixed term before them takes.
  var dynamic: [PortDecisions.Part]
  /// What is left to the fixed terms.
  var fixed: PortDecisions
}

/// Pass 3: first match over the terms of a class, for one protocol.
///
/// O(terms × intervals); with many terms the work is bounded by 65 536 ports.
func decide(_ ipProtocol: IPProtocol, terms indices: [Int], of all: [Term]) -> ProtocolDecisions {
  var free = PortSet.full
  var dynamic: [PortDecisions.Part] = []
  var fixed: [PortDecisions.Part] = []
  for index in indices {
    let matched = all[index].ports(of: ipProtocol).intersection(free)
    if matched.isEmpty { continue }
    if all[index].isDynamic {
      dynamic.append(.init(term: index, ports: matched))
    } else {
      fixed.append(.init(term: index, ports: matched))
      free = free.subtracting(matched)
      if free.isEmpty { break }
    }
  }
  return ProtocolDecisions(dynamic: dynamic, fixed: PortDecisions(parts: fixed))
}

extension Term {
  /// The remote ports the term is about; all of them stand for a protocol without ports.
  func ports(of ipProtocol: IPProtocol) -> PortSet {
    guard let ports else { return .full }
    var matched = PortSet()
    for match in ports {
      if let wanted = match.ipProtocol, wanted != ipProtocol { continue }
      if let set = match.ports {
        if ipProtocol.hasPorts { matched = matched.union(set) }
      } else if match.ipProtocol != nil || ipProtocol.hasPorts {
        matched = .full
      }
    }
    return matched
  }
}
