import NetworkTypes

extension Entry {
  /// Whether some flow could match both entries, names taken at their widest.
  func overlaps(_ other: Entry) -> Bool {
    portsOverlap(other)
      && Entry.whenBoth(destination, other.destination, else: true) { $0.overlaps($1) }
  }

  /// Whether every flow that `other` matches is matched by this entry, as far as numbers tell.
  func covers(_ other: Entry) -> Bool {
    guard portsCover(other) else { return false }
    guard let destination else { return true }
    guard let theirs = other.destination else { return false }
    return destination.covers(theirs)
  }

  private func portsOverlap(_ other: Entry) -> Bool {
    Entry.whenBoth(ports, other.ports, else: true) { mine, theirs in
      mine.contains { a in theirs.contains { b in a.overlaps(b) } }
    }
  }

  private func portsCover(_ other: Entry) -> Bool {
    guard let ports else { return true }
    guard let theirs = other.ports else { return false }
    return theirs.allSatisfy { b in ports.contains { a in a.covers(b) } }
  }

  private static func whenBoth<Value>(
    _ a: Value?, _ b: Value?, else fallback: Bool, _ test: (Value, Value) -> Bool
  ) -> Bool {
    guard let a, let b else { return fallback }
    return test(a, b)
  }
}

extension PortMatch {
  fileprivate func overlaps(_ other: PortMatch) -> Bool {
    guard includes(other.ipProtocol) || other.includes(ipProtocol) else { return false }
    guard let ports, let theirs = other.ports else { return true }
    return ports.intersects(theirs)
  }

  fileprivate func covers(_ other: PortMatch) -> Bool {
    guard includes(other.ipProtocol) else { return false }
    guard let ports else { return true }
    return other.ports.map(ports.covers) ?? false
  }

  /// Whether the match is about every flow of the other's protocol, ports aside.
  private func includes(_ other: IPProtocol?) -> Bool {
    ipProtocol == nil ? other?.hasPorts ?? true : ipProtocol == other
  }
}

extension Destination {
  fileprivate func overlaps(_ other: Destination) -> Bool {
    addresses.intersects(other.addresses) || (includesLinkBroadcast && other.includesLinkBroadcast)
      || isatapMeets(other.addresses) || other.isatapMeets(addresses)
      || names.contains { $0.within.intersects(other.addresses) || other.knows($0) }
      || other.names.contains { $0.within.intersects(addresses) }
  }

  fileprivate func covers(_ other: Destination) -> Bool {
    addresses.covers(other.addresses)
      && (includesLinkBroadcast || !other.includesLinkBroadcast)
      && isatapEmbedded.covers(other.isatapEmbedded)
      && other.names.allSatisfy { addresses.covers($0.within) || knows($0) }
  }

  private func knows(_ name: NameReference) -> Bool { names.contains { $0.name == name.name } }

  /// Whether a single address in `addresses` is an ISATAP form that belongs here.
  private func isatapMeets(_ addresses: AddressSet) -> Bool {
    guard !isatapEmbedded.isEmpty else { return false }
    return addresses.v6.intervals.contains {
      $0.first == $0.last
        && IPAddress.v6($0.first).isatapEmbedded.map(isatapEmbedded.contains) ?? false
    }
  }
}
