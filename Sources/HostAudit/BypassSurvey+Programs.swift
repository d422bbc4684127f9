import HostFacts

/// Rows about programs in the kernel and tables that nf_tables does not show.
extension BypassSurvey {
  var xdpPrograms: BypassFinding {
    var finding = BypassFinding(bypass: .xdpPrograms, evidence: [], unknowns: [])
    finding.note("links", state.links)
    for link in state.links.value ?? [] {
      for program in link.xdp {
        let which = program.program.map { "program \($0)\(name(ofProgram: $0))" } ?? "a program"
        finding.evidence.append(Evidence("\(link.name): \(which), \(program.mode) mode"))
      }
    }
    return finding
  }

  var trafficControl: BypassFinding {
    var finding = finding(.trafficControl, "traffic filters", state.trafficFilters) { filter in
      let place: String =
        switch filter.parent {
        case 0xffff_fff2, 0xffff_0000: "ingress"
        case 0xffff_fff3: "egress"
        default: "class \(String(filter.parent, radix: 16))"
        }
      let program = filter.program.map { " \($0)" } ?? ""
      let actions = filter.actions.isEmpty ? "" : ", \(filter.actions.joined(separator: ", "))"
      return Evidence(
        "\(name(filter.link)) \(place): \(filter.kind)\(program), priority \(filter.priority)\(actions)"
      )
    }
    finding.note("tcx programs", state.bpf.devices)
    for attachment in state.bpf.devices.value ?? [] {
      let place = attachment.attachType == 46 ? "ingress" : "egress"
      for program in attachment.programs {
        finding.evidence.append(
          Evidence(
            "\(name(attachment.link)) \(place): tcx program \(program)\(name(ofProgram: program))"))
      }
    }
    // netkit: programs of the device itself, whose peer may be here.
    for link in state.bpf.links.value ?? [] where link.type == 13 {
      finding.evidence.append(
        Evidence(
          "netkit link \(link.target ?? 0): program \(link.program)\(name(ofProgram: link.program))"
        ))
    }
    finding.note("BPF links", state.bpf.links)
    return finding
  }

  /// Links of every namespace of the machine: the kernel does not say which namespace one is in.
  var netfilterPrograms: BypassFinding {
    finding(.netfilterPrograms, "BPF links", state.bpf.links) { link in
      let which = "link \(link.id): program \(link.program)\(name(ofProgram: link.program))"
      // A program of a network namespace chooses sockets, or tells which flow a packet is of.
      if link.type == 5, state.namespace.value.map({ $0.inode == link.target }) ?? true {
        return Evidence("\(which), of the network namespace")
      }
      guard link.type == 10 else { return nil }
      var place = "at a hook that is not known"
      if let hook = link.netfilter {
        let family =
          hook.family == 2 ? "IPv4" : hook.family == 10 ? "IPv6" : "family \(hook.family)"
        let names = ["prerouting", "input", "forward", "output", "postrouting"]
        let name = hook.hook < 5 ? names[Int(hook.hook)] : "hook \(hook.hook)"
        place = "\(family) \(name), priority \(hook.priority)"
      }
      return Evidence(
        "\(which), \(place), in some namespace of the machine")
    }
  }

  var cgroupPrograms: BypassFinding {
    finding(.cgroupPrograms, "programs of control groups", state.bpf.cgroups) { attachment in
      let hook = BypassSurvey.cgroupHooks[attachment.attachType] ?? "hook \(attachment.attachType)"
      let programs = attachment.programs.map { "\($0)\(name(ofProgram: $0))" }
      return Evidence("\(attachment.path) \(hook): program \(programs.joined(separator: ", "))")
    }
  }

  var legacyTables: BypassFinding {
    let lists = [
      ("iptables", state.legacyTables.ip), ("ip6tables", state.legacyTables.ip6),
      ("arptables", state.legacyTables.arp), ("ebtables", state.legacyTables.bridge),
    ]
    return lists.reduce(BypassFinding(bypass: .legacyTables, evidence: [], unknowns: [])) {
      finding, list in
      finding.with(
        self.finding(.legacyTables, "\(list.0) tables", list.1) {
          Evidence("\(list.0) table \($0)")
        })
    }
  }

  /// `enum bpf_attach_type`, `linux/bpf.h`, as bpftool names them.
  private static let cgroupHooks: [UInt32: String] = [
    0: "ingress", 1: "egress", 2: "sock_create", 3: "sock_ops", 8: "bind4", 9: "bind6",
    10: "connect4", 11: "connect6", 12: "post_bind4", 13: "post_bind6", 14: "sendmsg4",
    15: "sendmsg6", 19: "recvmsg4", 20: "recvmsg6", 21: "getsockopt", 22: "setsockopt",
  ]

  private func name(ofProgram id: UInt32) -> String {
    let name = state.bpf.programs.value?.first { $0.id == id }?.name ?? ""
    return name.isEmpty ? "" : " (\(name))"
  }
}
