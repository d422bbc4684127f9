import HostAudit
import HostFacts
import LinuxSystem
import NetworkTypes
import PolicyLanguage
import PolicyMeaning

/// Which open flows are those of some scopes.
///
/// A flow is of the scope that made the socket at its local end; one that is forwarded is of the link
/// behind which the routes have one of its ends. What no socket has open any more is nobody's.
struct ScopeFlows {
  private var users: Set<UInt32> = []
  private var cgroups: Set<UInt64> = []
  private var links: Set<Int32> = []
  /// Sockets that are connected to nobody, by protocol and port.
  private var unconnected: [SocketPlace: [HostSocket]] = [:]
  private let routes: [HostRoute]
  /// What could not be read, so that flows of the scopes may be among those of others.
  private var unknowns: [String] = []

  private struct SocketPlace: Hashable {
    let ipProtocol: IPProtocol
    let port: UInt16
  }

  /// Notes what the scopes are told by.
  ///
  /// - Parameters:
  ///   - scopes: the scopes, as they are now.
  ///   - host: the namespace, as ``HostReader/readFlowsHere()`` read it.
  init(_ scopes: [FoundScope], _ host: HostState) {
    routes = (host.routes.value ?? []).filter { $0.kind == 1 && $0.table == 254 }
    let root = ControlGroup.root()
    for found in scopes {
      switch found.scope {
      case .user: users.insert(found.key.hostNumber)
      case .cgroup(let path): cgroups.formUnion(ControlGroup.numbers(below: path, under: root))
      case .interface(let name):
        links.formUnion((host.links.value ?? []).filter { $0.name == name }.map(\.index))
        if let reason = host.links.reason { unknowns.append("links: \(reason)") }
      }
    }
    let sockets = host.sockets.flatMap { $0.sockets.value ?? [] }
    if !cgroups.isEmpty, sockets.contains(where: { $0.cgroup == nil && $0.inode != 0 }) {
      unknowns.append("the kernel does not say which cgroups sockets were made in")
    }
    for socket in sockets where !socket.isConnected {
      let place = SocketPlace(ipProtocol: socket.ipProtocol, port: socket.localPort)
      unconnected[place, default: []].append(socket)
    }
  }

  /// The sockets of the scopes among those that take what others send.
  func own(_ report: ListenerReport) -> ListenerReport {
    var own = report
    own.beyond.removeAll { !isOfScope($0.socket) }
    own.undecided.removeAll { !isOfScope($0.socket) }
    own.admitted.removeAll { !isOfScope($0.socket) }
    own.local.removeAll { !isOfScope($0.socket) }
    own.unknowns += unknowns
    return own
  }

  /// The flows of the scopes among those of a namespace.
  ///
  /// A flow that is forwarded to a link was opened from outside, for its scope.
  ///
  /// - Parameters:
  ///   - report: all flows, judged by the policy.
  ///   - policy: the policy of the scopes.
  ///   - names: the addresses of its names.
  /// - Returns: those of the scopes.
  func own(_ report: FlowReport, _ policy: Policy, _ names: NameAnswers) -> FlowReport {
    var own = report.compactMap { flow in
      guard flow.isForwarded else { return isOfScope(flow) ? flow : nil }
      guard let entry = flow.entry else { return nil }
      if isBehind(entry.original.source) { return flow }
      guard isBehind(flow.flow.remoteAddress) else { return nil }
      var turned = flow
      turned.flow = Flow(
        direction: .inbound, ipProtocol: flow.flow.ipProtocol,
        localAddress: flow.flow.remoteAddress, localPort: flow.flow.remotePort,
        remoteAddress: entry.original.source, remotePort: entry.original.sourcePort)
      turned.ruling = policy.decision(for: turned.flow, names: names)
      return turned
    }
    own.unknowns += unknowns
    return own
  }

  private func isOfScope(_ flow: LiveFlow) -> Bool {
    guard let local = flow.flow.localAddress else { return false }
    let port = flow.flow.localPort ?? 0
    if let socket = flow.sockets.first(where: { $0.localPort == port }) { return isOfScope(socket) }
    return (unconnected[SocketPlace(ipProtocol: flow.flow.ipProtocol, port: port)] ?? []).contains {
      let address = $0.localAddress.unmapped
      let isAny = address == .v6(0) || (address == .v4(0) && local.family == .ipv4)
      return (isAny || address == local) && isOfScope($0)
    }
  }

  private func isOfScope(_ socket: HostSocket) -> Bool {
    users.contains(socket.user) || socket.cgroup.map(cgroups.contains) ?? false
  }

  /// Whether the main routing table has an address behind one of the links.
  private func isBehind(_ address: IPAddress) -> Bool {
    guard !links.isEmpty else { return false }
    let best = routes.filter {
      $0.destination.family == address.family
        && Prefix(containing: $0.destination, length: Int($0.prefixLength))
          == Prefix(containing: address, length: Int($0.prefixLength))
    }.max { ($0.prefixLength, $1.metric) < ($1.prefixLength, $0.metric) }
    return best?.hops.contains { hop in hop.link.map(links.contains) ?? false } ?? false
  }
}
