import Bytecode
import NetfilterLink
import RuleCompiler

/// What has left a namespace, and entered it, since its meter was started.
public struct MeterReport: Encodable, Sendable {
  /// One counter.
  public struct Row: Encodable, Sendable {
    /// `egress` or `ingress`.
    public let direction: String
    /// `ipv4` or `ipv6`.
    public let family: String
    /// Packets.
    public let packets: UInt64
    /// Bytes from the IP header on.
    public let bytes: UInt64
  }

  /// Version of this form.
  public let version = 1
  /// `inet weir-meter`.
  public let table: String
  /// Whether a meter runs as weir made it; else its counters say nothing.
  public let isRunning: Bool
  /// The counters; none where no meter runs.
  public let rows: [Row]
  /// How the table differs from what weir made.
  public let differences: [String]

  enum CodingKeys: String, CodingKey { case version, table, isRunning, rows, differences }

  /// 0 when the meter runs as it should, 1 when it does not.
  public var status: ExitStatus { isRunning ? .good : .finding }
}

/// Reads the meter.
///
/// - Parameter target: where; the meter's table is named after weir's.
/// - Returns: its counters.
/// - Throws: ``OperationFailure`` when the table is somebody else's, or cannot be read.
public func readMeter(_ target: InstallTarget) throws(OperationFailure) -> MeterReport {
  try target.withSession { session in try session.meter(target) }
}

/// Starts a meter in one transaction, or leaves one that runs; its counters go on.
///
/// - Parameter target: where.
/// - Returns: the meter as it was read back.
/// - Throws: ``OperationFailure``, also when a table of that name is not weir's.
public func startMeter(_ target: InstallTarget) throws(OperationFailure) -> MeterReport {
  try target.withSession { session in
    let report = try session.meter(target)
    if report.isRunning { return report }
    let wanted = meterTable(named: target.meter.name)
    // One that somebody changed is made anew: its numbers are not to be trusted.
    try session.remove(target.meter)
    let rules = wanted.chains.flatMap { chain in
      chain.rules.enumerated().map { place, rule in
        Change.addRule(rule, chain: chain.name, position: place + 1, anonymousSets: [])
      }
    }
    try session.commit(
      [.addTable(wanted)] + wanted.chains.map(Change.addChain)
        + wanted.counters.map(Change.addCounter) + rules, to: .inet, wanted.name)
    let made = try session.meter(target)
    guard made.isRunning else {
      throw OperationFailure(
        .unknown, "the meter was read back otherwise: \(made.differences.joined(separator: "; "))")
    }
    return made
  }
}

/// Stops a meter; its numbers are gone.
///
/// - Parameter target: where.
/// - Returns: whether there was one.
/// - Throws: ``OperationFailure``; a table that is not weir's is left alone.
public func stopMeter(_ target: InstallTarget) throws(OperationFailure) -> Bool {
  try target.withSession { session in try session.remove(target.meter) }
}

extension InstallTarget {
  /// The meter's table.
  fileprivate var meter: TableIdentifier {
    TableIdentifier(family: .inet, name: "\(table)-meter")
  }
}

extension NetfilterSession where Transport: ~Copyable {
  fileprivate mutating func meter(_ target: InstallTarget) throws -> MeterReport {
    let place = target.meter
    guard let live = try readTable(family: place.family, name: place.name) else {
      return MeterReport(
        table: "\(place)", isRunning: false, rows: [], differences: ["no meter runs"])
    }
    guard live.comment == CompiledPolicy.tableComment else {
      throw OperationFailure(.finding, "table \(place) is not weir's; nothing was changed")
    }
    let differences = live.differences(from: meterTable(named: place.name)).map(\.description)
    let rows = live.counters.compactMap { counter -> MeterReport.Row? in
      let words = counter.name.split(separator: "/")
      guard words.count == 2 else { return nil }
      return MeterReport.Row(
        direction: String(words[0]), family: String(words[1]), packets: counter.packets,
        bytes: counter.bytes)
    }
    return MeterReport(
      table: "\(place)", isRunning: differences.isEmpty, rows: rows, differences: differences)
  }
}
