import NetworkTypes

/// Reads `allow:`, `deny:`, `sources:` and `tests:` of all files of a policy.
struct EntryReader {
  let log: DiagnosticLog
  let groups: GroupTable
  /// Clause → where it was first used.
  private(set) var clauses: [String: SourceLocation] = [:]

  init(log: DiagnosticLog, groups: GroupTable) {
    self.log = log
    self.groups = groups
  }

  /// Reads for a policy that stands already: its clauses are known.
  init(log: DiagnosticLog, groups: GroupTable, policy: Policy) {
    self.init(log: log, groups: groups)
    for entry in policy.allow + policy.deny { clauses[entry.clause] = entry.location }
  }

  /// The entries of a file's `allow:` or `deny:`.
  mutating func entries(_ decision: Decision, of file: PolicyFile) -> [Entry] {
    guard let field = file.fields[decision == .allow ? .allow : .deny],
      let items = log.items(field.value, "entry", orOne: false)
    else { return [] }
    return items.compactMap { entry($0, decision, file.path) }
  }

  private mutating func entry(
    _ node: SyntaxNode, _ decision: Decision, _ file: String
  ) -> Entry? {
    guard let fields = log.fields(of: node, EntryKey.self, of: "an entry") else { return nil }
    // Every part is read before any is missed, so that all its errors show at once.
    let clause = clause(fields, node)
    let destination = fields[.to].map { groups.destination($0.value, in: file) }
    let ports = fields[.port].map { log.ports($0.value) }
    let citation = fields[.cite].flatMap { log.text($0.value, "a citation") }
    if decision == .deny, let name = destination??.names.first, let field = fields[.to] {
      log.error(
        .nameInDeny, "`\(name.name)` is a name, and a name cannot be denied", at: field.value,
        .init("weir knows only the answers it got; deny the addresses instead"))
    }
    guard let clause else { return nil }
    // A part that was written and is wrong must not turn into "all".
    if case .some(nil) = destination { return nil }
    if case .some(nil) = ports { return nil }
    return Entry(
      decision: decision, clause: clause, destination: destination ?? nil, ports: ports ?? nil,
      location: node.location, citation: citation)
  }

  private mutating func clause(_ fields: Fields<EntryKey>, _ node: SyntaxNode) -> String? {
    guard let field = fields[.clause] else {
      if fields.mentioned[.clause] == nil {
        log.error(
          .missingKey, "an entry needs a `clause`", at: node,
          .init("name what it is about: counters and explanations use the name"))
      }
      return nil
    }
    guard let clause = log.name(field.value, "clause") else { return nil }
    if Policy.reservedClauses.contains(clause) {
      log.error(
        .reservedName, "clause `\(clause)` is weir's own", at: field.value,
        .init("choose another name"))
      return nil
    }
    if let first = clauses[clause] {
      log.error(
        .duplicateClause, "clause `\(clause)` is used twice", at: field.value,
        .init(
          "the first one is here; a clause names one entry, so that its counter says which",
          at: first))
      return nil
    }
    clauses[clause] = field.value.location
    return clause
  }

  /// Clause → citation of a file's `sources:`.
  func sources(of file: PolicyFile) -> [(clause: String, text: String)] {
    guard let field = file.fields[.sources] else { return [] }
    guard case .mapping(let pairs) = field.value.content else {
      log.error(
        .wrongType, "expected sources as a mapping, found \(field.value.kindText)",
        at: field.value, .init("write `sources: {listen: Sockets API, limitations}`"))
      return []
    }
    var seen: [String: SyntaxNode] = [:]
    return pairs.compactMap { pair in
      let (key, value) = (pair.key, pair.value)
      guard let clause = log.name(key, "clause") else { return nil }
      if let first = seen.updateValue(key, forKey: clause) {
        log.duplicate(clause, at: key, first: first)
        return nil
      }
      guard isKnown(clause, key), let text = log.text(value, "a citation") else { return nil }
      return (clause, text)
    }
  }

  /// Whether a clause exists; logs an error where not.
  private func isKnown(_ clause: String, _ node: SyntaxNode) -> Bool {
    if clauses[clause] != nil || Policy.reservedClauses.contains(clause) { return true }
    log.error(
      .unknownClause, "there is no clause `\(clause)`", at: node,
      didYouMean(clause, among: clauses.keys.sorted() + Policy.reservedClauses))
    return false
  }

  /// The tests of a file; host names must be among `names`.
  func tests(of file: PolicyFile, names: Set<String>) -> [PolicyTest] {
    guard let field = file.fields[.tests],
      let items = log.items(field.value, "test", orOne: false)
    else { return [] }
    return items.compactMap { test($0, names) }
  }

  private func test(_ node: SyntaxNode, _ names: Set<String>) -> PolicyTest? {
    guard let fields = log.fields(of: node, TestKey.self, of: "a test") else { return nil }
    let expected: Decision
    let flowNode: SyntaxNode
    switch (fields[.allow], fields[.deny]) {
    case (let field?, nil): (expected, flowNode) = (.allow, field.value)
    case (nil, let field?): (expected, flowNode) = (.deny, field.value)
    default:
      if fields[.allow] != nil || (fields.mentioned[.allow] ?? fields.mentioned[.deny]) == nil {
        log.error(
          .missingKey, "a test has either `allow` or `deny`", at: node,
          .init("write `{deny: \"tcp 10.1.2.3:443\", clause: private}`"))
      }
      return nil
    }
    var clause: String?
    if let field = fields[.clause] {
      guard let text = log.text(field.value, "a clause name"), isKnown(text, field.value) else {
        return nil
      }
      clause = text
    }
    guard let text = log.text(flowNode, "a flow like `tcp 192.0.2.1:443`") else { return nil }
    do throws(LiteralError) {
      let flow = try FlowText.parse(text)
      if let name = flow.remoteName, !names.contains(name) {
        log.error(
          .unknownHostName, "no entry allows the name `\(name)`", at: flowNode,
          didYouMean(name, among: names.sorted())
            ?? .init("test by address; names are tested where `to:` names them"))
        return nil
      }
      return PolicyTest(
        expected: expected, flow: flow.flow, remoteName: flow.remoteName, clause: clause,
        location: node.location)
    } catch {
      log.error(
        .invalidFlow, error.description, at: flowNode, error.advice.map { Diagnostic.Note($0) })
      return nil
    }
  }
}
