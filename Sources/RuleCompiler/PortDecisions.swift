import NetworkTypes
import PolicyLanguage

/// One step of a first match over ports: a term and the ports it takes.
struct PortStep: Hashable {
  var term: Int
  /// Never empty.
  ///
  /// For a fixed term, what no fixed term before it takes; for a dynamic one, all that
  /// it is about. A protocol without ports has the whole range.
  var ports: PortSet
}

/// Pass 3: what the terms of a class decide for one protocol, in order.
///
/// The fixed steps together cover every port. O(terms × intervals).
func decide(_ ipProtocol: IPProtocol, terms indices: [Int], of all: [Term]) -> [PortStep] {
  var free = PortSet.full
  var steps: [PortStep] = []
  for index in indices {
    let ports = all[index].ports(of: ipProtocol)
    let matched = ports.intersection(free)
    if matched.isEmpty { continue }
    if all[index].isDynamic {
      steps.append(PortStep(term: index, ports: ports))
    } else {
      steps.append(PortStep(term: index, ports: matched))
      free = free.subtracting(matched)
      if free.isEmpty { break }
    }
  }
  return steps
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
