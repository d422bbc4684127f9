import NetworkTypes

extension HostState {
  /// The first value that no kernel gives, with its path; nil when all are possible.
  ///
  /// What a state says about prefixes may then be used without another look. O(n).
  /// Example: `state.addresses: 192.0.2.1/33`.
  public var firstImplausibility: String? {
    for item in addresses.value ?? [] {
      if !item.address.allows(item.prefixLength) {
        return "state.addresses: \(item.address)/\(item.prefixLength)"
      }
      if let broadcast = item.broadcast, broadcast.family != item.address.family {
        return "state.addresses: \(broadcast) as the broadcast address of \(item.address)"
      }
    }
    for item in routes.value ?? [] {
      if !item.destination.allows(item.prefixLength) {
        return "state.routes: \(item.destination)/\(item.prefixLength)"
      }
      if let source = item.source,
        source.family != item.destination.family || !source.allows(item.sourcePrefixLength)
      {
        return "state.routes: from \(source)/\(item.sourcePrefixLength)"
      }
    }
    for item in routingRules.value ?? [] {
      for (address, length) in [
        (item.source, item.sourcePrefixLength), (item.destination, item.destinationPrefixLength),
      ] {
        let start = address ?? (item.family == .ipv4 ? .v4(0) : .v6(0))
        if start.family != item.family || !start.allows(length) {
          return "state.routingRules: \(start)/\(length)"
        }
      }
    }
    for item in transformPolicies.value ?? [] {
      if !item.source.allows(item.sourcePrefixLength)
        || !item.destination.allows(item.destinationPrefixLength)
        || item.source.family != item.destination.family
      {
        return "state.transformPolicies: from \(item.source)/\(item.sourcePrefixLength) to "
          + "\(item.destination)/\(item.destinationPrefixLength)"
      }
    }
    for item in conntrack.value ?? [] {
      let ends = [
        item.original.source, item.original.destination, item.reply.source, item.reply.destination,
      ]
      // NAT never changes the family of a connection.
      if Set(ends.map(\.family)).count > 1 {
        return "state.conntrack: from \(item.original.source) to \(item.original.destination)"
      }
    }
    for table in sockets {
      for item in table.sockets.value ?? []
      where item.localAddress.family != item.remoteAddress.family {
        return "state.sockets: from \(item.localAddress) to \(item.remoteAddress)"
      }
    }
    return duplicatedName
  }

  /// Two answers to one question: a setting or a table of sockets that stands there twice.
  private var duplicatedName: String? {
    if Set(settings.map(\.name)).count != settings.count { return "state.settings: a name twice" }
    if Set(sockets.map(\.kind)).count != sockets.count { return "state.sockets: a kind twice" }
    return nil
  }
}

extension IPAddress {
  fileprivate func allows(_ prefixLength: UInt8) -> Bool {
    prefixLength <= (family == .ipv4 ? 32 : 128)
  }
}
