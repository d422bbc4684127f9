import HostAudit
import HostFacts
import LinuxSystem
import NetfilterLink
import NetworkTypes

/// What to reap.
public struct ReapRequest: Sendable {
  /// Where; the table says after how long, unless ``idleSeconds`` does.
  public var target = InstallTarget()
  /// After how many seconds without data; nil for what the policy in force says.
  public var idleSeconds: Int?
  /// Whether nothing is destroyed.
  public var isDryRun = false
  /// Whether the caller's own connections are destroyed, too.
  public var isForced = false

  /// Reaps in the caller's own namespace.
  public init() {}
}

/// What became of idle sockets.
public struct ReapReport: Encodable, Sendable {
  /// One idle connection.
  public struct Row: Encodable, Sendable {
    /// What became of it.
    public enum Outcome: String, Encodable, Sendable {
      /// It is gone; its process reads an aborted connection, the other end got a reset.
      case destroyed
      /// A dry run.
      case wouldBeDestroyed = "would be destroyed"
      /// The caller works through it.
      case own = "left: your own"
      /// Whose it is cannot be read, so that it may be the caller's.
      case unclear = "left: its owner is not known"
      /// It could not be destroyed.
      case remains = "still open"
    }

    /// The ends: `tcp from ADDRESS:PORT to ADDRESS:PORT`, this host's first.
    public let socket: String
    /// Whole seconds without data.
    public let silentSeconds: Int
    /// Its processes, or why they are not known.
    public let process: String
    /// What became of it.
    public internal(set) var outcome: Outcome
  }

  /// Version of this form.
  public let version = 1
  /// Seconds without data after which a connection is idle.
  public let idleSeconds: Int
  /// The idle connections.
  public internal(set) var rows: [Row] = []
  /// How many open connections are in use.
  public internal(set) var busyCount = 0
  /// How many connected UDP sockets there are, of which the kernel keeps no time.
  public internal(set) var datagramCount = 0
  /// What could not be done.
  public internal(set) var unknowns: [String] = []

  /// 1 when something idle is still open that should not be.
  public var status: ExitStatus {
    rows.contains { $0.outcome == .remains } || !unknowns.isEmpty ? .finding : .good
  }
}

/// Destroys TCP sockets that have carried no data for as long as the clause `idle` says.
///
/// Conntrack forgets their flows by itself; this takes the sockets from their programs, too. The
/// caller's own connections stay unless that is asked for.
///
/// - Parameter request: where, and after how long.
/// - Returns: what was done, one row for each idle connection.
/// - Throws: ``OperationFailure``.
public func reap(_ request: ReapRequest) throws(OperationFailure) -> ReapReport {
  try request.target.withSession { session in
    let status = try session.status(of: request.target.identifier)
    guard let limit = request.idleSeconds ?? status?.idleSeconds else {
      throw OperationFailure(
        .usage,
        "no policy with an idle time is in force as table \(request.target.identifier);"
          + " say after how long with --idle 10m")
    }
    var report = ReapReport(idleSeconds: limit)
    let host = HostReader.readFlowsHere()
    let sockets = host.sockets.flatMap { $0.sockets.value ?? [] }
    for table in host.sockets {
      if let reason = table.sockets.reason {
        report.unknowns.append("\(table.kind.rawValue) sockets: \(reason)")
      }
    }
    report.datagramCount = sockets.count { $0.ipProtocol == .udp && $0.isConnected }
    let owners = Dictionary(sockets.map { ($0.inode, $0.owners) }) { first, _ in first }
    let own = Operator.current()
    // Read last, so that little can happen between the reading and the end.
    for silence in try SocketSilence.allHere() {
      guard Int(silence.silentMilliseconds) >= limit * 1000 else {
        report.busyCount += 1
        continue
      }
      var socket = silence.socket
      socket.owners = owners[socket.inode] ?? .unknown("opened since")
      var row = ReapReport.Row(
        socket: socket.endsText, silentSeconds: Int(silence.silentMilliseconds) / 1000,
        process: socket.owners.ownerText, outcome: .wouldBeDestroyed)
      if own.owns(socket), !request.isForced {
        row.outcome = .own
      } else if let reason = socket.owners.reason, !request.isForced {
        row.outcome = .unclear
        report.unknowns.append("\(row.socket): owner unknown: \(reason)")
      } else if !request.isDryRun {
        do throws(LinuxError) {
          _ = try FlowEnder.destroy(socket)
          row.outcome = .destroyed
        } catch {
          row.outcome = .remains
          report.unknowns.append("\(row.socket): \(error)")
        }
      }
      report.rows.append(row)
    }
    return report
  }
}

extension HostSocket {
  /// Both ends, its own first.
  fileprivate var endsText: String {
    func end(_ address: IPAddress, _ port: UInt16) -> String {
      address.family == .ipv4 ? "\(address):\(port)" : "[\(address)]:\(port)"
    }
    return "\(ipProtocol) from \(end(localAddress, localPort)) to"
      + " \(end(remoteAddress, remotePort))"
  }
}
