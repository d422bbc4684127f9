import Bytecode
import HostFacts
import NetworkTypes

/// Rows about the rules themselves, and about conntrack.
extension BypassSurvey {
  var flowtables: BypassFinding {
    var finding = search.finding(.flowtables) {
      if case .flowOffload = $0 { return true }
      return false
    }
    for table in rules?.tables ?? [] {
      for flowtable in table.flowtables {
        finding.evidence.append(
          Evidence(
            "table \(table.family.keyword) \(table.name), flowtable \(flowtable.name) on "
              + "\(flowtable.devices.joined(separator: ", "))"))
      }
      // NFT_CHAIN_HW_OFFLOAD
      for chain in table.chains where chain.flags & 2 != 0 {
        finding.evidence.append(
          Evidence("table \(table.family.keyword) \(table.name), chain \(chain.name) is offloaded"))
      }
    }
    return finding
  }

  var marks: BypassFinding {
    var finding = search.finding(.marks) {
      switch $0 {
      case .meta(let load): load.key == .mark
      case .ct(let load): load.key == .mark
      case .socket(let load): load.key == .mark
      case .fib(let load): load.flags & 4 != 0  // NFTA_FIB_F_MARK
      case .match(let match): ["mark", "connmark"].contains(match.name)
      default: false
      }
    }
    finding.note("routing rules", state.routingRules)
    for rule in state.routingRules.value ?? [] where rule.mark != nil {
      finding.evidence.append(
        Evidence(
          "routing rule \(rule.priority) looks in table \(rule.table) for mark "
            + "0x\(String(rule.mark ?? 0, radix: 16))"))
    }
    // Whose packets carry one now.
    for table in state.sockets {
      for socket in table.sockets.value ?? [] {
        guard let mark = socket.mark, mark != 0 else { continue }
        finding.evidence.append(
          Evidence(
            "\(table.kind.rawValue) socket \(socket.inode) has mark 0x\(String(mark, radix: 16))",
            processes: socket.owners))
      }
    }
    return finding
  }

  var identity: BypassFinding {
    search.finding(.identity) {
      switch $0 {
      case .meta(let load): [.skuid, .skgid, .cgroup].contains(load.key)
      case .socket(let load): load.key == .cgroupv2
      case .match(let match): ["owner", "cgroup"].contains(match.name)
      default: false
      }
    }
  }

  var destinationRewriting: BypassFinding {
    var finding = search.finding(.destinationRewriting) {
      switch $0 {
      case .nat(let nat): nat.kind == .destination
      case .redirect: true
      case .target(let target): ["DNAT", "REDIRECT", "NETMAP", "TPROXY"].contains(target.name)
      case .transparentProxy: true
      default: false
      }
    }
    // Translation in legacy tables does not show at all.
    for (word, tables) in [
      ("iptables", state.legacyTables.ip), ("ip6tables", state.legacyTables.ip6),
    ]
    where tables.value?.contains("nat") == true {
      finding.evidence.append(Evidence("\(word) table nat"))
    }
    return finding
  }

  var packetRewriting: BypassFinding {
    var finding = search.finding(.packetRewriting) {
      switch $0 {
      case .payloadSet, .extensionHeaderSet, .extensionHeaderReset, .duplicate, .forward, .queue,
        .synproxy:
        true
      case .target(let target):
        ["NFQUEUE", "TEE", "TCPMSS", "TTL", "HL", "DSCP", "TOS", "ECN", "SYNPROXY", "CHECKSUM"]
          .contains(target.name)
      default: false
      }
    }
    // A target that is not among those known may do anything to a packet.
    let strange = Set(
      (rules?.tables ?? []).flatMap(\.chains).flatMap(\.rules).flatMap(\.expressions).compactMap {
        if case .target(let target) = $0, !BypassSurvey.knownTargets.contains(target.name) {
          return target.name
        }
        return nil
      })
    finding.unknowns += strange.sorted().map { "what target \($0) does is not known" }
    return finding
  }

  /// Targets of xtables that rewrite nothing, or that a row names.
  private static let knownTargets: Set = [
    "", "ACCEPT", "AUDIT", "CHECKSUM", "CLASSIFY", "CONNMARK", "CONNSECMARK", "CT", "DNAT", "DROP",
    "DSCP", "ECN", "ERROR", "HL", "HMARK", "IDLETIMER", "LED", "LOG", "MARK", "MASQUERADE",
    "NETMAP",
    "NFACCT", "NFLOG", "NFQUEUE", "NOTRACK", "RATEEST", "REDIRECT", "REJECT", "SECMARK", "SET",
    "SNAT", "SYNPROXY", "TCPMSS", "TEE", "TOS", "TPROXY", "TRACE", "TTL", "standard",
  ]

  var untracked: BypassFinding {
    search.finding(.untracked) {
      switch $0 {
      case .notrack: true
      // CT can also name a helper or a zone; its first word is flags, bit 0 is notrack.
      case .target(let target):
        target.name == "NOTRACK"
          || (target.name == "CT" && (target.info.first.map { $0 & 1 != 0 } ?? true))
      default: false
      }
    }
  }

