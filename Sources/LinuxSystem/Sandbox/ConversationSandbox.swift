import CLinux
public import ConnectionReplay
import Glibc
public import HostFacts
import NetworkTypes

/// Holds real TCP and UDP conversations between a throw-away host and a whole Internet.
///
/// Every address of both families answers on every port. Load the rules under test into
/// ``filter``, then observe. Conversations run many at a time. Not for two threads at once.
public final class ConversationSandbox {
  /// Where the probes come from.
  public var inside: NetworkNamespace { topology.inside }
  /// Where the rules under test belong.
  public var filter: NetworkNamespace { topology.filter }
  /// Where the servers are.
  public var outside: NetworkNamespace { topology.outside }
  /// The addresses of both ends.
  public var addresses: SandboxAddresses { topology.addresses }

  private let topology: SandboxTopology
  private let server: CatchAllServer
  private let witness: PacketWitness
  private let timeoutNanoseconds: UInt64

  /// Makes the namespaces and starts the servers.
  ///
  /// - Parameters:
  ///   - addresses: of both ends.
  ///   - timeoutMilliseconds: how long silence must last to count; 1 or more.
  ///   - isRouted: whether a router with the rules stands between both ends.
  ///   - installRedirect: is called in the outside namespace with the server's port, and installs
  ///     there a rule that sends every TCP and UDP packet of both families to that port:
  ///     `redirect` in a nat chain at prerouting.
  /// - Throws: ``LinuxError``, or what `installRedirect` throws.
  public init(
    addresses: SandboxAddresses = SandboxAddresses(), timeoutMilliseconds: Int = 300,
    isRouted: Bool = false, installRedirect: (UInt16) throws -> Void
  ) throws {
    precondition(timeoutMilliseconds > 0, "a conversation needs time")
    topology = try SandboxTopology(.answering, addresses: addresses, isRouted: isRouted)
    timeoutNanoseconds = UInt64(timeoutMilliseconds) * 1_000_000
    let link = topology.outsideLinkIndex
    witness = try topology.outside.visit { () throws(LinuxError) in
      try PacketWitness(linkIndex: link)
    }
    server = try CatchAllServer(in: topology.outside)
    try topology.installRedirect(to: server.port, installRedirect)
  }
}

extension ConversationSandbox: NetworkSandbox {
  /// How many conversations run at a time; below the usual limit of 1024 descriptors.
  private static let window = 300

  /// Tries every probe that is a plain TCP or UDP one.
  ///
  /// - Parameter probes: others, and those to the host itself, get ``Observation/notTried(_:)``.
  /// - Returns: one observation per probe, in the order of `probes`.
  /// - Throws: ``LinuxError`` when the sandbox itself fails.
  public func observe(_ probes: [Probe]) throws(LinuxError) -> [Observation] {
    guard !inside.identity.isMachinesOwn else { throw .machinesOwnNamespace }
    return try inside.visit { () throws(LinuxError) in
      var run = ConversationRun(probes.count)
      var next = 0
      while next < probes.count || !run.inFlight.isEmpty {
        while next < probes.count, run.inFlight.count < ConversationSandbox.window {
          try begin(probes[next], next, &run)
          next += 1
        }
        run.step(witness)
      }
      return run.observations
    }
  }

  /// What conntrack inside keeps of flows while both ends hold them open.
  ///
  /// - Parameter probes: plain outbound ones.
  /// - Returns: one entry for each probe, nil where nobody answered or nothing is tracked.
  /// - Throws: ``LinuxError``.
  public func tracked(_ probes: [Probe]) throws(LinuxError) -> [ConntrackEntry?] {
    guard !inside.identity.isMachinesOwn else { throw .machinesOwnNamespace }
    server.hold(true)
    defer { server.hold(false) }
    return try inside.visit { () throws(LinuxError) in
      var run = ConversationRun(probes.count)
      for (index, probe) in probes.enumerated() { try begin(probe, index, &run) }
      // The conversations, and so their sockets, live until conntrack has been read.
      let open = run.inFlight
      while !run.inFlight.isEmpty { run.step(witness) }
      let entries = try filter.visit { () throws(LinuxError) in try ConntrackEntry.all() }
      return withExtendedLifetime(open) {
        probes.indices.map { index in
          guard case .conversation(.answered) = run.observations[index] else { return nil }
          let flow = probes[index].flow
          // Of several flows to one place the open one is the one that lives longest.
          return entries.filter {
            $0.ipProtocol == flow.ipProtocol && $0.original.destination == flow.remoteAddress
              && $0.original.destinationPort == flow.remotePort
          }.max { ($0.timeoutSeconds ?? 0) < ($1.timeoutSeconds ?? 0) }
        }
      }
    }
  }

  private func begin(
    _ probe: Probe, _ index: Int, _ run: inout ConversationRun
  ) throws(LinuxError) {
    if let reason = reasonNotToTry(probe) {
      run.observations[index] = .notTried(reason)
      return
    }
    let deadline = ProcessFacts.monotonicNanoseconds() + timeoutNanoseconds
    do throws(LinuxError) {
      run.add(
        probe.flow.direction == .outbound
          ? try beginOutbound(probe.flow, index, deadline)
          : try beginInbound(probe.flow, index, deadline))
    } catch .refused("converse", let errno) {
      run.observations[index] = .conversation(ConversationOutcome(atOnce: errno))
    }
  }

