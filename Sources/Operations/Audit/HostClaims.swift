import Bytecode
import HostAudit
import HostFacts
import NetworkTypes
import PolicyLanguage
import PolicyMeaning

// The claims about sockets, flows and what goes past packet rules, each thing judged by itself.

extension AuditSubject {
  /// No socket listens beyond what the policy admits.
  func listenerClaim() -> AuditClaim {
    if let doubt = packetScope?.socketDoubt {
      return AuditClaim(.listeners, .unknown, causes: [doubt])
    }
    let all = host.listeners(judgedBy: policy)
    let report = scopeFlows?.own(all) ?? all
    var claim = AuditClaim(.listeners, ClaimAnswer(report.status), causes: report.unknowns)
    claim.findings = report.beyond.map { listener in
      AuditFinding(
        "a socket takes what anybody sends: \(listener.socket.place)",
        clause: listener.ruling.clause, at: listener.ruling.location.map { "\($0)" },
        process: listener.socket.owners.ownerText)
    }
    claim.causes += report.undecided.map {
      "\($0.socket.place), \($0.socket.owners.ownerText): \($0.doubt ?? "not decided")"
    }
    return claim
  }

  /// The flows that are open now are within the policy.
  func liveFlowClaim() -> AuditClaim {
    if let doubt = packetScope?.socketDoubt {
      return AuditClaim(.liveFlows, .unknown, causes: [doubt])
    }
    let all = host.liveFlows(judgedBy: policy, names: names)
    let report = scopeFlows?.own(all, policy, names) ?? all
    var claim = AuditClaim(.liveFlows, ClaimAnswer(report.status), causes: report.unknowns)
    claim.findings = report.outside.map { flow in
      var finding = AuditFinding(
        "a flow is open that the policy denies", packet: "\(FlowText(flow.flow))",
        clause: flow.ruling.clause, at: flow.ruling.location.map { "\($0)" },
        process: flow.owners.ownerText)
      if flow.isForwarded { finding.facts.append("forwarded") }
      if let asked = flow.askedAddress { finding.facts.append("asked for \(asked)") }
      if let helper = flow.helper { finding.facts.append("helper \(helper)") }
      return finding
    }
    claim.causes += report.undecided.map {
      "\(FlowText($0.flow)), \($0.owners.ownerText): \($0.doubt ?? "not decided")"
    }
    if !claim.findings.isEmpty || !report.within.isEmpty {
      claim.assumptions.append("\(report.within.count) open flows are within the policy")
    }
    return claim
  }

  /// What tells the flows of the scope that is judged from others; nil where there is none.
  private var scopeFlows: ScopeFlows? { packetScope.map { ScopeFlows([$0.found], host) } }

  /// The rows about what goes past packet rules.
  func bypasses(acceptsMidStream: Bool?) -> [BypassFinding] {
    host.bypasses(
      rules: ruleset, sealedLinks: snapshot.ruleset.sealedLinks, acceptsMidStream: acceptsMidStream)
  }

  /// The claim over all those rows.
  ///
  /// A row that is there fails it, unless it is one that other claims decide already, or a power
  /// that somebody has and that the report lists.
  func waysAroundClaim(_ rows: [BypassFinding]) -> AuditClaim {
    var claim = AuditClaim(.waysAround, .holds)
    for row in rows {
      if row.status == .present, row.bypass.isWayOut {
        claim.answer = claim.answer.and(.fails)
        claim.findings.append(
          AuditFinding("\(row.bypass.rawValue): \(row.evidence.first.map { "\($0)" } ?? "present")")
        )
      } else if row.status == .unknown, !row.bypass.isDecidedElsewhere {
        claim.answer = claim.answer.and(.unknown)
        claim.causes += row.unknowns.map { "\(row.bypass.rawValue): \($0)" }
      }
    }
    claim.assumptions.append(
      "nobody uses the powers that the rows list: capabilities, user namespaces, other namespaces")
    return claim
  }
}

extension WayAround {
  init(_ finding: BypassFinding) {
    self.init(
      way: finding.bypass.rawValue, status: finding.status.rawValue,
      details: finding.evidence.map { "\($0)" } + finding.unknowns + finding.remarks,
      allows: finding.bypass.consequence, advice: finding.bypass.remedy)
  }
}

extension Bypass {
  /// Rows that the claims about packets decide: the report shows them and draws no second
  /// conclusion.
  fileprivate var isDecidedElsewhere: Bool {
    switch self {
    case .marks, .identity, .destinationRewriting, .packetRewriting, .untracked, .fragments,
      .forwarding:
      true
    default: false
    }
  }

  /// Whether it is a way out by its being there, and no mere power to make one.
  fileprivate var isWayOut: Bool {
    switch self {
    case .capabilities, .userNamespaces, .otherNamespaces, .otherProtocols, .kernelPackets: false
    default: !isDecidedElsewhere
    }
  }
}

extension ClaimAnswer {
  init(_ status: ClaimStatus) {
    switch status {
    case .holds: self = .holds
    case .fails: self = .fails
    case .unknown: self = .unknown
    }
  }
}

extension HostSocket {
  /// `tcp 0.0.0.0:22`.
  fileprivate var place: String {
    let address: String =
      switch localAddress {
      case .v4: "\(localAddress):\(localPort)"
      case .v6: "[\(localAddress)]:\(localPort)"
      }
    return "\(ipProtocol) \(address)"
  }
}

extension HostState {
  /// Whether packets of others may go through this host: anything but a certain no.
  var mayForward: Bool {
    let switches = settings.filter {
      $0.name == "net/ipv4/ip_forward" || $0.name.hasSuffix("/forwarding")
    }
    return switches.isEmpty
      || switches.contains { setting in
        switch setting.reading {
        case .unknown: true
        case .known(let reading): reading.text.map { $0 != "0" } ?? false
        }
      }
  }
}
