public import HostFacts
public import NetworkTypes
public import PolicyLanguage
import PolicyMeaning

extension HostState {
  /// Judges every socket that takes what others send unasked.
  ///
  /// TCP and SCTP sockets that listen, datagram sockets that are not connected, and raw sockets.
  /// The policy is asked about an inbound flow to each. An unconnected UDP socket on a port that
  /// the kernel may have chosen is undecided: most of them are clients.
  ///
  /// - Parameter policy: what is admitted.
  /// - Returns: every such socket, in one of four lists; what could not be read is named.
  ///
  /// O(sockets).
  public func listeners(judgedBy policy: Policy) -> ListenerReport {
    var report = ListenerReport(beyond: [], undecided: [], admitted: [], local: [], unknowns: [])
    let ephemeral = ephemeralPorts
    for table in sockets where table.kind != .icmp {
      switch table.sockets {
      case .unknown(let reason): report.unknowns.append("\(table.kind.rawValue) sockets: \(reason)")
      case .known(let list):
        let isRaw = table.kind == .raw
        for socket in list where isRaw ? !socket.isConnected : socket.isListening {
          report.add(
            judged(socket, isRaw: isRaw, policy, ephemeral),
            isLocal: socket.localAddress.isLoopback)
        }
      }
    }
    return report
  }

  private func judged(
    _ socket: HostSocket, isRaw: Bool, _ policy: Policy, _ ephemeral: ClosedRange<UInt16>?
  ) -> Listener {
    let address = socket.localAddress.unmapped
    let hasPort = socket.ipProtocol.hasPorts && !isRaw
    let flow = Flow(
      direction: .inbound, ipProtocol: socket.ipProtocol, localAddress: address,
      localPort: hasPort ? socket.localPort : nil,
      remoteAddress: address.family == .ipv4 ? .v4(0) : .v6(0))
    var listener = Listener(socket: socket, ruling: policy.decision(for: flow))
    if socket.localAddress == .v6(0) { listener.takesIPv4 = socket.isIPv6Only.map { !$0 } }
    let isDatagram = socket.ipProtocol == .udp || socket.ipProtocol == .udplite
    if listener.ruling.decision == .deny, isDatagram, !isRaw {
      if let ephemeral {
        if ephemeral.contains(socket.localPort) {
          listener.doubt = "not connected, on a port that the kernel may have chosen for a client"
        }
      } else {
        listener.doubt = "not connected, and which ports the kernel chooses is not known"
      }
    }
    return listener
  }

  /// The local ports that the kernel chooses from; nil where it did not say.
  var ephemeralPorts: ClosedRange<UInt16>? {
    guard let text = setting("net/ipv4/ip_local_port_range").value?.text else { return nil }
    let parts = text.split { $0 == " " || $0 == "\t" }
    guard parts.count == 2, let first = UInt16(parts[0]), let last = UInt16(parts[1]),
      first <= last
    else { return nil }
    return first...last
  }
}

extension ListenerReport {
  fileprivate mutating func add(_ listener: Listener, isLocal: Bool) {
    if listener.ruling.decision == .allow {
      admitted.append(listener)
    } else if isLocal {
      local.append(listener)
    } else if listener.doubt != nil {
      undecided.append(listener)
    } else {
      beyond.append(listener)
    }
  }
}

extension IPAddress {
  /// The IPv4 address inside `::ffff:a.b.c.d`, which is how an IPv6 socket says it; else itself.
  public var unmapped: IPAddress {
    guard case .v6(let bits) = self, bits >> 32 == 0xffff else { return self }
    return .v4(UInt32(truncatingIfNeeded: bits))
  }

  /// Whether it is in 127.0.0.0/8, in either spelling, or is ::1.
  var isLoopback: Bool {
    switch unmapped {
    case .v4(let bits): bits >> 24 == 127
    case .v6(let bits): bits == 1
    }
  }
}
