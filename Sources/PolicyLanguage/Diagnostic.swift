public import NetworkTypes

/// One thing that is wrong, or looks wrong, with a policy's text.
public struct Diagnostic: Hashable, Sendable {
  /// Whether the policy is refused because of it.
  public enum Severity: String, Hashable, Sendable {
    /// The policy is refused.
    case error
    /// The policy stands, but probably says something else than meant.
    case warning
  }

  /// Further help below the message.
  public struct Note: Hashable, Sendable {
    /// What to do, or what stands at ``location``.
    public var message: String
    /// Another place that matters, if any.
    public var location: SourceLocation?

    /// Makes a note.
    public init(_ message: String, at location: SourceLocation? = nil) {
      self.message = message
      self.location = location
    }
  }

  /// Whether it is an error.
  public var severity: Severity
  /// What kind of thing it is; stable, for programs.
  public var code: DiagnosticCode
  /// What is wrong, one line, without a final stop.
  public var message: String
  /// Where the offending text starts; line and column 0 when a whole file is meant.
  public var location: SourceLocation
  /// How many characters the offending text has, at least 1.
  public var length: Int
  /// How to fix it.
  public var notes: [Note]
  /// The source line without its end; nil when a whole file is meant.
  public var sourceLine: String?

  /// Makes a diagnostic.
  public init(
    severity: Severity, code: DiagnosticCode, message: String, location: SourceLocation,
    length: Int = 1, notes: [Note] = [], sourceLine: String? = nil
  ) {
    self.severity = severity
    self.code = code
    self.message = message
    self.location = location
    self.length = length
    self.notes = notes
    self.sourceLine = sourceLine
  }
}
