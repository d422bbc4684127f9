import Bytecode
import BytecodeInterpreter
import NetworkTypes
import PacketSets
import SymbolicAnalysis
import Testing

/// Holds a symbolic analysis against the interpreter, packet by packet.
struct Agreement {
  let interpreter: Interpreter
  let way: PacketWay
  private let surroundings: Surroundings

  init(_ ruleset: Ruleset, _ way: PacketWay) throws {
    interpreter = try Interpreter(ruleset: ruleset)
    self.way = way
    var surroundings = Surroundings()
    surroundings.isTracking = .known(true)
    self.surroundings = surroundings
  }

  /// What becomes of the packet, by the interpreter; nil when it cannot decide.
  private func fate(_ packet: PacketContext) -> (passes: Bool, leaving: PassedPacket?)? {
    let path: Path =
      switch way {
      case .egress: .output
      case .forwarding: .forward
      case .ingress: .input
      }
    switch interpreter.passage(of: packet, path: path, in: surroundings).fate {
    case .passes(let leaving): return (true, leaving)
    case .dropped, .rejected: return (false, nil)
    // Reassembly takes fragments, which the analysis lets come as they are.
    case .stolen, .queued, .cannotDecide: return nil
    }
  }

  /// Random packets, and a witness of each part of the answer.
  ///
  /// The interpreter's outcome must be among the symbolic ones, and the only one where the symbolic
  /// answer is certain; a packet that passes must be among those that may leave, changes and all.
  ///
  /// - Returns: how many packets the interpreter could decide.
  func check(
    _ analyzer: inout SymbolicAnalyzer, _ analysis: WayAnalysis, _ maker: inout PointMaker,
    packets: Int
  ) throws -> Int {
    let points = try points(&analyzer, analysis, &maker, packets: packets)
    // Routes and address types of the packet at its end are not in its bytes.
    var leaving = analysis.mayLeave
    for field in [PacketField.outputInterface, .destinationType, .sourceType, .packetType] {
      leaving = try analyzer.diagrams.project(leaving, field)
    }
    for field in PacketField.conntrackMark + [.conntrackState, .conntrackDirection]
      + PacketField.conntrackStatus
    {
      leaving = try analyzer.diagrams.project(leaving, field)
    }
    var compared = 0
    for point in points where analyzer.diagrams.contains(analysis.possible, point) {
      guard let packet = point.context(link: { analyzer.link($0) }), let fate = fate(packet)
      else { continue }
      compared += 1
      let may = analyzer.diagrams.contains(analysis.mayPass, point)
      let must = analyzer.diagrams.contains(analysis.mustPass, point)
      #expect(fate.passes ? may : !must, "\(fate.passes) \(may) \(must) \(packet)")
      guard let end = fate.leaving, may else { continue }
      var mark: UInt32?
      if case .known(let value) = end.mark { mark = value }
      let changed = point.changed(into: end.bytes, mark: mark)
      let leaves = analyzer.diagrams.contains(leaving, changed)
      #expect(leaves, "\(changed) \(end) \(packet)")
    }
    return compared
  }

  private func points(
    _ analyzer: inout SymbolicAnalyzer, _ analysis: WayAnalysis, _ maker: inout PointMaker,
    packets: Int
  ) throws -> [PacketPoint] {
    var points: [PacketPoint] = []
    while points.count < packets {
      var point = maker.point()
      if way == .egress { point[.inputInterface] = 0 } else { point[.socket] = 0 }
      if way == .ingress { point[.outputInterface] = 0 }
      points.append(point)
    }
    let stopped = try analyzer.diagrams.difference(analysis.possible, analysis.mayPass)
    for set in [analysis.mustPass, stopped, analysis.undecided, analysis.mayPass] {
      for _ in 0..<20 {
        guard
          let witness = analyzer.diagrams.witness(
            set, preferring: { field, _ in [maker.value(field), maker.value(field)] })
        else { break }
        points.append(witness)
      }
    }
    return points
  }
}
