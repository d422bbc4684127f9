import HostAudit
import HostFacts
import LinuxSystem
import NetworkTypes
import PolicyLanguage
import PolicyMeaning

// The flows that are open while a policy is installed: rules let a known flow go on, so that those
// which the new policy denies are ended, and those of which conntrack knows nothing yet are made
// known to it.

/// What became of the flows that were open.
public struct FlowsReport: Encodable, Sendable {
  /// What is done with a flow that the policy denies.
  public enum Treatment: String, Encodable, Sendable {
    /// Its sockets are destroyed and conntrack forgets it.
    case ended
    /// It goes on until it ends by itself.
    case kept
    /// A dry run: it would be ended.
    case wouldEnd = "would end"
    /// A dry run: it would go on.
    case wouldKeep = "would keep"
  }

  /// A flow that the policy denies.
  public struct Row: Encodable, Hashable, Sendable {
    /// The flow, as `weir explain` takes it.
    public let flow: String
    /// The clause that denies it.
    public let clause: String
    /// Where the clause stands, `file:line:column`; nil for one that no line writes.
    public let at: String?
    /// Its processes, or why they are not known.
    public let process: String
    /// Whether it goes through this host.
    public let isForwarded: Bool
    /// Whether it is a connection that the caller works through.
    public let isOperators: Bool

    enum CodingKeys: String, CodingKey {
      case flow, clause, at, process, isForwarded, isOperators
    }
  }

  /// What is done with those that the policy denies.
  public let treatment: Treatment
  /// The flows that were open and that the policy denies.
  public let denied: [Row]
  /// Those of them that were still open afterwards.
  public internal(set) var remaining: [Row] = []
  /// How many open flows the policy allows.
  public let allowedCount: Int
  /// How many open connections conntrack did not know, and now does; else rules would stop them.
  public internal(set) var trackedCount = 0
  /// What could not be read or judged, and what could not be ended, each with the reason.
  public internal(set) var unknowns: [String]

  enum CodingKeys: String, CodingKey {
    case treatment, denied, remaining, allowedCount, trackedCount, unknowns
  }
}

extension FlowsReport {
  /// What became of the flows of several policies together; nil for no policy.
  static func joined(_ reports: [FlowsReport]) -> FlowsReport? {
    guard let first = reports.first else { return nil }
    var joined = FlowsReport(
      treatment: first.treatment, denied: reports.flatMap(\.denied),
      allowedCount: reports.map(\.allowedCount).reduce(0, +),
      unknowns: reports.flatMap(\.unknowns).uniqued())
    joined.remaining = reports.flatMap(\.remaining)
    joined.trackedCount = reports.map(\.trackedCount).reduce(0, +)
    return joined
  }
}

/// The open flows of the calling thread's namespace, judged by a policy that is about to be in force.
struct ExistingFlows {
  private let policy: Policy
  private let names: NameAnswers
  private let scopes: [FoundScope]?
  private let own: Operator
  private(set) var judged: FlowReport
  private(set) var report: FlowsReport

  /// What to do about a lock-out.
  static let advice =
    "Allow it in the policy, try it out with --confirm 60s, leave open flows alone with"
    + " --keep-existing, or cut it with --force"

  /// What to do about a lock-out by a scope's policy.
  static let adviceForScopes =
    "Allow it in the policy, leave open flows alone with --keep-existing, or cut it with --force"

  /// Reads and judges; changes nothing.
  ///
  /// - Parameters:
  ///   - host: the namespace, as ``HostReader/readFlowsHere()`` read it.
  ///   - policy: the policy.
  ///   - names: the addresses of its names.
  ///   - treatment: what is to be done with flows that it denies.
  ///   - scopes: whose flows are judged; nil for all.
  init(
    _ host: HostState, _ policy: Policy, _ names: NameAnswers,
    treatment: FlowsReport.Treatment, of scopes: [FoundScope]? = nil
  ) {
    self.policy = policy
    self.names = names
    self.scopes = scopes
    own = Operator.current()
    let own = own
    judged = host.flows(judgedBy: policy, names, of: scopes)
    report = FlowsReport(
      treatment: treatment, denied: judged.outside.map { FlowsReport.Row($0, own) },
      allowedCount: judged.within.count,
      unknowns: judged.unknowns + judged.undecided.map(\.doubtText))
  }

