import NetworkTypes
public import PacketSets

// Packets of one scope, as sets of the analysis.

extension SymbolicAnalyzer {
  /// The packets of sockets that a user made.
  ///
  /// - Throws: ``PacketSetError/tooComplex``.
  public mutating func packets(ofUser user: UInt32) throws(PacketSetError) -> Diagram {
    try diagrams.intersection(diagrams.set(.socket, 1), diagrams.set(.socketUser, user))
  }

  /// The packets of sockets that were made in a cgroup or below it.
  ///
  /// - Parameters:
  ///   - id: its number, 8 bytes host order.
  ///   - level: how far below the root it is, from 1.
  /// - Returns: nil when rules ask for cgroups of another level, or of several: which of those the
  ///   packets are in is not known.
  /// - Throws: ``PacketSetError/tooComplex``.
  public mutating func packets(
    ofCgroup id: [UInt8], level: UInt32
  ) throws(PacketSetError) -> Diagram? {
    let sockets = try diagrams.set(.socket, 1)
    guard asksForCgroups else { return sockets }
    guard level == cgroupLevel else { return nil }
    // A number that no rule asks for is one of the others, value 0.
    let value = cgroupRows.firstIndex(of: id) ?? 0
    return try diagrams.intersection(sockets, diagrams.set(.socketCgroup, UInt32(value)))
  }

  /// The packets that come in by a link of some name, or leave by it.
  ///
  /// - Throws: ``PacketSetError/tooComplex``.
  public mutating func packets(
    ofLink name: String, _ field: PacketField
  ) throws(PacketSetError) -> Diagram {
    let values = links.links.indices.filter { links.links[$0].name == name }.map { UInt32($0 + 1) }
    return try diagrams.set(field, IntervalSet(values.map { Interval($0, $0) }))
  }

  /// The number of the cgroup that a value of ``PacketField/socketCgroup`` stands for, 8 bytes host
  /// order, and the level that rules ask for; nil when they ask for none or for several.
  public func cgroup(_ value: UInt32) -> (id: [UInt8], level: UInt32)? {
    guard let level = cgroupLevel, Int(value) < cgroupRows.count else { return nil }
    return (cgroupRows[Int(value)], level)
  }

  private var cgroupRows: [[UInt8]] {
    tables.first { $0.field == .socketCgroup }?.rows ?? []
  }

  private var asksForCgroups: Bool { cgroupLevel != nil || hasCgroupLevels }
}
