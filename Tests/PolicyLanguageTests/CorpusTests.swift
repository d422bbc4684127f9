import NetworkTypes
import PolicyLanguage
import Testing

@Suite struct CorpusTests {
  @Test(arguments: Repository.cases("rejected"))
  func `a rejected policy says everything that is wrong with it`(name: String) throws {
    let (policy, diagnostics) = PolicyParser.parse(
      path: "policy.yaml", source: CaseSource("rejected", name))
    #expect(policy == nil)
    #expect(diagnostics.contains { $0.severity == .error })
    try Repository.expectGolden(
      diagnostics.render(), "Tests/Corpus/rejected/\(name)/diagnostics.txt")
  }

  @Test(arguments: Repository.cases("accepted"))
  func `an accepted policy is shown with the origin of each value`(name: String) throws {
    let (policy, diagnostics) = PolicyParser.parse(
      path: "policy.yaml", source: CaseSource("accepted", name))
    #expect(diagnostics.allSatisfy { $0.severity == .warning })
    try Repository.expectGolden(
      diagnostics.render(), "Tests/Corpus/accepted/\(name)/diagnostics.txt")
    let effective = try #require(policy).effectiveText
    try Repository.expectGolden(effective, "Tests/Corpus/accepted/\(name)/effective.yaml")
  }

  @Test(arguments: Repository.cases("accepted"))
  func `the effective policy reads back as the same policy`(name: String) throws {
    let source = CaseSource("accepted", name)
    let first = try #require(PolicyParser.parse(path: "policy.yaml", source: source).policy)
    let again = try #require(PolicyParser.parse(path: "effective.yaml", source: source).policy)
    #expect(again.withoutLocations == first.withoutLocations)
    #expect(again.allow.map(\.clause) == first.allow.map(\.clause))
    #expect(again.deny.map(\.clause) == first.deny.map(\.clause))
  }

  @Test func `every diagnostic has a case in the corpus, or is named here`() {
    let elsewhere: Set<DiagnosticCode> = [
      .fileUnreadable, .fileTooLarge, .tooManyNodes, .notCompared,
    ]
    var seen: Set<DiagnosticCode> = []
    for area in ["rejected", "accepted"] {
      for name in Repository.cases(area) {
        let result = PolicyParser.parse(path: "policy.yaml", source: CaseSource(area, name))
        seen.formUnion(result.diagnostics.map(\.code))
      }
    }
    #expect(Set(DiagnosticCode.allCases).subtracting(seen) == elsewhere)
  }
}

extension Policy {
  /// The policy as its text says it: every location is the same, defaults count as written.
  var withoutLocations: Policy {
    let nowhere = NetworkTypes.SourceLocation(file: "", line: 0, column: 0)
    func entry(_ entry: Entry) -> Entry {
      var entry = entry
      entry.location = nowhere
      if let destination = entry.destination {
        var destination = destination
        destination.names = destination.names.map {
          NameReference(
            name: $0.name, within: $0.within, withinText: $0.withinText, location: nowhere)
        }
        entry.destination = destination
      }
      return entry
    }
    return Policy(
      name: name, about: about,
      protocols: Sourced(protocols.value, citation: protocols.citation),
      inbound: Sourced(inbound.value, citation: inbound.citation),
      sourcePorts: Sourced(sourcePorts.value, citation: sourcePorts.citation),
      idleSeconds: Sourced(idleSeconds.value, citation: idleSeconds.citation),
      onDeny: Sourced(onDeny.value, citation: onDeny.citation),
      denialLog: Sourced(denialLog.value, citation: denialLog.citation),
      defaultDecision: Sourced(defaultDecision.value, citation: defaultDecision.citation),
      allow: allow.map(entry), deny: deny.map(entry),
      tests: tests.map {
        PolicyTest(
          expected: $0.expected, flow: $0.flow, remoteName: $0.remoteName, clause: $0.clause,
          location: nowhere)
      },
      groups: groups.map { GroupDefinition(name: $0.name, items: $0.items, location: nowhere) },
      citations: citations)
  }
}
