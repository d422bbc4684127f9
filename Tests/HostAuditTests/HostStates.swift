import HostFacts
import NetworkTypes
import PolicyLanguage

/// States and policies that the tests start from.
enum HostStates {
  static let own = NamespaceID(device: 4, inode: 100)
  static let ownUsers = NamespaceID(device: 4, inode: 0xEFFF_FFFD)
  static let host = IPAddress.v4(0xc000_0201)  // 192.0.2.1
  static let curl = HostProcess(pid: 42, name: "curl", user: 1000)

  /// A host of which everything is known and which has nothing that goes past the rules.
  static var quiet: HostState {
    var state = HostState(unknown: "not read")
    state.namespace = .known(own)
    state.userNamespaces = .known([ownUsers])
    state.kernelRelease = .known("6.18.44")
    state.links = .known([HostLink(index: 1, name: "lo", hardwareType: 772, flags: 9)])
    state.addresses = .known([
      HostAddress(link: 1, address: .v4(0x7f00_0001), prefixLength: 8),
      HostAddress(link: 1, address: .v6(1), prefixLength: 128),
      HostAddress(link: 1, address: host, prefixLength: 32),
    ])
    state.routes = .known([
      HostRoute(destination: .v4(0xc000_02ff), prefixLength: 32, table: 255, kind: 3)
    ])
    state.routingRules = .known([])
    state.settings = settings.map { KernelSetting(name: $0.key, text: $0.value) }
    state.conntrack = .known([])
    state.sockets = SocketTable.Kind.allCases.map { SocketTable(kind: $0, sockets: .known([])) }
    state.packetSockets = .known([])
    state.xdpSockets = .known([])
    state.socketCounts = .known([
      SocketCount(name: "TCP", count: 4), SocketCount(name: "AF_VSOCK", count: 0),
    ])
    state.unlistedSockets = .known([])
    state.unixListeners = .known([])
    state.processes = .known(ProcessSurvey(processCount: 5))
    state.legacyTables = LegacyTables(
      ip: .known([]), ip6: .known([]), arp: .known([]), bridge: .known([]))
    state.bpf = BPFState(
      programs: .known([]), links: .known([]), cgroups: .known([]), devices: .known([]))
    state.trafficFilters = .known([])
    state.transformPolicies = .known([])
    state.namespaces = .known([])
    state.packetGenerators = .known([])
    return state
  }

  private static let settings: [String: String?] = {
    var all: [String: String?] = [
      "net/ipv4/ip_local_port_range": "32768\t60999", "user/max_user_namespaces": "0",
      "kernel/unprivileged_userns_clone": nil, "kernel/apparmor_restrict_unprivileged_userns": nil,
      "net/netfilter/nf_conntrack_tcp_loose": "0", "net/netfilter/nf_conntrack_helper": nil,
      "net/mpls/platform_labels": nil, "net/bridge/bridge-nf-call-iptables": "1",
      "net/bridge/bridge-nf-call-ip6tables": "1",
    ]
    for owner in ["all", "default", "lo"] {
      for family in ["ipv4", "ipv6"] {
        all["net/\(family)/conf/\(owner)/forwarding"] = "0"
        all["net/\(family)/conf/\(owner)/mc_forwarding"] = "0"
      }
      all["net/ipv4/conf/\(owner)/route_localnet"] = "0"
      all["net/ipv6/conf/\(owner)/seg6_enabled"] = "0"
    }
    return all
  }()

  /// TCP and UDP out, local ports as the kernel chooses them, nothing in; 10.0.0.0/8 and 127.0.0.0/8
  /// are denied.
  static func policy(inbound: Decision = .deny) -> Policy {
    let location = SourceLocation(file: "policy.yaml", line: 1, column: 1)
    let blocks = [
      Prefix(containing: .v4(0x0a00_0000), length: 8).block,
      Prefix(containing: .v4(0x7f00_0000), length: 8).block,
    ]
    return Policy(
      name: "test", protocols: Sourced([.tcp, .udp]), inbound: Sourced(inbound),
      sourcePorts: Sourced(PortSet([Interval(32768, 60999)])), idleSeconds: Sourced(nil),
      onDeny: Sourced(.reject), defaultDecision: Sourced(.allow), allow: [],
      deny: [
        Entry(
          decision: .deny, clause: "private",
          destination: Destination(addresses: AddressSet(blocks), includesLinkBroadcast: true),
          location: location)
      ], tests: [])
  }
}

extension HostState {
  /// The state with sockets of one kind.
  func with(_ kind: SocketTable.Kind, _ sockets: Fact<[HostSocket]>) -> HostState {
    var state = self
    for index in state.sockets.indices where state.sockets[index].kind == kind {
      state.sockets[index].sockets = sockets
    }
    return state
  }

  /// The state with one setting changed.
  func with(_ name: String, _ reading: Fact<KernelSetting.Reading>) -> HostState {
    var state = self
    state.settings.removeAll { $0.name == name }
    state.settings.append(KernelSetting(name: name, reading: reading))
    return state
  }
}

extension HostSocket {
  static func listening(
    _ address: IPAddress, _ port: UInt16, _ ipProtocol: IPProtocol = .tcp, isIPv6Only: Bool? = nil
  ) -> HostSocket {
    HostSocket(
      ipProtocol: ipProtocol, state: ipProtocol == .tcp ? 10 : 7, localAddress: address,
      localPort: port, remoteAddress: address.family == .ipv4 ? .v4(0) : .v6(0),
      isIPv6Only: isIPv6Only, owners: .known([HostStates.curl]))
  }

  static func connected(
    _ local: IPAddress, _ localPort: UInt16, _ remote: IPAddress, _ remotePort: UInt16,
    _ ipProtocol: IPProtocol = .tcp, state: UInt8 = 1
  ) -> HostSocket {
    HostSocket(
      ipProtocol: ipProtocol, state: state, localAddress: local, localPort: localPort,
      remoteAddress: remote, remotePort: remotePort, owners: .known([HostStates.curl]))
  }
}