  /// The connection that the caller works through and that would not go on, in words; nil when there
  /// is none.
  func lockOut() -> String? {
    let keeps = [.kept, .wouldKeep].contains(report.treatment)
    if !keeps, let row = report.denied.first(where: \.isOperators) {
      return "your own connection, \(row.flow), would be cut: clause \(row.clause) denies it"
        + (row.at.map { " (\($0))" } ?? "")
    }
    if let flow = judged.undecided.first(where: { own.owns($0) && $0.entry == nil }) {
      return "whether your own connection goes on cannot be decided: \(flow.doubtText)"
    }
    return nil
  }

  /// Makes conntrack know the TCP connections that it does not, so that the rules let them go on:
  /// those that the policy allows, and the others too where they are to be kept.
  mutating func track() {
    let kept = report.treatment == .kept ? judged.outside : []
    for flow in judged.within + kept {
      guard flow.entry == nil, let socket = flow.sockets.first, let ends = flow.tuple,
        let isClosing = socket.trackedAsClosing
      else { continue }
      do throws(LinuxError) {
        if try FlowEnder.track(ends, isClosing: isClosing) { report.trackedCount += 1 }
      } catch {
        report.unknowns.append("\(FlowText(flow.flow)): \(error)")
      }
    }
  }

  /// Ends what the policy denies, and looks again: what opened before the rules were in force may
  /// have come in between.
  mutating func end() {
    guard report.treatment == .ended else { return }
    var rest = judged.outside
    var rows = Set(report.denied)
    for _ in 0..<3 where !rest.isEmpty {
      end(rest)
      rest = HostReader.readFlowsHere().flows(judgedBy: policy, names, of: scopes).outside
      // A socket without an entry has nothing by which its packets would pass.
      rest = rest.filter { $0.entry != nil || rows.contains(FlowsReport.Row($0, own)) }
      for flow in rest { rows.insert(FlowsReport.Row(flow, own)) }
    }
    report.remaining = rest.map { FlowsReport.Row($0, own) }
  }

  private mutating func end(_ flows: [LiveFlow]) {
    do throws(LinuxError) {
      // Sockets first: while conntrack knows the flow, the reset still reaches the other end.
      for socket in flows.flatMap(\.sockets) { _ = try FlowEnder.destroy(socket) }
    } catch {
      report.unknowns.append("sockets are not destroyed: \(error)")
    }
    do throws(LinuxError) {
      _ = try FlowEnder.forget(flows.compactMap(\.entry))
    } catch {
      report.unknowns.append("conntrack does not forget: \(error)")
    }
  }
}

extension HostState {
  /// The open flows of some scopes, or all, judged by a policy.
  fileprivate func flows(
    judgedBy policy: Policy, _ names: NameAnswers, of scopes: [FoundScope]?
  ) -> FlowReport {
    let all = liveFlows(judgedBy: policy, names: names)
    return scopes.map { ScopeFlows($0, self).own(all, policy, names) } ?? all
  }
}

extension FlowsReport.Row {
  fileprivate init(_ flow: LiveFlow, _ own: Operator) {
    self.flow = "\(FlowText(flow.flow))"
    clause = flow.ruling.clause
    at = flow.ruling.location.map { "\($0)" }
    process = flow.owners.ownerText
    isForwarded = flow.isForwarded
    isOperators = own.owns(flow)
  }
}

extension LiveFlow {
  /// The flow, its processes, and why it is undecided.
  fileprivate var doubtText: String {
    "\(FlowText(flow)), \(owners.ownerText): \(doubt ?? "not decided")"
  }

  /// The ends as the first packet of a TCP connection had them; nil for anything else.
  fileprivate var tuple: ConntrackTuple? {
    guard flow.ipProtocol == .tcp, let local = flow.localAddress else { return nil }
    let here = (local, flow.localPort)
    let there = (flow.remoteAddress, flow.remotePort)
    let (from, to) = flow.direction == .outbound ? (here, there) : (there, here)
    return ConntrackTuple(
      source: from.0, destination: to.0, sourcePort: from.1, destinationPort: to.1)
  }
}

extension HostSocket {
  /// Whether conntrack would call an open connection closing; nil where it is not open.
  ///
  /// `TCP_ESTABLISHED` 1, `TCP_CLOSE_WAIT` 8.
  fileprivate var trackedAsClosing: Bool? {
    switch state {
    case 1: false
    case 8: true
    default: nil
    }
  }
}
