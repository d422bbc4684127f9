/// The keys of a policy file.
enum PolicyKey: String, CaseIterable {
  case policy, about, extends, include, protocols, inbound
  case sourcePorts = "source-ports"
  case idle
  case onDeny = "on-deny"
  case log
  case `default`, essentials, allow, deny, groups, sources, tests

  /// Whether a file that is included may have it.
  var isAllowedInInclude: Bool {
    switch self {
    case .about, .include, .essentials, .allow, .deny, .groups, .sources, .tests: true
    default: false
    }
  }
}

/// The keys of an entry of `allow:` or `deny:`.
enum EntryKey: String, CaseIterable {
  case clause, to, port, cite
}

/// The keys of an item of `to:` or of a group that is written as a mapping.
enum AddressItemKey: String, CaseIterable {
  case file, name, within
}

/// The keys of a line of `tests:`.
enum TestKey: String, CaseIterable {
  case allow, deny, clause
}
