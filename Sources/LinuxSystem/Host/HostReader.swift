public import HostFacts

/// Reads the state of a host as one network namespace sees it.
public enum HostReader {
  /// Reads what the calling user may see of the calling thread's network namespace.
  ///
  /// What cannot be read is unknown, with the reason. Changes nothing. Every other network namespace
  /// is visited for its links. Sockets come before the walk through the processes, so that a process
  /// that ends in between leaves a socket without owner, never an owner without socket.
  ///
  /// Example: `try NetworkNamespace.open(.name("jail")).run { HostReader.readHere() }`.
  public static func readHere() -> HostState {
    var state = HostState(unknown: "not read")
    state.namespace = HostReading.fact {
      let identity = try NetworkNamespace.current().identity
      return NamespaceID(device: identity.device, inode: identity.inode)
    }
    state.userNamespaces = HostReading.fact { try NamespaceReading.owners() }
    state.readNetwork()
    state.readSettings()
    state.conntrack = HostReading.fact { try ConntrackEntry.all() }
    state.readSockets()
    state.transformPolicies = HostReading.fact { try TransformPolicy.all() }
    state.legacyTables = LegacyTables.read(links: state.links)
    state.bpf = BPFState.read(links: state.links)
    state.packetGenerators = HostReading.fact { try packetGenerators() }
    state.readProcesses()
    return state
  }

  /// Reads only what is needed to judge the conversations that are going on: links, addresses, routes,
  /// whether packets are forwarded, tracked connections, and sockets.
  ///
  /// The processes are walked only where there is a connected socket to find an owner for.
  public static func readFlowsHere() -> HostState {
    var state = HostState(unknown: "not read")
    state.readNetwork()
    state.readSettings(named: [
      "net/ipv4/ip_forward", "net/ipv4/ip_local_port_range", "net/ipv6/conf/all/forwarding",
      conntrackCount,
    ])
    // A dump walks through the buckets of every namespace, which takes some milliseconds.
    let isEmpty = state.setting(conntrackCount).value?.text == "0"
    state.conntrack = isEmpty ? .known([]) : HostReading.fact { try ConntrackEntry.all() }
    state.readSocketTables([.tcp, .udp, .udplite, .raw])
    if state.sockets.contains(where: { $0.sockets.value?.contains(where: \.isConnected) ?? false })
    {
      state.readSocketOwners()
    }
    return state
  }

  /// Reads only the TCP and UDP sockets of the calling thread's namespace, with their processes.
  public static func readSocketsHere() -> HostState {
    var state = HostState(unknown: "not read")
    state.readSocketTables([.tcp, .udp])
    state.readSocketOwners()
    return state
  }

  private static let conntrackCount = "net/netfilter/nf_conntrack_count"

  private static func packetGenerators() throws -> [String] {
    guard Folder.isFolder("/sys/module") else {
      throw LinuxError.unreadableFile(path: "/sys/module", problem: .missing)
    }
    return ["netconsole", "pktgen"].filter { Folder.isFolder("/sys/module/\($0)") }
  }
}
