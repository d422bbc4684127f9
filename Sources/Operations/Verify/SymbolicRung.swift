import Bytecode
import NetworkTypes
import PacketSets
import PolicyLanguage
import PolicyMeaning
import SymbolicAnalysis

/// What a kernel gave back of a table that was loaded into a namespace made for it.
enum ReadBack {
  case rules(Ruleset)
  /// Why it was not tried.
  case unavailable(String)
}

extension VerifyPlan {
  /// Every packet at once: what the compiled rules let out and in against the policy's packet set,
  /// and what the rules do that a kernel gave back.
  ///
  /// Counts clauses, those of the rules read back as well. Packets of known flows were judged when
  /// their flow began; what comes over the loopback link was judged when it left.
  ///
  /// - Parameters:
  ///   - table: the compiled rules.
  ///   - stage: whose packets they judge.
  ///   - readBack: the rules of a namespace that the table was loaded into, or why there are none.
  ///   - clock: nanoseconds.
  /// - Returns: the rung's report.
  func symbolicRung(
    _ table: Table, _ stage: VerifyStage = VerifyStage(.host), readBack: ReadBack,
    clock: () -> UInt64
  ) -> RungReport {
    var report = RungReport(.symbolic)
    report.note = "clauses, each for every packet, as compiled"
    let start = clock()
    compare(Ruleset(tables: [table]), stage, &report)
    switch readBack {
    case .rules(let ruleset):
      report.note? += " and as read back from a kernel"
      compare(ruleset, stage, &report)
    case .unavailable(let reason): report.note? += "; not as read back from a kernel: \(reason)"
    }
    report.durationNanoseconds = clock() - start
    report.conclude()
    return report
  }

  private func compare(
    _ ruleset: Ruleset, _ stage: VerifyStage, _ report: inout RungReport
  ) {
    do throws(PacketSetError) {
      for (way, direction) in stage.ways {
        try compare(way, direction, ruleset, stage, &report)
      }
    } catch {
      report.leaveOpen("every packet", "the sets of packets are too complex")
    }
  }

  private func compare(
    _ way: PacketWay, _ direction: Direction, _ ruleset: Ruleset, _ stage: VerifyStage,
    _ report: inout RungReport
  ) throws(PacketSetError) {
    var analyzer = SymbolicAnalyzer(ruleset, stage.analysisFacts)
    let analysis = try analyzer.analyze(way)
    let meaning = try policy.packetSet(direction, names: names, in: &analyzer.diagrams)
    let loopback = try analyzer.diagrams.set(.inputInterface, analyzer.loopbackValue)
    let judged = try analyzer.diagrams.difference(
      stage.packets(direction, in: &analyzer), loopback)
    for ruling in meaning.rulings {
      let all = try meaning.packets(in: &analyzer.diagrams) { $0 == ruling }
      let packets = try analyzer.diagrams.intersection([all, judged, analysis.possible])
      guard packets != .nothing else { continue }
      let claim =
        ruling.decision == .allow
        ? try analyzer.claimNoBlock(analysis, allowed: packets)
        : try analyzer.claimNoLeak(analysis, allowed: .nothing, judged: packets)
      report.count(claim, ruling, analyzer.diagrams)
    }
  }
}

extension RungReport {
  /// Counts a clause that holds for every packet, or tells the packets for which it does not.
  fileprivate mutating func count(
    _ claim: Claim, _ ruling: Ruling, _ diagrams: borrowing PacketDiagrams
  ) {
    let expected = "\(ruling.decision.rawValue) \(ruling.clause)"
    switch claim.answer {
    case .holds where ruling.decision == .allow: allowed += 1
    case .holds: denied += 1
    case .fails:
      let regions = diagrams.regions(claim.violations, limit: 1)
      disagree(
        Disagreement(
          probe: claim.witness?.summary ?? "", origin: "every packet", expected: expected,
          seen: ruling.decision == .allow ? "deny" : "allow", packet: nil,
          rules: regions.regions.map { "among them: \($0)" }))
    case .unknown:
      let causes = claim.causes.map(\.description).joined(separator: "; ")
      leaveOpen("\(expected): \(claim.witness?.summary ?? "")", causes)
    }
  }
}

extension PacketPoint {
  /// The packet for people: `tcp 192.0.2.1:443 from :40000`.
  fileprivate var summary: String {
    let number = self[.transportProtocol]
    guard number < 256 else { return "no protocol to \(destination)" }
    let ipProtocol = IPProtocol(rawValue: UInt8(number))
    guard ipProtocol.hasPorts else { return "\(ipProtocol) \(destination)" }
    let end = family == .ipv6 ? "[\(destination)]" : "\(destination)"
    return "\(ipProtocol) \(end):\(self[.destinationPort]) from :\(self[.sourcePort])"
  }
}
