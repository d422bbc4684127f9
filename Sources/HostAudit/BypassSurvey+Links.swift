import Bytecode
import HostFacts

/// Rows about links, routes and namespaces.
extension BypassSurvey {
  var forwarding: BypassFinding {
    var finding = BypassFinding(bypass: .forwarding, evidence: [], unknowns: [])
    for (family, word, own) in [("ipv4", "IPv4", TableFamily.ip), ("ipv6", "IPv6", .ip6)] {
      let owners = ["all", "default"] + (state.links.value ?? []).map(\.name)
      var forwarders: [String] = []
      for owner in owners {
        let setting = state.setting("net/\(family)/conf/\(owner)/forwarding")
        if let text = setting.value?.text, text != "0" { forwarders.append(owner) }
        finding.note("net.\(family).conf.\(owner).forwarding", setting)
      }
      for owner in owners {
        // The kernel sets it while a program routes multicast.
        let setting = state.setting("net/\(family)/conf/\(owner)/mc_forwarding")
        if let text = setting.value?.text, text != "0" {
          forwarders.append("multicast by \(owner)")
        }
        finding.note("net.\(family).conf.\(owner).mc_forwarding", setting)
      }
      guard !forwarders.isEmpty else { continue }
      let judges = search.chains(at: .forward, families: [.inet, own])
      let judged =
        judges.map { $0.isEmpty ? "no rule judges it" : "judged by \($0.joined(separator: "; "))" }
        ?? "which rules judge it is not known"
      finding.evidence.append(
        Evidence("\(word) is forwarded (\(forwarders.joined(separator: ", "))): \(judged)"))
    }
    finding.note("links", state.links)
    return finding
  }

  /// Bridges with ports, unless br_netfilter shows their packets to the rules of both families.
  var bridges: BypassFinding {
    finding(.bridges, "links", state.links) { bridge in
      guard bridge.kind == "bridge" else { return nil }
      let ports = (state.links.value ?? []).filter { $0.master == bridge.index }.map(\.name)
      let hidden = [("iptables", "IPv4"), ("ip6tables", "IPv6")].filter {
        state.setting("net/bridge/bridge-nf-call-\($0.0)").value?.text != "1"
      }
      guard !ports.isEmpty, !hidden.isEmpty else { return nil }
      return Evidence(
        "\(bridge.name) with \(ports.joined(separator: ", ")): no inet rule sees what is "
          + "\(hidden.map(\.1).joined(separator: " or ")) between its ports")
    }
  }

  /// A child in another namespace does not show here: only there.
  var childLinks: BypassFinding {
    var finding = finding(.childLinks, "links", state.links) { link in
      guard isChild(link) else { return nil }
      return Evidence("\(link.name) (\(link.kind ?? ""))\(parent(of: link))")
    }
    finding.note("other network namespaces", state.namespaces)
    for other in state.namespaces.value ?? [] {
      finding.note("links of namespace \(other.id.inode)", other.links)
      for link in other.links.value ?? [] where isChild(link) {
        guard let number = link.peerNamespace, number == other.ownNumber else { continue }
        finding.evidence.append(
          Evidence(
            "\(link.name) (\(link.kind ?? "")) in namespace \(other.id.inode), on "
              + name(link.peer ?? 0), processes: processes(of: other)))
      }
    }
    noteUnseenNamespaces(&finding)
    return finding
  }

  private func isChild(_ link: HostLink) -> Bool {
    link.kind.map { ["macvlan", "macvtap", "ipvlan", "ipvtap"].contains($0) } ?? false
  }

  private func processes(of other: OtherNamespace) -> Fact<[HostProcess]>? {
    other.processes.isEmpty ? nil : .known(other.processes)
  }

  /// A process that hides what it is in may hide a namespace.
  private func noteUnseenNamespaces(_ finding: inout BypassFinding) {
    finding.note("processes", state.processes)
    guard let survey = state.processes.value else { return }
    if let blindness = survey.blindness { finding.unknowns.append(blindness) }
    if survey.unreadableCount > 0 {
      finding.unknowns.append("\(survey.unreadableCount) processes do not show everything")
    }
  }

  var tunDevices: BypassFinding {
    finding(.tunDevices, "links", state.links) { link in
      guard link.kind == "tun" else { return nil }
      let kind = link.tun?.isTap == true ? "tap" : "tun"
      let user = link.tun?.user.map { ", for user \($0)" } ?? ""
      let group = link.tun?.group.map { ", for group \($0)" } ?? ""
      return Evidence("\(link.name) (\(kind)\(user)\(group))", processes: link.tun?.processes)
    }
  }

  var tunnels: BypassFinding {
    finding(.tunnels, "links", state.links) { link in
      guard let kind = link.kind, BypassSurvey.tunnelKinds.contains(kind) else { return nil }
      return Evidence("\(link.name) (\(kind))\(parent(of: link))")
    }
  }

