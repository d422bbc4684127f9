extension PolicyParser {
  /// Reads a file of further tests for a policy: YAML with a `tests:` list and nothing else.
  ///
  /// - Parameters:
  ///   - path: as the user wrote it; locations repeat it.
  ///   - source: where files come from.
  ///   - policy: whose clauses and names the tests may use.
  ///   - limits: how much a file may ask for.
  /// - Returns: the tests, empty if any diagnostic is an error; diagnostics by line.
  ///
  /// Example: `tests: [{deny: "tcp 10.1.2.3:443", clause: private}]`.
  public static func parseTests(
    path: String, source: some PolicySource, for policy: Policy,
    limits: ParserLimits = ParserLimits()
  ) -> (tests: [PolicyTest], diagnostics: [Diagnostic]) {
    let log = DiagnosticLog(keeping: limits.diagnostics)
    let reader = FileReader(source: source, log: log, limits: limits)
    guard let node = reader.policy(at: path, reference: nil),
      let fields = log.fields(of: node, PolicyKey.self, of: "a case file")
    else { return ([], log.finished()) }
    for key in PolicyKey.allCases where key != .tests {
      guard let other = fields.mentioned[key] else { continue }
      log.error(
        .misplacedKey, "a case file has no `\(key.rawValue)`", at: other,
        .init("it has `tests:` only; the policy is named on the command line"))
    }
    if fields.mentioned[.tests] == nil {
      log.fileError(.missingKey, "there are no `tests:`", file: path, "write `tests:` and a list")
    }
    let groups = GroupTable(reader: reader, root: PolicyPath.directory(of: path))
    let entries = EntryReader(log: log, groups: groups, policy: policy)
    let names = Set(policy.allow.flatMap { $0.destination?.names.map(\.name) ?? [] })
    let tests = entries.tests(
      of: PolicyFile(path: path, fields: fields, isPolicy: false), names: names)
    return (log.hasErrors ? [] : tests, log.finished())
  }
}
