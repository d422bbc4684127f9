public import NetworkTypes

/// One line of the effective policy: a key, its value, and where the value comes from.
public struct EffectiveValue: Hashable, Sendable {
  /// The key with its path: `idle`, `groups.partners`, `deny.smtp.port`.
  public var key: String
  /// The value in the policy language.
  public var value: String
  /// Where it was written; nil for a built-in default.
  public var location: SourceLocation?
  /// The document that demands it.
  public var citation: String?
}

extension Policy {
  /// Settings, groups and entries in the order in which they count, with their origins.
  public var effectiveValues: [EffectiveValue] {
    func value<Value>(_ key: String, _ sourced: Sourced<Value>, _ text: String) -> EffectiveValue {
      EffectiveValue(
        key: key, value: text, location: sourced.location, citation: sourced.citation)
    }
    var values = [
      value("protocols", protocols, PolicyText.list(protocols.value.map(\.description))),
      value("inbound", inbound, inbound.value.rawValue),
      value("source-ports", sourcePorts, PolicyText.sourcePorts(sourcePorts.value)),
      value("idle", idleSeconds, PolicyText.duration(idleSeconds.value)),
      value("on-deny", onDeny, onDeny.value.rawValue),
      value("log", denialLog, PolicyText.logRate(denialLog.value)),
      value("default", defaultDecision, defaultDecision.value.rawValue),
    ]
    values += essentials.map {
      EffectiveValue(key: "essentials.\($0.kind.rawValue)", value: $0.text, location: $0.location)
    }
    values += groups.map {
      EffectiveValue(
        key: "groups.\($0.name)", value: PolicyText.list($0.items), location: $0.location)
    }
    for entry in allow + deny {
      let path = "\(entry.decision.rawValue).\(entry.clause)"
      values.append(
        EffectiveValue(
          key: "\(path).to",
          value: entry.destination.map { PolicyText.list($0.items) } ?? "any",
          location: entry.location, citation: entry.citation))
      values.append(
        EffectiveValue(
          key: "\(path).port", value: entry.ports.map(PolicyText.ports) ?? "any",
          location: entry.location, citation: entry.citation))
    }
    return values
  }

  /// The effective policy as a policy file of its own, each value's origin in a comment.
  ///
  /// What is read back from it is the same policy but for the locations.
  public var effectiveText: String {
    var lines: [(text: String, origin: String?)] = [("policy: \(name)", nil)]
    if let about { lines.append(("about: \(PolicyText.quoted(about))", nil)) }
    func origin(_ location: SourceLocation?) -> String { location?.description ?? "default" }
    for value in effectiveValues where !value.key.contains(".") {
      lines.append(("\(value.key): \(value.value)", origin(value.location)))
    }
    if !groups.isEmpty { lines.append(("groups:", nil)) }
    for group in groups {
      lines.append(("  \(group.name): \(PolicyText.list(group.items))", origin(group.location)))
    }
    if !essentials.isEmpty { lines.append(("essentials:", nil)) }
    for essential in essentials {
      lines.append(("  - \(essential.text)", origin(essential.location)))
    }
    for (key, entries) in [("allow", allow), ("deny", deny)] where !entries.isEmpty {
      lines.append(("\(key):", nil))
      for entry in entries { lines += PolicyText.lines(of: entry) }
    }
    if !citations.isEmpty { lines.append(("sources:", nil)) }
    for (clause, text) in citations.sorted(by: { $0.key < $1.key }) {
      lines.append(("  \(clause): \(PolicyText.quoted(text))", nil))
    }
    if !tests.isEmpty { lines.append(("tests:", nil)) }
    for test in tests {
      let flow = FlowText(test.flow, remoteName: test.remoteName)
      let clause = test.clause.map { ", clause: \($0)" } ?? ""
      lines.append(
        ("  - {\(test.expected.rawValue): \"\(flow)\"\(clause)}", origin(test.location)))
    }
    return lines.map { text, origin in
      guard let origin else { return text + "\n" }
      return text + String(repeating: " ", count: max(2, 40 - text.count)) + "# \(origin)\n"
    }
    .joined()
  }
}
