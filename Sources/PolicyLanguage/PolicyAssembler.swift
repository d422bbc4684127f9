import NetworkTypes

/// Merges the files of a policy, strongest first, into one ``Policy``.
struct PolicyAssembler {
  let files: [PolicyFile]
  let log: DiagnosticLog
  let groups: GroupTable

  init(files: [PolicyFile], reader: FileReader, root: String) {
    self.files = files
    log = reader.log
    groups = GroupTable(reader: reader, root: root)
  }

  /// The policy; nil after an error was logged.
  ///
  /// Defaults stand where nothing is written.
  func policy() -> Policy? {
    guard let main = files.first else { return nil }
    for file in files {
      if let field = file.fields[.groups] { groups.define(field, in: file.path) }
    }
    let definitions = groups.allDefinitions()
    var entries = EntryReader(log: log, groups: groups)
    let allow = files.flatMap { entries.entries(.allow, of: $0) }
    let deny = files.flatMap { entries.entries(.deny, of: $0) }
    let essentials = files.flatMap { entries.essentials(of: $0) }
    var citations: [String: String] = [:]
    for file in files {
      for (clause, text) in entries.sources(of: file) where citations[clause] == nil {
        citations[clause] = text
      }
    }
    func cited<Value>(_ values: [Sourced<Value>], _ clause: String?, or fallback: Value)
      -> Sourced<Value>
    {
      var value = values.first ?? Sourced(fallback)
      value.citation = clause.flatMap { citations[$0] }
      return value
    }
    func entry(_ entry: Entry) -> Entry {
      var entry = entry
      entry.citation = entry.citation ?? citations[entry.clause]
      return entry
    }
    let name = name(of: main)
    let decisions = files.compactMap { log.word($0.fields[.default], Decision.self) }
    requireDefault(main)
    let settings = Policy(
      name: name ?? "", about: about(of: main),
      protocols: cited(
        files.compactMap { log.protocols($0.fields[.protocols]) }, "protocols", or: [.tcp, .udp]),
      inbound: cited(
        files.compactMap { log.word($0.fields[.inbound], Decision.self) }, "listen", or: .deny),
      sourcePorts: cited(
        files.compactMap { log.sourcePorts($0.fields[.sourcePorts]) }, "bind", or: nil),
      idleSeconds: cited(
        files.compactMap { log.duration($0.fields[.idle]) }, "idle", or: 600),
      onDeny: cited(
        files.compactMap { log.word($0.fields[.onDeny], DenialAnswer.self) }, nil, or: .reject),
      denialLog: cited(files.compactMap { log.logRate($0.fields[.log]) }, nil, or: nil),
      defaultDecision: cited(decisions, "default", or: .deny),
      essentials: essentials, allow: allow.map(entry), deny: deny.map(entry),
      tests: tests(entries, allow), groups: definitions, citations: citations)
    settings.checkEssentials(log)
    return name == nil || log.hasErrors ? nil : settings
  }

  private func name(of main: PolicyFile) -> String? {
    guard let field = main.fields[.policy] else {
      if main.fields.mentioned[.policy] == nil {
        log.fileError(
          .missingKey, "the file has no `policy:`", file: main.path,
          "name the policy: `policy: some-name`")
      }
      return nil
    }
    for file in files.dropFirst() {
      if let field = file.fields[.policy] { _ = log.name(field.value, "policy") }
    }
    return log.name(field.value, "policy")
  }

  private func about(of main: PolicyFile) -> String? {
    for file in files.dropFirst() {
      if let field = file.fields[.about] { _ = log.text(field.value, "a sentence") }
    }
    return main.fields[.about].flatMap { log.text($0.value, "a sentence") }
  }

  /// Whoever writes a policy says what happens to the rest; there is no default for it.
  private func requireDefault(_ main: PolicyFile) {
    guard files.allSatisfy({ $0.fields.mentioned[.default] == nil }) else { return }
    log.fileError(
      .missingKey, "the policy has no `default:`", file: main.path,
      "say what happens to flows that no entry matches: `default: deny` or `default: allow`")
  }

  /// Tests of the policy and its includes; those of a policy that it extends speak of that policy.
  private func tests(_ entries: EntryReader, _ allow: [Entry]) -> [PolicyTest] {
    let names = Set(allow.flatMap { $0.destination?.names.map(\.name) ?? [] })
    let base = files.dropFirst().firstIndex(where: \.isPolicy) ?? files.endIndex
    return files.enumerated().flatMap { index, file in
      let tests = entries.tests(of: file, names: names)
      return index < base ? tests : []
    }
  }
}