  var ipsec: BypassFinding {
    finding(.ipsec, "IPsec policies", state.transformPolicies) { policy in
      let direction: String =
        switch policy.direction {
        case 0: "in"
        case 1: "out"
        case 2: "forward"
        default: "of a socket"
        }
      return Evidence(
        "\(direction): from \(policy.source)/\(policy.sourcePrefixLength) to "
          + "\(policy.destination)/\(policy.destinationPrefixLength), "
          + (policy.action == 0 ? "transformed" : "blocked"))
    }
  }

  var routeEncapsulation: BypassFinding {
    var finding = finding(.routeEncapsulation, "routes", state.routes) { route in
      let kinds = route.hops.compactMap(\.encapsulation).filter { $0 != 0 }.map {
        BypassSurvey.encapsulations[$0] ?? "encapsulation \($0)"
      }
      guard !kinds.isEmpty else { return nil }
      return Evidence(
        "\(route.destination)/\(route.prefixLength), table \(route.table): "
          + kinds.joined(separator: ", "))
    }
    for link in ["all"] + (state.links.value ?? []).map(\.name) {
      if state.setting("net/ipv6/conf/\(link)/seg6_enabled").value?.text == "1" {
        finding.evidence.append(
          Evidence("net.ipv6.conf.\(link).seg6_enabled is 1: segment routing headers are obeyed"))
      }
    }
    // A next-hop object may wrap packets as well, and is not read.
    for route in state.routes.value ?? [] {
      guard let object = route.nextHopObject, route.hops.isEmpty else { continue }
      finding.unknowns.append(
        "\(route.destination)/\(route.prefixLength): next-hop object \(object) is not read")
    }
    return finding
  }

  var otherNamespaces: BypassFinding {
    var finding = finding(.otherNamespaces, "other network namespaces", state.namespaces) { other in
      var parts = other.names.map { "named \($0)" }
      if other.processCount > 0 { parts.append("\(other.processCount) processes") }
      let roads = (state.links.value ?? []).filter {
        $0.peerNamespace != nil && $0.peerNamespace == other.number
      }.map(\.name)
      if !roads.isEmpty { parts.append("joined to this one by \(roads.joined(separator: ", "))") }
      switch other.links {
      case .unknown(let reason): parts.append("links unknown: \(reason)")
      case .known(let links):
        let ways = links.filter { !$0.isLoopback }.map { link in
          "\(link.name) (\(link.kind ?? "device"))"
        }
        parts.append(ways.isEmpty ? "no way out" : "links \(ways.joined(separator: ", "))")
      }
      return Evidence(
        "namespace \(other.id.inode): \(parts.joined(separator: ", "))",
        processes: processes(of: other))
    }
    noteUnseenNamespaces(&finding)
    // A link may lead to a namespace that no process and no mount shows.
    let numbers = Set((state.namespaces.value ?? []).compactMap(\.number))
    for link in state.links.value ?? [] {
      guard let number = link.peerNamespace, !numbers.contains(number) else { continue }
      finding.evidence.append(
        Evidence("\(link.name) leads to namespace number \(number), which is not seen"))
    }
    return finding
  }

  /// The kernel answers for addresses on these links without any IP rule.
  var kernelPackets: BypassFinding {
    finding(.kernelPackets, "links", state.links) { link in
      // IFF_NOARP
      guard link.isUp, !link.isLoopback, link.flags & 0x80 == 0 else { return nil }
      return Evidence("\(link.name) is up and resolves neighbours")
    }
  }

  private func parent(of link: HostLink) -> String {
    guard let peer = link.peer, peer != link.index, peer != 0 else { return "" }
    if let number = link.peerNamespace { return " on a link of namespace number \(number)" }
    return " on \(name(peer))"
  }

  /// Kinds of link that wrap packets, as `ip link` names them.
  private static let tunnelKinds: Set = [
    "amt", "bareudp", "erspan", "fou", "geneve", "gre", "gretap", "gtp", "hsr", "ip6erspan",
    "ip6gre", "ip6gretap", "ip6tnl", "ipip", "ipoib", "l2tp", "lowpan", "macsec", "ovpn", "ppp",
    "sit", "vti", "vti6", "vxlan", "wireguard", "xfrm",
  ]

  /// `enum lwtunnel_encap_types`, `linux/lwtunnel.h`.
  private static let encapsulations: [UInt16: String] = [
    1: "MPLS", 2: "IP tunnel", 3: "ILA", 4: "IPv6 tunnel", 5: "segment routing", 6: "BPF",
    7: "local segment routing", 8: "RPL", 9: "IOAM", 10: "IPsec",
  ]
}
