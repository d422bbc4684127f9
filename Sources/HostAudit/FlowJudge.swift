import HostFacts
import NetworkTypes
import PolicyLanguage
import PolicyMeaning

/// Two ends as a socket has them: its own first.
struct FlowEnds: Hashable {
  var ipProtocol: IPProtocol
  var local: IPAddress
  var localPort: UInt16
  var remote: IPAddress
  var remotePort: UInt16

  /// The sender of a direction of a tracked connection, first.
  init(_ ipProtocol: IPProtocol, _ tuple: ConntrackTuple) {
    self.ipProtocol = ipProtocol
    local = tuple.source
    localPort = tuple.sourcePort ?? 0
    remote = tuple.destination
    remotePort = tuple.destinationPort ?? 0
  }

  /// A socket's ends, or as the other side has them.
  init(_ socket: HostSocket, isReversed: Bool) {
    ipProtocol = socket.ipProtocol
    let own = (socket.localAddress.unmapped, socket.localPort)
    let other = (socket.remoteAddress.unmapped, socket.remotePort)
    (local, localPort) = isReversed ? other : own
    (remote, remotePort) = isReversed ? own : other
  }
}

/// What judging one conversation needs to know about the host.
struct FlowJudge {
  private let policy: Policy
  private let names: NameAnswers
  private let ownAddresses: Set<IPAddress>?
  /// What the routing tables call this host's, beyond its addresses.
  private let ownBlocks: AddressSet
  private let broadcasts: Set<IPAddress>
  private let hasRoutes: Bool
  private let ephemeral: ClosedRange<UInt16>?
  private var connected: [FlowEnds: HostSocket] = [:]
  /// Local ports on which something listens, with the addresses.
  private var listeners: [IPProtocol: [UInt16: [IPAddress]]] = [:]

  init(_ state: HostState, _ policy: Policy, _ names: NameAnswers) {
    self.policy = policy
    self.names = names
    ownAddresses = state.addresses.value.map { Set($0.map(\.address)) }
    ownBlocks = AddressSet(
      (state.routes.value ?? []).filter { $0.kind == 2 }.compactMap { route in
        let isPossible = route.prefixLength <= (route.destination.family == .ipv4 ? 32 : 128)
        guard isPossible else { return nil }
        return Prefix(containing: route.destination, length: Int(route.prefixLength)).block
      })
    broadcasts = Set((state.routes.value ?? []).filter { $0.kind == 3 }.map(\.destination))
    hasRoutes = state.routes.value != nil
    ephemeral = state.ephemeralPorts
    for table in state.sockets {
      for socket in table.sockets.value ?? [] {
        if socket.isConnected { connected[FlowEnds(socket, isReversed: false)] = socket }
        if socket.isListening {
          listeners[socket.ipProtocol, default: [:]][socket.localPort, default: []]
            .append(socket.localAddress.unmapped)
        }
      }
    }
  }

  private func isOwn(_ address: IPAddress) -> Bool? {
    if address.isLoopback || ownBlocks.contains(address) { return true }
    return ownAddresses.map { $0.contains(address) }
  }

  /// Whether packets to the address from somebody else end here: also those to a group.
  private func endsHere(_ address: IPAddress) -> Bool? {
    if broadcasts.contains(address) { return true }
    switch address {
    case .v4(let bits) where bits >> 28 == 0xe || bits == .max: return true
    case .v6(let bits) where bits >> 120 == 0xff: return true
    default: return isOwn(address)
    }
  }