  /// Reassembly is on for a family while some rule there asks conntrack.
  var fragments: BypassFinding {
    var finding = finding(.fragments, "raw sockets", state.sockets(.raw)) { socket in
      guard socket.localAddress.family == .ipv4 else { return nil }
      return Evidence("IPv4 raw socket of protocol \(socket.ipProtocol)", processes: socket.owners)
    }
    for (word, own) in [("IPv4", TableFamily.ip), ("IPv6", .ip6)] {
      let asks = search.contains { table, expression in
        [.inet, own].contains(table.family) && BypassSurvey.asksConntrack(expression)
      }
      switch asks {
      case nil: finding.unknowns.append("the rules were not read")
      case false?: finding.evidence.append(Evidence("no rule asks conntrack about \(word)"))
      case true?: continue
      }
    }
    return finding
  }

  var helpers: BypassFinding {
    var finding = BypassFinding(bypass: .helpers, evidence: [], unknowns: [])
    let automatic = state.setting("net/netfilter/nf_conntrack_helper")
    finding.note("nf_conntrack_helper", automatic)
    if automatic.value?.text == "1" {
      finding.evidence.append(Evidence("net.netfilter.nf_conntrack_helper is 1"))
    }
    if rules == nil { finding.unknowns.append("the rules were not read") }
    for table in rules?.tables ?? [] {
      for object in table.objects {
        switch object.content {
        case .conntrackHelper(let helper):
          finding.evidence.append(
            Evidence("table \(table.family.keyword) \(table.name), helper \(helper.helper)"))
        case .conntrackExpectation:
          finding.evidence.append(
            Evidence("table \(table.family.keyword) \(table.name), expectation \(object.name)"))
        default: continue
        }
      }
    }
    finding = finding.with(
      search.finding(.helpers) {
        // The name is 12 bytes in, behind flags, zone and events; an empty one names no helper.
        guard case .target(let target) = $0, target.name == "CT" else { return false }
        return target.info.count < 13 || target.info[12] != 0
      })
    finding.note("tracked connections", state.conntrack)
    for entry in state.conntrack.value ?? [] {
      if let helper = entry.helper {
        finding.evidence.append(
          Evidence("\(entry.ipProtocol) to \(entry.original.destination) is watched by \(helper)"))
      } else if entry.isExpected {
        finding.evidence.append(
          Evidence("\(entry.ipProtocol) to \(entry.original.destination) was announced by another"))
      }
    }
    return finding
  }

  var loosePickup: BypassFinding {
    var finding = BypassFinding(bypass: .loosePickup, evidence: [], unknowns: [])
    let setting = state.setting("net/netfilter/nf_conntrack_tcp_loose")
    switch (setting, acceptsMidStream) {
    case (_, false?): return finding
    case (.unknown(let reason), _): finding.unknowns.append("nf_conntrack_tcp_loose: \(reason)")
    case (.known(let reading), _) where reading.text == nil || reading.text == "0": return finding
    case (.known, true?):
      finding.evidence.append(
        Evidence("net.netfilter.nf_conntrack_tcp_loose is on, and rules accept such segments"))
    case (.known, nil):
      finding.unknowns.append(
        "net.netfilter.nf_conntrack_tcp_loose is on, and whether rules accept such segments was not "
          + "decided")
    }
    return finding
  }

  /// Sockets of families that no IP rule sees, and kernel parts that send frames.
  ///
  /// The kernel's counts only add to what the open files show: not every protocol keeps count.
  var otherProtocols: BypassFinding {
    var finding = finding(.otherProtocols, "sockets", state.unlistedSockets) { socket in
      guard !BypassSurvey.isIPOrLocal(socket.protocolName) else { return nil }
      let place = socket.isHere == nil ? ", perhaps of another namespace" : ""
      return Evidence(
        "\(socket.protocolName) socket \(socket.inode)\(place)", processes: .known(socket.owners))
    }
    finding.note("processes", state.processes)
    if let survey = state.processes.value {
      if let blindness = survey.blindness { finding.unknowns.append(blindness) }
      if survey.unreadableCount > 0 {
        finding.unknowns.append("\(survey.unreadableCount) processes do not show everything")
      }
    }
    finding.note("socket counts", state.socketCounts)
    let found = Set((state.unlistedSockets.value ?? []).map(\.protocolName))
    for count in state.socketCounts.value ?? []
    where !BypassSurvey.isIPOrLocal(count.name) && count.count > 0 && !found.contains(count.name) {
      finding.evidence.append(Evidence("\(count.count) sockets of \(count.name)"))
    }
    finding.note("packet generators", state.packetGenerators)
    for part in state.packetGenerators.value ?? [] {
      finding.evidence.append(Evidence("the kernel's \(part) is there"))
    }
    let labels = state.setting("net/mpls/platform_labels")
    finding.note("net.mpls.platform_labels", labels)
    if let text = labels.value?.text, text != "0" {
      finding.evidence.append(Evidence("net.mpls.platform_labels is \(text): MPLS is forwarded"))
    }
    return finding
  }

  /// Protocols whose packets are IP, stay on the host, or have a row of their own.
  private static func isIPOrLocal(_ name: String) -> Bool {
    let prefixes = [
      "TCP", "UDP", "RAW", "PING", "MPTCP", "SCTP", "DCCP", "L2TP", "UNIX", "NETLINK", "ALG",
      "PACKET", "XDP", "KEY",
    ]
    return prefixes.contains { name.hasPrefix($0) }
  }

  private static func asksConntrack(_ expression: Expression) -> Bool {
    switch expression {
    case .ct, .ctSet, .nat, .masquerade, .redirect: true
    case .match(let match): ["conntrack", "state", "connmark", "helper"].contains(match.name)
    case .target(let target):
      ["DNAT", "SNAT", "MASQUERADE", "REDIRECT", "CONNMARK"].contains(target.name)
    default: false
    }
  }
}
