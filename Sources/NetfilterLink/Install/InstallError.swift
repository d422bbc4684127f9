/// Which packets' rules are in force after an installation that did not succeed.
public enum Standing: Hashable, Sendable {
  /// Nothing of weir's is in force.
  case nothing
  /// The generation that was in force before.
  case previous(generation: Int)
  /// It could not be read: neither the old nor the new generation is certain.
  case unclear
}

/// Why a table was not installed or removed.
public enum InstallError: Error, Hashable, Sendable {
  /// The kernel refused a step before anything in force was changed.
  case kernel(KernelError, standing: Standing)
  /// A table of that name is somebody else's, or holds what weir did not put there.
  case foreign(TableIdentifier, reasons: [String])
  /// The kernel holds something else than was sent, or the caller's own proof failed.
  case notProven(InstallStage, differences: [String], standing: Standing)
  /// Somebody kept changing the ruleset during every attempt.
  case keepsChanging(attempts: Int, standing: Standing)
  /// There is no trial to confirm; `left` are generations that lie about, unreachable.
  case noTrial(TableIdentifier, standing: Standing, left: [Int])
}

/// What an installation has just done.
public enum InstallStage: Hashable, Sendable {
  /// The new generation is in the kernel, and no packet reaches it.
  case preloaded
  /// The new generation is in force.
  case swapped
}

extension InstallError: CustomStringConvertible {
  /// What happened, what is in force now, and what to do.
  public var description: String {
    switch self {
    case .kernel(let error, let standing): "\(error); \(standing)"
    case .foreign(let table, let reasons):
      "table \(table) is not weir's: \(reasons.joined(separator: ", ")); choose another name"
    case .notProven(let stage, let differences, let standing):
      "\(stage == .preloaded ? "before" : "after") the swap the kernel did not hold what was sent:"
        + " \(differences.joined(separator: ", ")); \(standing)"
    case .keepsChanging(let attempts, let standing):
      "another program changed the ruleset during \(attempts) attempts; \(standing)"
    case .noTrial(let table, let standing, let left):
      "no trial is running in table \(table): \(standing)"
        + (left.isEmpty
          ? ""
          : "; the trial of generation \(left.map(String.init).joined(separator: ", ")) has ended,"
            + " or its apply was killed: apply the policy again")
    }
  }
}

extension Standing: CustomStringConvertible {
  /// A clause for the end of a sentence.
  public var description: String {
    switch self {
    case .nothing: "nothing of weir's is in force"
    case .previous(let generation): "generation \(generation) is still in force"
    case .unclear: "what is in force could not be read; verify before relying on it"
    }
  }
}
