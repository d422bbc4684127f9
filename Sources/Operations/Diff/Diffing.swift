import HostFacts
import NetworkTypes
import PacketSets
import PolicyLanguage
import PolicyMeaning
import SymbolicAnalysis

/// What to compare.
public struct DiffRequest: Sendable {
  /// The first side: `live`, a snapshot file, or a policy by file or name.
  public var a: String
  /// The second side, likewise.
  public var b: String
  /// The running kernel that `live` is, and the name of weir's table.
  public var target = InstallTarget()
  /// Addresses of the policies' names; others are those in weir's table on the other side, or made up.
  public var pins = NamePins()
  /// Intervals of decision diagrams at most; beyond, the answer is unknown.
  public var intervalBudget = 64 << 20

  /// Compares two sides.
  public init(_ a: String, _ b: String) {
    self.a = a
    self.b = b
  }
}

/// Decides for every packet whether two sides treat it alike, and names packets that they do not.
///
/// Needs no right unless a side is `live`; changes nothing, and sends nothing.
///
/// - Parameters:
///   - request: what to compare.
///   - progress: is called with one line of text now and then.
/// - Returns: what differs; its status is the exit code.
/// - Throws: ``OperationFailure`` when a side cannot be read.
public func diff(
  _ request: DiffRequest, progress: (String) -> Void = { _ in }
) throws(OperationFailure) -> DiffReport {
  let a = try DiffOrigin(request.a, request.target, progress)
  let b = try DiffOrigin(request.b, request.target, progress)
  var comparer = DiffComparer(a, b, request)
  comparer.compareAll(progress)
  return comparer.report
}

/// Decides which packets two editions of a policy treat differently.
///
/// - Parameters:
///   - before: side A.
///   - after: side B.
///   - target: the name of weir's table.
///   - pins: addresses of names; others are made up, alike on both sides.
/// - Returns: what passes on one side alone.
func diff(
  from before: LoadedPolicy, to after: LoadedPolicy, _ target: InstallTarget, _ pins: NamePins
) -> DiffReport {
  var request = DiffRequest("before", "after")
  request.target = target
  request.pins = pins
  var comparer = DiffComparer(.policy(before), .policy(after), request)
  comparer.compareAll { _ in }
  return comparer.report
}

extension DiffComparer {
  /// Prepares the comparison of two origins.
  fileprivate init(_ a: DiffOrigin, _ b: DiffOrigin, _ request: DiffRequest) {
    let snapshots = [a, b].compactMap(\.snapshot)
    let hosts = [a, b].compactMap(\.host)
    let names = NameMeanings(a, b, request)
    let table = request.target.table
    let sides = (
      DiffSide(a, names: names.a, tableName: table, against: b),
      DiffSide(b, names: names.b, tableName: table, against: a)
    )
    var facts = hosts.first?.analysisFacts ?? AnalysisFacts()
    var remarks = snapshots.compactMap(\.quirks.remark) + names.remarks
    if let other = hosts.dropFirst().first?.analysisFacts {
      if facts.links != other.links {
        facts.links = nil
        remarks.append("the sides have different links; both are meant for a host with any")
      }
      if facts.localAddresses != other.localAddresses
        || facts.broadcastAddresses != other.broadcastAddresses
      {
        facts.localAddresses = nil
        facts.broadcastAddresses = nil
        remarks.append("the sides have different addresses; both are meant for a host with any")
      }
    }
    let mayForward = hosts.contains { $0.hostState.mayForward }
    let ways: [PacketWay] = mayForward ? [.egress, .forwarding, .ingress] : [.egress, .ingress]
    var report = DiffReport(
      a: DiffSource(kind: a.kind, name: request.a), b: DiffSource(kind: b.kind, name: request.b),
      ways: ways.map(\.name))
    report.assumptions = remarks.uniqued()
    for (name, origin) in [("A", a), ("B", b)] {
      report.warnings += origin.warnings
      guard let snapshot = origin.snapshot else { continue }
      let unread = snapshot.unknownSections.map { "section \($0)" }
      report.causes += (unread + (snapshot.host?.unknownKeys ?? [])).map {
        "\(name): the snapshot's \($0) is not known here"
      }
    }
    self.init(
      sides, on: facts, ways: ways, filling: report, budget: request.intervalBudget)
  }
}