  private func reasonNotToTry(_ probe: Probe) -> String? {
    if probe.shape != .plain { return "a socket cannot make this shape" }
    switch probe.flow.ipProtocol {
    case .tcp, .udp: break
    default: return "conversations are TCP and UDP"
    }
    if probe.flow.direction == .inbound {
      if probe.flow.localPort == nil { return "an inbound conversation needs the local port" }
    } else if addresses.isOwn(probe.flow.remoteAddress) {
      return "the destination is the host itself"
    } else if probe.flow.ipProtocol == .tcp, isGroup(probe.flow) {
      return "TCP speaks to one host only"
    }
    return nil
  }

  private func isGroup(_ flow: Flow) -> Bool {
    let remote = flow.remoteAddress
    return remote.isGroup || flow.isLinkBroadcast || addresses.directedBroadcasts.contains(remote)
  }

  private func beginOutbound(
    _ flow: Flow, _ index: Int, _ deadline: UInt64
  ) throws(LinuxError) -> Conversation {
    let remote = flow.remoteAddress
    let target = SocketAddress(
      remote, port: flow.remotePort ?? 0, scope: remote.isLinkScoped ? topology.insideLinkIndex : 0)
    let client = try openClient(flow.ipProtocol, remote.family)
    if flow.localPort != nil || flow.localAddress != nil {
      let local = SocketAddress(
        flow.localAddress ?? (remote.family == .ipv4 ? .v4(0) : .v6(0)), port: flow.localPort ?? 0)
      try conversing { () throws(LinuxError) in try client.bind(to: local) }
    }
    let isGroup = isGroup(flow)
    let isDatagram = flow.ipProtocol == .udp
    try open(client, to: target, isDatagram: isDatagram, isConnected: !(isDatagram && isGroup))
    let local = try client.localAddress(remote.family).port
    return Conversation(
      index: index, deadline: deadline, client: client, listener: nil,
      phase: !isDatagram ? .connecting : isGroup ? .watching : .reading,
      mark: WireMark(flow.ipProtocol, from: local, to: target), isInbound: false)
  }

  /// Listens inside, and calls from outside in the name of the flow's remote end.
  private func beginInbound(
    _ flow: Flow, _ index: Int, _ deadline: UInt64
  ) throws(LinuxError) -> Conversation {
    let family = flow.remoteAddress.family
    let isDatagram = flow.ipProtocol == .udp
    let target = SocketAddress(
      flow.localAddress ?? addresses.inside(family), port: flow.localPort ?? 0)
    let listener = try openClient(flow.ipProtocol, family)
    try conversing { () throws(LinuxError) in try listener.bind(to: target) }
    if !isDatagram {
      let number = listener.number
      _ = try checked("listen") { listen(number, 16) }
    }
    let client = try outside.visit { () throws(LinuxError) in
      try openClient(flow.ipProtocol, family)
    }
    // The outside has every address by its routes; IPv6 must be told that this is meant.
    try client.set(
      SocketLevel.of(family),
      Int32(family == .ipv4 ? linux_ip_freebind : linux_ipv6_freebind))
    let from = SocketAddress(flow.remoteAddress, port: flow.remotePort ?? 0)
    try conversing { () throws(LinuxError) in try client.bind(to: from) }
    try open(client, to: target, isDatagram: isDatagram, isConnected: true)
    return Conversation(
      index: index, deadline: deadline, client: client, listener: listener,
      phase: isDatagram ? .reading : .connecting, mark: nil, isInbound: true)
  }

  private func openClient(
    _ ipProtocol: IPProtocol, _ family: Family
  ) throws(LinuxError) -> FileDescriptor {
    let socket = try FileDescriptor.socket(family, ipProtocol == .udp ? .datagram : .stream)
    try socket.set(SOL_SOCKET, SO_REUSEADDR)
    if family == .ipv4 { try socket.set(SOL_SOCKET, SO_BROADCAST) }
    return socket
  }

  /// Calls the other side: connect, and for UDP the datagram.
  private func open(
    _ client: borrowing FileDescriptor, to target: SocketAddress, isDatagram: Bool,
    isConnected: Bool
  ) throws(LinuxError) {
    let number = client.number
    if isConnected {
      do throws(LinuxError) {
        _ = try checked("converse") {
          unsafe target.lend { unsafe connect(number, $0, $1) }
        }
      } catch .refused(_, ErrorNumber(rawValue: EINPROGRESS)) {
        return
      }
    }
    guard isDatagram else { return }
    let datagram = Conversation.datagram
    _ = try checked("converse") {
      Int32(
        unsafe target.lend { address, length in
          isConnected
            ? unsafe send(number, datagram, datagram.count, 0)
            : unsafe sendto(number, datagram, datagram.count, 0, address, length)
        })
    }
  }

  /// Marks a failure as one of the conversation, not of the sandbox.
  private func conversing(_ body: () throws(LinuxError) -> Void) throws(LinuxError) {
    do throws(LinuxError) {
      try body()
    } catch .refused(_, let errno) {
      throw .refused(operation: "converse", errno: errno)
    }
  }
}
