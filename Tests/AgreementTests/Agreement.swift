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

  init(_ ruleset: Ruleset, _ way: PacketWay) throws {
    interpreter = try Interpreter(ruleset: ruleset)
    self.way = way
  }

  /// Whether the packet gets through, by the interpreter; nil when it cannot decide.
  func passes(_ packet: PacketContext) -> Bool? {
    var isUndecided = false
    for hook in way.hooks {
      switch interpreter.outcome(hook: hook, packet: packet) {
      case .accept: continue
      case .drop, .reject: return isUndecided ? nil : false
      case .cannotDecide: isUndecided = true
      }
    }
    return isUndecided ? nil : true
  }

  /// Random packets, and a witness of each part of the answer.
  ///
  /// The interpreter's outcome must be among the symbolic ones, and the only one where the symbolic
  /// answer is certain.
  func check(
    _ analyzer: inout SymbolicAnalyzer, _ analysis: WayAnalysis, _ maker: inout PointMaker,
    packets: Int
  ) throws {
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
    var compared = 0
    for point in points where analyzer.diagrams.contains(analysis.possible, point) {
      guard let packet = point.context(link: { analyzer.link($0) }),
        let passes = passes(packet)
      else { continue }
      compared += 1
      let may = analyzer.diagrams.contains(analysis.mayPass, point)
      let must = analyzer.diagrams.contains(analysis.mustPass, point)
      #expect(passes ? may : !must, "\(passes) \(may) \(must) \(packet)")
    }
    #expect(compared > packets / 10)
  }
}
