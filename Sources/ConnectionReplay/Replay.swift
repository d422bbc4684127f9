public import NetworkTypes

/// Tries probes in a sandbox and compares what was seen with what should be.
public enum Replay {
  /// One probe that did not simply agree.
  public struct Finding: Hashable, Sendable {
    /// What was tried.
    public let probe: Probe
    /// What the policy says, nil where the caller does not know.
    public let expected: Decision?
    /// What the sandbox saw.
    public let observation: Observation
    /// How the two compare.
    public let judgement: Judgement
  }

  /// What a replay found.
  public struct Report: Hashable, Sendable {
    /// How many probes agreed on "allow".
    public internal(set) var allowed = 0
    /// How many probes agreed on "deny".
    public internal(set) var denied = 0
    /// Probes where the kernel did the opposite, in the order of the probes.
    public internal(set) var disagreements: [Finding] = []
    /// Probes that proved nothing, in the order of the probes.
    public internal(set) var undecided: [Finding] = []
    /// Probes that this kind of sandbox cannot try, in the order of the probes.
    ///
    /// Another rung must answer for them.
    public internal(set) var notTried: [Finding] = []

    /// Whether every probe that was tried agreed, and there was at least one of each decision.
    ///
    /// Agreement on one decision only could come from a sandbox that sees no difference.
    public var provesDifference: Bool {
      disagreements.isEmpty && undecided.isEmpty && allowed > 0 && denied > 0
    }
  }

  /// Runs probes through a sandbox.
  ///
  /// - Parameters:
  ///   - probes: what to try.
  ///   - sandbox: where.
  ///   - batchCount: how many probes to hand over at once, 1 or more.
  ///   - expecting: what the policy says of a probe; nil where it cannot say.
  ///   - progress: called after each batch with the number of probes done.
  /// - Returns: every probe counted or listed exactly once.
  /// - Throws: what the sandbox throws.
  public static func run<Sandbox: NetworkSandbox>(
    _ probes: [Probe], in sandbox: borrowing Sandbox, batchCount: Int = 8192,
    expecting: (Probe) -> Decision?, progress: (Int) -> Void = { _ in }
  ) throws(Sandbox.Failure) -> Report {
    precondition(batchCount > 0, "a batch holds at least one probe")
    var report = Report()
    var start = 0
    while start < probes.count {
      let batch = Array(probes[start..<min(start + batchCount, probes.count)])
      let seen = try sandbox.observe(batch)
      precondition(seen.count == batch.count, "a sandbox observes every probe")
      for (probe, observation) in zip(batch, seen) {
        report.add(probe, expecting(probe), observation)
      }
      start += batch.count
      progress(start)
    }
    return report
  }
}

extension Replay.Report {
  mutating func add(_ probe: Probe, _ expected: Decision?, _ observation: Observation) {
    let judgement =
      expected.map { observation.judged(against: $0) }
      ?? .undecided("the policy does not decide it")
    let finding = Replay.Finding(
      probe: probe, expected: expected, observation: observation, judgement: judgement)
    if case .notTried = observation {
      notTried.append(finding)
      return
    }
    switch judgement {
    case .agrees: if expected == .allow { allowed += 1 } else { denied += 1 }
    case .disagrees: disagreements.append(finding)
    case .undecided: undecided.append(finding)
    }
  }
}
