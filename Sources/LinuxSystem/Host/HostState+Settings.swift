import HostFacts

extension HostState {
  /// Settings that belong to the whole namespace, or to the machine.
  static let settingNames = [
    "kernel/apparmor_restrict_unprivileged_userns", "kernel/modules_disabled",
    "kernel/unprivileged_bpf_disabled", "kernel/unprivileged_userns_clone",
    "net/bridge/bridge-nf-call-arptables", "net/bridge/bridge-nf-call-ip6tables",
    "net/bridge/bridge-nf-call-iptables", "net/ipv4/conf/all/rp_filter",
    "net/ipv4/fwmark_reflect", "net/ipv4/ip_forward", "net/ipv4/ip_local_port_range",
    "net/ipv4/ip_local_reserved_ports", "net/ipv4/ip_nonlocal_bind",
    "net/ipv4/ip_unprivileged_port_start", "net/ipv4/ping_group_range",
    "net/ipv4/tcp_fwmark_accept", "net/ipv6/bindv6only", "net/ipv6/ip_nonlocal_bind",
    "net/mpls/platform_labels",
    "net/netfilter/nf_conntrack_acct", "net/netfilter/nf_conntrack_checksum",
    "net/netfilter/nf_conntrack_count", "net/netfilter/nf_conntrack_helper",
    "net/netfilter/nf_conntrack_max", "net/netfilter/nf_conntrack_tcp_be_liberal",
    "net/netfilter/nf_conntrack_tcp_loose", "user/max_net_namespaces", "user/max_user_namespaces",
  ]

  /// Settings that each link has, and `all` and `default`.
  static let linkSettingNames: [(family: String, names: [String])] = [
    (
      "ipv4",
      [
        "accept_source_route", "forwarding", "mc_forwarding", "proxy_arp", "route_localnet",
        "rp_filter",
      ]
    ),
    (
      "ipv6",
      [
        "accept_source_route", "disable_ipv6", "forwarding", "mc_forwarding", "proxy_ndp",
        "seg6_enabled",
      ]
    ),
  ]

  /// Reads the settings of the calling thread's namespace; call after ``readNetwork()``.
  mutating func readSettings() {
    var names = HostState.settingNames
    let owners = ["all", "default"] + (links.value ?? []).map(\.name)
    for (family, list) in HostState.linkSettingNames {
      for owner in owners { names += list.map { "net/\(family)/conf/\(owner)/\($0)" } }
    }
    readSettings(named: names)
  }

  /// Reads settings of the calling thread's namespace, and the kernel's release.
  mutating func readSettings(named names: [String]) {
    // Without /proc every setting would look as if this kernel had none of them.
    let isMounted = HostReading.fact { try HostReading.file("/proc/sys/kernel/osrelease") }
    guard case .known(let release?) = isMounted else {
      let reason = isMounted.reason ?? "/proc/sys is not there"
      settings = Set(names).sorted().map { KernelSetting(name: $0, reading: .unknown(reason)) }
      kernelRelease = .unknown(reason)
      return
    }
    kernelRelease = .known(HostState.trimmed(release))
    settings = Set(names).sorted().map { name in
      KernelSetting(
        name: name,
        reading: HostReading.fact {
          KernelSetting.Reading(
            text: try HostReading.file("/proc/sys/\(name)").map(HostState.trimmed))
        })
    }
  }

  private static func trimmed(_ bytes: [UInt8]) -> String {
    let kept = bytes.reversed().drop { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: " ") }
    return String(decoding: kept.reversed(), as: UTF8.self)
  }
}
