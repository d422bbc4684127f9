import HostAudit
import HostFacts

// What stands at the hooks of nf_tables and is not nf_tables. It may drop what the rules let pass
// and rewrite what they have judged, so no claim about packets holds beside it.

/// What else judges packets at the hooks where rules are read.
struct OtherJudges {
  /// What is there, one line each.
  var present: [String] = []
  /// What could not be read, with the reason.
  var unread: [String] = []
}

extension HostState {
  /// Tables of iptables-legacy and ip6tables-legacy, and BPF programs at netfilter hooks.
  ///
  /// The kernel tells the names of such tables, not their rules. What arptables and ebtables see is
  /// no IP hook.
  func otherJudges(_ rows: [BypassFinding]) -> OtherJudges {
    var judges = OtherJudges()
    for (program, tables) in [("iptables", legacyTables.ip), ("ip6tables", legacyTables.ip6)] {
      switch tables {
      case .known(let names):
        judges.present += names.map { "\(program)-legacy table \($0)" }
      case .unknown(let reason):
        judges.unread.append("tables of \(program)-legacy: \(reason)")
      }
    }
    for row in rows where row.bypass == .netfilterPrograms {
      judges.present += row.evidence.map { "netfilter program: \($0)" }
      judges.unread += row.unknowns
    }
    return judges
  }
}

extension AuditClaim {
  /// Makes the claim unknown beside other judges, and says what is taken for granted of them.
  mutating func leaveOpen(_ judges: OtherJudges) {
    if !judges.present.isEmpty {
      answer = answer.and(.unknown)
      causes += judges.present.map { "not modelled: \($0), at the same hooks" }
    }
    assumptions += judges.unread.map { "nothing but nf_tables judges packets: \($0)" }
  }
}
