import NetworkTypes
import PolicyLanguage

/// What can be said about one clause after a verification.
public struct ClauseStatus: Encodable, Sendable {
  /// The answer.
  public enum Answer: String, Encodable, Sendable {
    /// Every probe of every rung that ran agreed, and the clause was exercised.
    case verified = "verified by replay"
    /// A probe disagreed.
    case fails
    /// Not exercised, or a rung could not decide.
    case unknown
    /// No packet rule can enforce it.
    case notAPacketRule = "not a packet rule"
    /// A packet rule can, but weir does not install one yet.
    case notEnforced = "not enforced"
  }

  /// The clause.
  public let clause: String
  /// The answer.
  public let answer: Answer
  /// How many probes of all rungs were decided by it.
  public let probes: Int
  /// What it rests on, or what would enforce it.
  public let detail: String
  /// The document it implements.
  public let citation: String?
}

/// Clauses that no rule of this table enforces, and who would.
private let outsideClauses: [(clause: String, answer: ClauseStatus.Answer, detail: String)] = [
  (
    "transfer", .notAPacketRule,
    "a socket keeps the cgroup of its creator; enforced by scopes, not by this table"
  ),
  (
    "billing", .notEnforced,
    "weir meter counts every byte that leaves once, weir quota denies by scope; no clause is billed"
  ),
  (
    "sockopt", .notAPacketRule,
    "socket options are answered at the system call, before any packet; nothing here does"
  ),
]

extension Policy {
  /// One row a clause: those of the policy, those built in, and those that packet rules cannot hold.
  ///
  /// - Parameters:
  ///   - rungs: what the rungs found.
  ///   - exercised: how many probes each clause decided.
  ///   - isScoped: whether the packets are told by their socket.
  /// - Returns: the rows, those of the policy first.
  func clauseStatuses(
    _ rungs: [RungReport], exercised: [String: Int], isScoped: Bool = false
  ) -> [ClauseStatus] {
    let failing = Set(rungs.flatMap(\.disagreements).flatMap(\.clauses))
    let hasUnknown = rungs.contains { $0.outcome == .unknown }
    func status(_ clause: String, _ citation: String?, _ detail: String) -> ClauseStatus {
      let count = exercised[clause] ?? 0
      let answer: ClauseStatus.Answer =
        failing.contains(clause) ? .fails : count == 0 || hasUnknown ? .unknown : .verified
      return ClauseStatus(
        clause: clause, answer: answer, probes: count, detail: detail, citation: citation)
    }
    var seen: Set<String> = []
    var rows = [
      status("protocols", protocols.citation, "allow-list of layer-4 protocols"),
      status("listen", inbound.citation, "input chain; listen(2) itself is not refused"),
    ]
    for essential in essentials where seen.insert(essential.clause).inserted {
      rows.append(status(essential.clause, nil, essential.summary))
    }
    if sourcePorts.value != nil {
      rows.append(
        status("bind", sourcePorts.citation, "source port range; bind(2) itself is not refused"))
    }
    if idleSeconds.value == nil {
      rows.append(
        ClauseStatus(
          clause: "idle", answer: .notEnforced, probes: 0, detail: "the policy says off",
          citation: idleSeconds.citation))
    } else {
      rows.append(
        status(
          "idle", idleSeconds.citation,
          "conntrack timeouts of new TCP and UDP flows; other protocols keep the kernel's"))
    }
    for entry in allow + deny where seen.insert(entry.clause).inserted {
      let kind = entry.decision == .allow ? "exception" : "denial"
      rows.append(status(entry.clause, entry.citation, kind))
    }
    rows.append(status("default", defaultDecision.citation, "everything else"))
    for (clause, detail) in [
      ("no-flow", "packets of no known flow"), ("fragment", "fragments not put together"),
      ("routing-header", "IPv6 routing headers"), ("link-control", "neighbour discovery and MLD"),
    ] {
      rows.append(status(clause, nil, detail))
    }
    let outside = outsideClauses.filter { !isScoped || $0.clause != "transfer" }
    if isScoped {
      rows.append(status("transfer", nil, "a socket belongs to the scope that made it"))
    }
    return rows
      + outside.map {
        ClauseStatus(
          clause: $0.clause, answer: $0.answer, probes: 0, detail: $0.detail, citation: nil)
      }
  }
}

extension Disagreement {
  /// The clauses that the disagreement touches, as last words of what was expected and seen.
  var clauses: [String] {
    [expected, seen].compactMap { $0.split(separator: " ").last.map(String.init) }
  }
}
