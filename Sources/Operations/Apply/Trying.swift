import NetfilterLink

// A policy on trial: the kernel itself undoes it when the time is up, unless it is confirmed.

/// The seconds of a trial.
///
/// - Parameter text: a number and a unit, `90s`, `10m` or `2h`, as the user gave it.
/// - Returns: 1…86 400.
/// - Throws: ``OperationFailure`` (64) for anything else.
public func trialSeconds(_ text: String) throws(OperationFailure) -> Int {
  try shortTime(text, "a trial")
}

/// Seconds of a time between a second and a day.
///
/// - Parameters:
///   - text: a number and a unit, `90s`, `10m` or `2h`, as the user gave it.
///   - purpose: what it is for, for the message.
/// - Returns: 1…86 400.
/// - Throws: ``OperationFailure`` (64) for anything else.
public func shortTime(_ text: String, _ purpose: String) throws(OperationFailure) -> Int {
  let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600]
  let digits = text.dropLast()
  let isNumber = !digits.isEmpty && digits.allSatisfy { $0.isASCII && $0.isNumber }
  guard let unit = text.last.flatMap({ units[$0] }), isNumber, let count = Int(digits),
    case let (seconds, isTooLong) = count.multipliedReportingOverflow(by: unit), !isTooLong,
    (1...86_400).contains(seconds)
  else {
    throw OperationFailure(
      .usage, "'\(text)' is no time for \(purpose): write 1s to 24h, as in 90s, 10m, 2h")
  }
  return seconds
}

/// A trial that runs.
public struct TrialReport: Encodable, Sendable {
  /// The generation on trial.
  public let generation: Int
  /// Whole seconds that are left.
  public let secondsLeft: Int
  /// The generation that the kernel falls back to; nil when all packets pass then, or none.
  public let fallback: Int?
  /// Policy and digest of that generation.
  public let fallbackPolicy: String?
  /// Whether all packets pass when the trial ends.
  public let opensAfterwards: Bool

  enum CodingKeys: String, CodingKey {
    case generation, secondsLeft, fallback, fallbackPolicy, opensAfterwards
  }

  init?(_ status: InstallStatus?) {
    guard let status, let trial = status.trial else { return nil }
    generation = trial.generation
    secondsLeft = Int(trial.remainingMilliseconds / 1000)
    fallback = status.standingGeneration
    fallbackPolicy = status.standingComment
    opensAfterwards = status.isOpen
  }
}

/// What a confirmation did.
public struct ConfirmReport: Encodable, Sendable {
  /// Version of this form.
  public let version = 1
  /// `inet weir`.
  public let table: String
  /// The generation that is in force for good.
  public let generation: Int
  /// Policy and digest, as its entry chain says.
  public let policy: String?
  /// The generation that the trial would have fallen back to, deleted now; nil for none.
  public let previousGeneration: Int?
  /// What the operator should know.
  public let warnings: [String]

  enum CodingKeys: String, CodingKey {
    case version, table, generation, policy, previousGeneration, warnings
  }
}

/// Makes the policy on trial the one that stays.
///
/// - Parameter target: whose trial.
/// - Returns: what is in force now.
/// - Throws: ``OperationFailure``, with status 1 when no trial runs, or none any more.
public func confirm(_ target: InstallTarget) throws(OperationFailure) -> ConfirmReport {
  try target.withSession { session in
    let outcome = try session.confirmTrial(of: target.identifier)
    let status = try session.status(of: target.identifier)
    return ConfirmReport(
      table: "\(target.identifier)", generation: outcome.generation,
      policy: status?.policyComment, previousGeneration: outcome.previous,
      warnings: outcome.cleaningWarnings)
  }
}

extension InstallOutcome {
  /// A line for the operator when the old generation could not be deleted.
  var cleaningWarnings: [String] {
    cleaningError.map { ["the old generation is unreachable but still there: \($0)"] } ?? []
  }
}
