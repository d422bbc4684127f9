import NetworkTypes
public import PolicyLanguage

/// A policy as a table for people: one row a decision, in the order in which they are tried.
public struct PolicyTable: Sendable {
  /// One row.
  public struct Row: Encodable, Sendable {
    /// Position in the order of decision, from 1.
    public let order: Int
    /// `allow` or `deny`.
    public let decision: String
    /// The clause.
    public let clause: String
    /// What it is about, in words.
    public let matches: String
    /// `file:line`, or `default`.
    public let source: String
    /// The document it cites.
    public let citation: String?
  }

  /// The rows.
  public let rows: [Row]

  /// Lists a policy's decisions.
  public init(_ policy: Policy) {
    var drafts: [(Decision, String, String, SourceLocation?, String?)] = []
    let listed = policy.protocols.value.map(\.description).joined(separator: ", ")
    drafts.append(
      (
        .deny, "protocols", "every protocol but \(listed)", policy.protocols.location,
        policy.protocols.citation
      ))
    for essential in policy.essentials {
      drafts.append((.allow, essential.clause, essential.summary, essential.location, nil))
    }
    drafts.append(
      (
        policy.inbound.value, "listen", "flows that others open", policy.inbound.location,
        policy.inbound.citation
      ))
    if let ports = policy.sourcePorts.value {
      drafts.append(
        (
          .deny, "bind", "local ports but \(ports.text)", policy.sourcePorts.location,
          policy.sourcePorts.citation
        ))
    }
    for entry in policy.allow + policy.deny {
      drafts.append(
        (entry.decision, entry.clause, entry.text, entry.location, entry.citation))
    }
    drafts.append(
      (
        policy.defaultDecision.value, "default", "everything else",
        policy.defaultDecision.location, policy.defaultDecision.citation
      ))
    rows = drafts.enumerated().map { index, draft in
      Row(
        order: index + 1, decision: draft.0.rawValue, clause: draft.1, matches: draft.2,
        source: draft.3.map { "\($0.file):\($0.line)" } ?? "default", citation: draft.4)
    }
  }

  /// The table as aligned text with a head line.
  public var text: String {
    let head = ["#", "decision", "clause", "matches", "source"]
    let cells = rows.map { [String($0.order), $0.decision, $0.clause, $0.matches, $0.source] }
    let widths = head.indices.map { column in
      ([head] + cells).map { $0[column].count }.max() ?? 0
    }
    return ([head] + cells).map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        let pad = column + 1 < row.count ? widths[column] - cell.count + 2 : 0
        line += cell + String(repeating: " ", count: pad)
      }
      return line + "\n"
    }.joined()
  }
}

extension Entry {
  fileprivate var text: String {
    let to = destination.map { "to \($0.text)" }
    let on = ports.map { "port " + $0.map(\.text).joined(separator: ", ") }
    let parts = [to, on].compactMap(\.self)
    return parts.isEmpty ? "everything" : parts.joined(separator: " ")
  }
}

extension Destination {
  fileprivate var text: String {
    var parts: [String] = []
    parts += addresses.v4.summary(IPAddress.v4, family: "IPv4")
    parts += addresses.v6.summary(IPAddress.v6, family: "IPv6")
    parts += names.map { "\($0.name) within \($0.withinText)" }
    if includesLinkBroadcast { parts.append("every link's broadcast address") }
    if !isatapEmbedded.isEmpty { parts.append("their ISATAP forms") }
    return parts.joined(separator: ", ")
  }
}

extension PortMatch {
  fileprivate var text: String {
    let ports = ports.map(\.text)
    guard let ipProtocol else { return ports ?? "any" }
    return ports.map { "\(ipProtocol)/\($0)" } ?? ipProtocol.description
  }
}

extension IntervalSet {
  /// `53`, `6000-6010`, joined by commas.
  var text: String {
    intervals.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)-\($0.last)" }
      .joined(separator: ",")
  }

  /// Up to three members by name, else how many ranges there are.
  fileprivate func summary(
    _ address: (Bound) -> IPAddress, family: String
  ) -> [String] {
    if intervals.count > 3 { return ["\(intervals.count) \(family) ranges"] }
    return intervals.map {
      $0.first == $0.last
        ? "\(address($0.first))" : "\(address($0.first))-\(address($0.last))"
    }
  }
}
