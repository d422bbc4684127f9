import HostFacts
import NetworkTypes

/// Rows about sockets and processes.
extension BypassSurvey {
  /// Packet sockets that can send by some link.
  ///
  /// A socket that is bound to a link sends by any other when it names it, so that all must be sealed,
  /// but the loopback: what it is given there is received, and judged when it is forwarded.
  var packetSockets: BypassFinding {
    var found = finding(.packetSockets, "packet sockets", state.packetSockets) { socket in
      let place = socket.link.map { "on \(name($0))" } ?? "on every link"
      let receives =
        socket.etherType == 0
        ? "receives nothing" : "EtherType 0x\(hex(UInt32(socket.etherType), digits: 4))"
      return Evidence(
        "packet socket \(socket.inode) \(place), \(receives)", processes: socket.owners)
    }
    guard !found.evidence.isEmpty, !sealedLinks.isEmpty, let links = state.links.value else {
      return found
    }
    let open = links.filter { !$0.isLoopback && sealedLinks[$0.name] == nil }
    guard open.isEmpty else {
      found.remarks.append("not sealed: \(open.map(\.name).joined(separator: ", "))")
      return found
    }
    let asking = links.map(\.name).filter { sealedLinks[$0] == true }.joined(separator: ", ")
    let exception = asking.isEmpty ? "" : " but DHCP questions of root by \(asking)"
    found.remarks = found.evidence.map { "\($0): sends nothing\(exception), every link is sealed" }
    found.evidence = []
    return found
  }

  var xdpSockets: BypassFinding {
    finding(.xdpSockets, "XDP sockets", state.xdpSockets) { socket in
      let place = socket.link.map { " on \(name($0))" } ?? ""
      return Evidence("XDP socket \(socket.inode)\(place)", processes: socket.owners)
    }
  }

  /// Processes whose capabilities count over this namespace.
  ///
  /// Their user namespace owns it, or is an ancestor of the owner. Whoever is in this network
  /// namespace counts also where that is not known.
  var capabilities: BypassFinding {
    guard let survey = state.processes.value else {
      var finding = BypassFinding(bypass: .capabilities, evidence: [], unknowns: [])
      finding.note("processes", state.processes)
      return finding
    }
    var finding = BypassFinding(bypass: .capabilities, evidence: [], unknowns: [])
    let owners = state.userNamespaces.value
    // Whoever has the user id of a user namespace's maker, in the parent, holds all of it.
    if let owner = owners?.first, owner.inode != BypassSurvey.firstUserNamespace {
      finding.evidence.append(
        Evidence(
          "user namespace \(owner.inode) owns this one: every process of the user who made it counts"
        )
      )
    }
    // A reader inside a user namespace does not see who is above it.
    let isWhole = owners?.last?.inode == BypassSurvey.firstUserNamespace
    for holder in survey.privileged {
      let names = holder.capabilityNames.joined(separator: ", ")
      let isHere = state.namespace.value.map { holder.networkNamespaces.contains($0) } ?? false
      let place = isHere ? "in this namespace" : "in another network namespace"
      let evidence = Evidence("\(names), \(place)", processes: .known([holder.process]))
      switch (holder.userNamespace, owners) {
      case (let user?, let owners?) where owners.contains(user): finding.evidence.append(evidence)
      case (_?, _?) where isWhole: continue  // its capabilities end below this namespace
      default:
        if isHere {
          finding.evidence.append(evidence)
        } else {
          finding.unknowns.append("\(evidence): its user namespace is not known")
        }
      }
    }
    finding.note("user namespaces", state.userNamespaces)
    if survey.unreadableCount > 0 {
      finding.unknowns.append("\(survey.unreadableCount) processes do not show everything")
    }
    if let blindness = survey.blindness { finding.unknowns.append(blindness) }
    return finding
  }

  var userNamespaces: BypassFinding {
    var finding = BypassFinding(bypass: .userNamespaces, evidence: [], unknowns: [])
    let limit = state.setting("user/max_user_namespaces")
    let isAllowed = state.setting("kernel/unprivileged_userns_clone")
    let isConfined = state.setting("kernel/apparmor_restrict_unprivileged_userns")
    // A kernel without the first setting has no user namespaces, one without the others no switch.
    if case .known(let reading) = limit, reading.text == nil || reading.text == "0" {
      return finding
    }
    if isAllowed.value?.text == "0" { return finding }
    finding.note("user.max_user_namespaces", limit)
    finding.note("kernel.unprivileged_userns_clone", isAllowed)
    finding.note("kernel.apparmor_restrict_unprivileged_userns", isConfined)
    if finding.unknowns.isEmpty {
      finding.evidence.append(
        Evidence(
          "user.max_user_namespaces is \(limit.value?.text ?? "not known")"
            + (isConfined.value?.text == "1"
              ? ", for programs whose AppArmor profile allows it" : "")
        ))
    }
    return finding
  }

  /// Listeners that other programs of the host reach, and that may send on their behalf.
  var loopbackProxies: BypassFinding {
    var finding = BypassFinding(bypass: .loopbackProxies, evidence: [], unknowns: [])
    for table in state.sockets where table.kind != .raw && table.kind != .icmp {
      finding.note("\(table.kind.rawValue) sockets", table.sockets)
      for socket in table.sockets.value ?? [] where socket.isListening {
        let address = socket.localAddress.unmapped
        guard address.isLoopback || BypassSurvey.proxyPorts[socket.localPort] != nil else {
          continue
        }
        let use = BypassSurvey.proxyPorts[socket.localPort].map { ", \($0)" } ?? ""
        let port = address.family == .ipv4 ? "\(address):" : "[\(address)]:"
        finding.evidence.append(
          Evidence(
            "\(socket.ipProtocol) \(port)\(socket.localPort)\(use)", processes: socket.owners))
      }
    }
    finding.note("Unix sockets", state.unixListeners)
    for listener in state.unixListeners.value ?? [] {
      guard let use = BypassSurvey.use(ofUnixSocket: listener.path) else { continue }
      finding.evidence.append(Evidence("\(listener.path), \(use)", processes: listener.owners))
    }
    let links = ["all"] + (state.links.value ?? []).map(\.name)
    for link in links {
      let setting = state.setting("net/ipv4/conf/\(link)/route_localnet")
      if setting.value?.text == "1" {
        finding.evidence.append(
          Evidence("net.ipv4.conf.\(link).route_localnet is 1: 127.0.0.0/8 is reached from outside")
        )
      }
    }
    return finding
  }

  /// The inode of the first user namespace: `PROC_USER_INIT_INO`, `linux/proc_ns.h`.
  private static let firstUserNamespace: UInt64 = 0xEFFF_FFFD

  /// Ports by which local programs send on behalf of others.
  private static let proxyPorts: [UInt16: String] = [
    53: "a resolver", 853: "a resolver", 5353: "multicast DNS", 1080: "a SOCKS proxy",
    3128: "an HTTP proxy", 8080: "perhaps an HTTP proxy", 8118: "an HTTP proxy",
    8123: "an HTTP proxy", 9050: "Tor", 9150: "Tor", 2375: "the Docker API", 2376: "the Docker API",
  ]

  private static func use(ofUnixSocket path: String) -> String? {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    switch name {
    case "docker.sock", "podman.sock", "containerd.sock", "crio.sock":
      return "starts containers with networks of their own"
    case "io.systemd.Resolve", "nscd", "unbound.ctl": return "a resolver"
    case "system_bus_socket": return "D-Bus: resolvers and network managers"
    default: return nil
    }
  }

  private func hex(_ number: UInt32, digits: Int) -> String {
    let text = String(number, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}
