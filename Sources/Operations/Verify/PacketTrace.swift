import Bytecode
import ConnectionReplay
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

/// Reads the trace of the packets that were sent, in the namespace it was made in.
final class PacketTrace {
  /// A packet whose events are to come.
  private struct Expected {
    var place: Int
    var tag: PacketTag
    var ruling: Ruling
  }

  private var monitor: TraceMonitor
  private let table: String
  /// The packets since the last reading, in the order sent.
  private var expected: [Expected] = []
  /// The events of the packet at hand, of all tables.
  private var events: [TraceEvent] = []
  private var clauses: [String: String] = [:]
  /// What happened to each packet, by its place; nil for one that met no rule.
  private(set) var walks: [TracedWalk?] = []

  /// Marks every packet that passes a hook for tracing, and listens.
  init(_ table: String, at hook: Hook) throws {
    self.table = table
    monitor = try TraceMonitor.open()
    var session = NetfilterSession(try NetlinkSocket.open())
    try session.startTracing(at: [hook])
  }

  /// Forgets what was read, for `count` packets to come.
  func begin(_ count: Int) {
    walks = [TracedWalk?](repeating: nil, count: count)
    expected.removeAll(keepingCapacity: true)
  }

  /// Notes that a packet was just sent; true when the trace should be read.
  ///
  /// A dozen packets make about as many events as one call receives; with hundreds, the kernel's
  /// buffers leave the processor's cache before they are read.
  func note(_ place: Int, _ tag: PacketTag, expecting ruling: Ruling) -> Bool {
    expected.append(Expected(place: place, tag: tag, ruling: ruling))
    return expected.count >= 12
  }

  /// Reads what the kernel said about the packets sent since the last reading.
  ///
  /// The kernel tells of packets in the order in which they were sent, each by its header, and speaks
  /// of others now and then: a rejection's answer, its own words on the link.
  func read() throws(KernelError) {
    var next = 0
    var current: Int?
    events.removeAll(keepingCapacity: true)
    try monitor.drain { event in
      // A packet's header comes once for each base chain.
      if let tag = event.tag, current.map({ expected[$0].tag == tag }) != true {
        guard let found = expected[next...].firstIndex(where: { $0.tag == tag }) else { return }
        finish(current)
        current = found
        next = found + 1
      } else if event.identifier != events.first?.identifier {
        return
      }
      events.append(event)
    }
    finish(current)
    expected.removeAll(keepingCapacity: true)
  }

  /// Takes down what the events of one packet say.
  private func finish(_ index: Int?) {
    guard let index else { return }
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
    if !walk.agrees(with: expected[index].ruling) {
      walk.steps = events.filter { $0.table == table }.map(\.text)
    }
    walks[expected[index].place] = walk
    events.removeAll(keepingCapacity: true)
  }

  private func clause(of chain: String) -> String? {
    if let known = clauses[chain] { return known }
    let clause = Operations.clause(ofChain: chain)
    clauses[chain] = clause
    return clause
  }
}

extension TraceEvent {
  /// The probe's tag in the network header, if there is one.
  fileprivate var tag: PacketTag? {
    guard let destination else { return nil }
    let number: UInt16? = networkHeader.number(at: destination.family == .ipv4 ? 4 : 2)
    return number.map { PacketTag(number: $0, destination: destination) }
  }

  /// The step for people: `g1/new4 rule handle 12: goto g1/deny/bind`.
  fileprivate var text: String {
    let place = ruleHandle.map { "rule handle \($0)" } ?? "\(kind)"
    return "\(chain) \(place): \(outcome)\(target.map { " \($0)" } ?? "")"
  }
}
