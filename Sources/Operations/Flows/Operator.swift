import HostAudit
import HostFacts
import LinuxSystem
import NetworkTypes

/// The connections that whoever runs weir works through.
struct Operator {
  /// The processes above this one.
  var ancestors: Set<Int32>
  /// What `SSH_CONNECTION` says in them.
  var connections: [ConntrackTuple]

  /// Who runs this process.
  static func current() -> Operator {
    Operator(
      ancestors: Set(ProcessFacts.ancestors()), connections: ProcessFacts.sshConnections())
  }

  /// Whether a socket is the near end of one of them.
  func owns(_ socket: HostSocket) -> Bool {
    if (socket.owners.value ?? []).contains(where: { ancestors.contains($0.pid) }) { return true }
    return connections.contains {
      $0.source == socket.remoteAddress && $0.sourcePort == socket.remotePort
        && $0.destination == socket.localAddress && $0.destinationPort == socket.localPort
    }
  }

  /// Whether a flow is one of them: a process above has its socket, or the ends are those of the
  /// SSH connection.
  func owns(_ flow: LiveFlow) -> Bool {
    let owners = flow.sockets.flatMap { $0.owners.value ?? [] } + (flow.owners.value ?? [])
    if owners.contains(where: { ancestors.contains($0.pid) }) { return true }
    guard flow.flow.ipProtocol == .tcp, flow.flow.direction == .inbound else { return false }
    return connections.contains {
      $0.source == flow.flow.remoteAddress && $0.sourcePort == flow.flow.remotePort
        && $0.destination == flow.flow.localAddress && $0.destinationPort == flow.flow.localPort
    }
  }
}

extension Fact<[HostProcess]> {
  /// Who holds a socket open, in one line.
  var ownerText: String {
    switch self {
    case .unknown(let reason): "owner unknown: \(reason)"
    case .known(let processes) where processes.isEmpty: "open in no process"
    case .known(let processes):
      processes.map { "\($0.name) (pid \($0.pid))" }.joined(separator: ", ")
    }
  }
}