  /// Judges a tracked connection.
  ///
  /// The other end is where packets really go: the sender of the answers.
  func judged(_ entry: ConntrackEntry) -> LiveFlow {
    let original = entry.original
    let leaves = (address: entry.reply.source, port: entry.reply.sourcePort)
    let isFromHere = isOwn(original.source)
    let isToHere = isFromHere == true ? isOwn(leaves.address) : endsHere(leaves.address)
    var flow = LiveFlow(
      source: .conntrack,
      flow: Flow(
        ipProtocol: entry.ipProtocol, localAddress: original.source,
        localPort: original.sourcePort, remoteAddress: leaves.address, remotePort: leaves.port,
        isLinkBroadcast: broadcasts.contains(leaves.address)),
      isForwarded: false, ruling: Ruling(.deny, clause: "default"), owners: .known([]),
      helper: entry.helper)
    if leaves.address != original.destination { flow.askedAddress = original.destination }
    if isFromHere == false, isToHere == true {
      flow.flow = Flow(
        direction: .inbound, ipProtocol: entry.ipProtocol, localAddress: leaves.address,
        localPort: leaves.port, remoteAddress: original.source, remotePort: original.sourcePort)
    } else if isFromHere == false, isToHere == false {
      flow.isForwarded = true
      // The port that a client of ours chose is not this host's local port.
      flow.flow.localPort = nil
    }
    flow.entry = entry
    flow.sockets = sockets(
      FlowEnds(entry.ipProtocol, entry.original), FlowEnds(entry.ipProtocol, entry.reply))
    flow.owners = flow.sockets.first?.owners ?? .unknown("no connected socket has these ends")
    flow.ruling = policy.decision(for: flow.flow, names: names)
    if isFromHere == nil, isToHere != false || leaves.address != original.destination {
      flow.doubt = "which addresses are this host's is not known"
    } else if !hasRoutes, leaves.address.family == .ipv4 {
      flow.doubt = "which addresses are broadcast is not known"
    }
    return flow
  }

  /// The connected sockets at both ends of a conversation, the first end's first.
  private func sockets(_ there: FlowEnds, _ back: FlowEnds) -> [HostSocket] {
    [connected[there], connected[back]].compactMap(\.self)
  }

  /// Judges a connected socket that conntrack does not know; nil for the serving side of a
  /// conversation within the host, whose client is judged.
  func judged(_ socket: HostSocket, isRaw: Bool) -> LiveFlow? {
    let local = socket.localAddress.unmapped
    let remote = socket.remoteAddress.unmapped
    let hasPorts = socket.ipProtocol.hasPorts && !isRaw
    let isServer =
      hasPorts
      && (isListening(socket.ipProtocol, local, socket.localPort) || isServingHere(socket))
    let isToSelf = isOwn(remote)
    if isServer, isToSelf == true { return nil }
    var flow = LiveFlow(
      source: .socket,
      flow: Flow(
        direction: isServer ? .inbound : .outbound, ipProtocol: socket.ipProtocol,
        localAddress: local, localPort: hasPorts ? socket.localPort : nil, remoteAddress: remote,
        remotePort: hasPorts ? socket.remotePort : nil,
        isLinkBroadcast: broadcasts.contains(remote)),
      isForwarded: false, ruling: Ruling(.deny, clause: "default"), owners: socket.owners)
    flow.sockets = sockets(
      FlowEnds(socket, isReversed: false), FlowEnds(socket, isReversed: true))
    flow.ruling = policy.decision(for: flow.flow, names: names)
    if !hasRoutes, remote.family == .ipv4 {
      flow.doubt = "which addresses are broadcast is not known"
    } else if flow.ruling.decision == .deny, socket.ipProtocol != .tcp || socket.state == 2 {
      // An unanswered SYN, or a datagram socket: connecting one sends nothing.
      flow.doubt = "whether anything left is not known"
    }
    // Who opened it shows in the local port, if the kernel chose that.
    if !isServer, hasPorts, ephemeral?.contains(socket.localPort) != true {
      var turned = flow.flow
      turned.direction = .inbound
      let other = policy.decision(for: turned, names: names)
      if other.decision != flow.ruling.decision { flow.doubt = "who opened it is not known" }
    }
    return flow
  }

  /// Whether the other end is a socket here too, and its port, not this one's, is one that the kernel
  /// chose: the listener may have gone.
  private func isServingHere(_ socket: HostSocket) -> Bool {
    guard let ephemeral, connected[FlowEnds(socket, isReversed: true)] != nil else { return false }
    return ephemeral.contains(socket.remotePort) && !ephemeral.contains(socket.localPort)
  }

  private func isListening(_ ipProtocol: IPProtocol, _ address: IPAddress, _ port: UInt16) -> Bool {
    (listeners[ipProtocol]?[port] ?? []).contains {
      $0 == address || $0 == .v6(0) || ($0 == .v4(0) && address.family == .ipv4)
    }
  }
}
