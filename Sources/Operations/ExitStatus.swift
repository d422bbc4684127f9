/// How a run of weir ends; the raw value is the process's exit code.
public enum ExitStatus: Int32, Sendable, CaseIterable {
  /// Done, and the answer is good.
  case good = 0
  /// Done, and there is a finding: a failed test, a leak, drift.
  case finding = 1
  /// Cannot decide.
  case unknown = 2
  /// The command line is wrong.
  case usage = 64
  /// A policy or data file is wrong.
  case badData = 65
  /// A file, name or namespace is not there.
  case notFound = 66
  /// The kernel lacks a feature.
  case unsupported = 69
  /// A defect of weir itself.
  case internalError = 70
  /// The caller may not do this.
  case notPermitted = 77
}

/// Why an operation could not be carried out; nothing is half done.
public struct OperationFailure: Error, Sendable, CustomStringConvertible {
  /// The exit code that says so.
  public let status: ExitStatus
  /// One or more lines for people: what is wrong and what to do.
  public let message: String

  /// Makes a failure.
  public init(_ status: ExitStatus, _ message: String) {
    self.status = status
    self.message = message
  }

  /// The message.
  public var description: String { message }
}
