import NetworkTypes

/// Policy text → checked ``Policy``.
///
/// Everything wrong with a policy and the files that belong to it is reported at once; then the
/// policy is refused as a whole. docs/policy.md describes the language.
public enum PolicyParser {
  /// Reads the policy file `path` and all that it extends, includes and lists.
  ///
  /// A path `builtin:NAME` reads the policy that weir carries. Linear in the size of the files
  /// but for merging address lists, O(n log n).
  ///
  /// - Parameters:
  ///   - path: as the user wrote it; locations repeat it.
  ///   - source: where files come from.
  ///   - limits: how much a policy may ask for.
  /// - Returns: the policy, nil if any diagnostic is an error; diagnostics by file and line.
  ///
  /// Example: `PolicyParser.parse(path: "builtin:app-engine-sockets", source: BuiltIn.source)`.
  public static func parse(
    path: String, source: some PolicySource, limits: ParserLimits = ParserLimits()
  ) -> (policy: Policy?, diagnostics: [Diagnostic]) {
    let log = DiagnosticLog(keeping: limits.diagnostics)
    let reader = FileReader(source: source, log: log, limits: limits)
    let loader = PolicyLoader(path: path, reader: reader)
    let policy = PolicyAssembler(files: loader.files, reader: reader, root: loader.root).policy()
    guard let policy, !log.hasErrors else { return (nil, log.finished()) }
    PolicyWarnings(policy: policy, log: log).report()
    return (policy, log.finished())
  }
}
