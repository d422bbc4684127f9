import Bytecode
import NetworkTypes
import PolicyLanguage

// The clause `idle`: conntrack forgets a flow that was silent for so long, and what comes after that
// opens no flow.

extension TableBuilder {
  /// The protocols whose flows have timeouts of their own; those that nft(8) has words for.
  static let timedProtocols: [IPProtocol] = [.tcp, .udp]

  /// One object for each protocol, named by what it says: generations share it, because a flow loses
  /// its timeouts with the object.
  var idleObjects: [NamedObject] {
    guard let seconds = policy.idleSeconds.value else { return [] }
    return Self.timedProtocols.filter(policy.protocols.value.contains).map { ipProtocol in
      NamedObject(
        name: idleName(ipProtocol, seconds),
        content: .conntrackTimeout(.reclaiming(ipProtocol, afterSeconds: UInt32(seconds))))
    }
  }

  /// Gives a new flow of a protocol its timeouts; nothing where it keeps the kernel's.
  func idleStatement(_ ipProtocol: IPProtocol) -> [Expression] {
    guard let seconds = policy.idleSeconds.value, Self.timedProtocols.contains(ipProtocol) else {
      return []
    }
    return [.objectReference(.conntrackTimeout(idleName(ipProtocol, seconds)))]
  }

  /// Rules that do the same and go on, where protocols are not told apart yet.
  func idleRules(_ protocols: [IPProtocol]) -> [Rule] {
    protocols.filter { !idleStatement($0).isEmpty }.map { ipProtocol in
      Rule(
        Match.layer4(ipProtocol) + idleStatement(ipProtocol),
        provenance: Provenance(clause: "idle", location: policy.idleSeconds.location))
    }
  }

  private func idleName(_ ipProtocol: IPProtocol, _ seconds: Int) -> String {
    "idle/\(seconds)/\(ipProtocol)"
  }
}

extension ConntrackTimeout {
  /// Timeouts by which no flow outlives a silence: the kernel's own where they are shorter, and the
  /// limit for open flows.
  ///
  /// Source: `tcp_timeouts`, `net/netfilter/nf_conntrack_proto_tcp.c`; order and numbers of
  /// `CTA_TIMEOUT_TCP_*` and `CTA_TIMEOUT_UDP_*`, `linux/netfilter/nfnetlink_cttimeout.h`.
  fileprivate static func reclaiming(
    _ ipProtocol: IPProtocol, afterSeconds limit: UInt32
  ) -> ConntrackTimeout {
    // syn_sent, syn_recv, established, fin_wait, close_wait, last_ack, time_wait, close, syn_sent2,
    // retrans, unack; for UDP unreplied and replied.
    let usual: [UInt32] =
      ipProtocol == .tcp
      ? [120, 60, limit, 120, 60, 30, 120, 10, 120, 300, 300] : [limit, limit]
    return ConntrackTimeout(
      family: UInt16(TableFamily.inet.rawValue), layer4Protocol: ipProtocol.rawValue,
      timeouts: usual.enumerated().map { place, seconds in
        Timeout(state: UInt16(place + 1), seconds: min(seconds, limit))
      })
  }
}
