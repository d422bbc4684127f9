/// Bounds on what a policy may ask of the parser.
public struct ParserLimits: Hashable, Sendable {
  /// Bytes of one policy file; 16 MiB by default.
  public var policyBytes = 16 << 20
  /// Bytes of one list file; 64 MiB by default.
  public var listBytes = 64 << 20
  /// How deep lists and mappings may nest.
  public var nesting = 32
  /// Scalars, lists and mappings of one file.
  public var nodes = 1_000_000
  /// Files that one policy may consist of, lists not counted.
  public var files = 64
  /// Diagnostics that are kept.
  public var diagnostics = 100

  /// The defaults.
  public init() {}
}
