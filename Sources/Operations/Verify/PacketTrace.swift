import Bytecode
import NetfilterLink
import NetworkTypes
import PolicyMeaning

/// What the kernel's trace says about one packet.
struct TracedWalk {
  /// What the table under test did with it; nil when the trace does not say.
  var decision: Decision?
  /// The clause of the chain that dropped it.
  var clause: String?
  /// The steps, for people; only where the trace says something else than the reference.
  var steps: [String] = []

  /// Whether the trace says what the reference says; an allowance has no clause in a trace.
  func agrees(with ruling: Ruling) -> Bool {
    decision == ruling.decision && (decision == .allow || clause == ruling.clause)
  }
}

/// Reads the trace of one packet after the other in the namespace it was made in.
final class PacketTrace {
  private var monitor: TraceMonitor
  private let table: String
  private var events: [TraceEvent] = []
  private var clauses: [String: String] = [:]
  /// The first thing that went wrong; later packets are not read any more.
  private(set) var failure: KernelError?

  /// Marks every outgoing packet for tracing, and listens.
  init(_ table: String) throws {
    self.table = table
    monitor = try TraceMonitor.open()
    var session = NetfilterSession(try NetlinkSocket.open())
    try session.startTracing(at: [.output])
  }

  /// What happened to the packet that was just sent; nil when it met no rule.
  ///
  /// A rejection sends packets of its own, and the kernel speaks to the link now and then: only the
  /// steps of the first packet to `destination` count.
  func read(to destination: IPAddress, expecting ruling: Ruling) -> TracedWalk? {
    guard failure == nil else { return nil }
    events.removeAll(keepingCapacity: true)
    do throws(KernelError) {
      try monitor.drain { event in
        guard let first = events.first else {
          if event.destination == destination { events.append(event) }
          return
        }
        if event.identifier == first.identifier { events.append(event) }
      }
    } catch {
      failure = error
      return nil
    }
    if events.isEmpty { return nil }
    var walk = TracedWalk()
    for event in events where event.table == table {
      switch event.outcome {
      case .accept: walk.decision = .allow
      case .drop:
        walk.decision = .deny
        walk.clause = clause(of: event.chain)
      default: break
      }
    }
    if !walk.agrees(with: ruling) {
      walk.steps = events.filter { $0.table == table }.map(\.text)
    }
    return walk
  }

  private func clause(of chain: String) -> String? {
    if let known = clauses[chain] { return known }
    let clause = Operations.clause(ofChain: chain)
    clauses[chain] = clause
    return clause
  }
}

extension TraceEvent {
  /// The step for people: `g1/new4 rule handle 12: goto g1/deny/bind`.
  fileprivate var text: String {
    let place = ruleHandle.map { "rule handle \($0)" } ?? "\(kind)"
    return "\(chain) \(place): \(outcome)\(target.map { " \($0)" } ?? "")"
  }
}
