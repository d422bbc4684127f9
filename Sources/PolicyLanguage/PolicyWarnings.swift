import NetworkTypes

/// Finds what a valid policy probably does not mean.
struct PolicyWarnings {
  let policy: Policy
  let log: DiagnosticLog

  /// Logs every warning.
  func report() {
    extremes()
    for entry in policy.allow + policy.deny {
      unlistedProtocols(entry)
      embeddedNotCovered(entry)
    }
    comparisons()
  }

  private func extremes() {
    let deniesAll = policy.deny.first { $0.destination == nil && $0.ports == nil }
    if policy.allow.isEmpty, policy.defaultDecision.value == .deny || deniesAll != nil,
      let location = deniesAll?.location ?? policy.defaultDecision.location
    {
      log.warning(
        .deniesEverything, "the policy denies every outbound flow", at: location, length: 4,
        .init("add `allow:` entries for what may leave"))
    }
    let allowsAll = policy.allow.first { $0.destination == nil && $0.ports == nil }
    if let allowsAll {
      log.warning(
        .deniesNothing, "clause `\(allowsAll.clause)` allows every outbound flow",
        at: allowsAll.location, .init("give it a `to:` or a `port:`"))
    } else if policy.deny.isEmpty, policy.defaultDecision.value == .allow,
      let location = policy.defaultDecision.location
    {
      log.warning(
        .deniesNothing, "the policy denies no outbound flow by address or port", at: location,
        length: 5, .init("add `deny:` entries, or write `default: deny`"))
    }
  }

  private func unlistedProtocols(_ entry: Entry) {
    for case let ipProtocol? in (entry.ports ?? []).map(\.ipProtocol)
    where !policy.protocols.value.contains(ipProtocol) {
      log.warning(
        .protocolNotListed,
        "clause `\(entry.clause)` speaks of \(ipProtocol), which `protocols:` does not list",
        at: entry.location,
        .init("all of \(ipProtocol) is denied by clause `protocols` before the entry is tried"))
    }
  }

  private func embeddedNotCovered(_ entry: Entry) {
    guard let addresses = entry.destination?.addresses,
      case .v6(let nat64) = EmbeddedSpace.nat64.block, addresses.v4 != .full
    else { return }
    let around = addresses.v6.intervals.contains {
      $0 != nat64 && $0.contains(nat64.first) && $0.contains(nat64.last)
    }
    guard around else { return }
    log.warning(
      .embeddedNotCovered,
      "clause `\(entry.clause)` spans 64:ff9b::/96 but does not decide about it",
      at: entry.location,
      .init("NAT64 addresses are judged by the IPv4 address inside; add IPv4 prefixes as meant"))
  }

  private func comparisons() {
    let entries = policy.allow + policy.deny
    let candidates = EntryPairs(entries)
    guard candidates.isComplete else {
      if let first = entries.first {
        log.warning(
          .notCompared, "too many entries meet for weir to look for needless and shadowed ones",
          at: first.location)
      }
      return
    }
    var needed = Set<Int>()
    var shadowed = Set<Int>()
    for (first, second) in candidates.pairs where entries[first].overlaps(entries[second]) {
      let (a, b) = (entries[first], entries[second])
      if a.decision == .allow, b.decision == .deny { needed.insert(first) }
      if a.covers(b) {
        if shadowed.insert(second).inserted { shadow(of: b, by: a) }
      } else if a.decision == .allow, b.decision == .allow, !isByName(a), !isByName(b) {
        log.warning(
          .overlappingExceptions,
          "exception `\(b.clause)` overlaps with exception `\(a.clause)`", at: b.location,
          .init("the first one counts what both allow", at: a.location))
      }
    }
    guard policy.defaultDecision.value == .allow else { return }
    for index in policy.allow.indices where !needed.contains(index) {
      let entry = entries[index]
      guard entry.destination != nil || entry.ports != nil else { continue }
      log.warning(
        .unneededException, "exception `\(entry.clause)` is not needed: no entry denies any of it",
        at: entry.location, .init("what no entry denies is allowed by `default: allow`"))
    }
  }

  /// Names may answer with one address: that two of them share a range says nothing.
  private func isByName(_ entry: Entry) -> Bool { entry.destination?.names.isEmpty == false }

  private func shadow(of entry: Entry, by earlier: Entry) {
    log.warning(
      .shadowedEntry,
      "clause `\(entry.clause)` never decides: `\(earlier.clause)` covers all of it",
      at: entry.location, .init("the earlier entry is here", at: earlier.location))
  }
}
