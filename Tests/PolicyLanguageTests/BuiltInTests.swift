import NetworkTypes
import PolicyLanguage
import Testing

@Suite struct BuiltInTests {
  @Test(arguments: BuiltIn.policies.keys.sorted())
  func `a built-in policy parses without a diagnostic`(name: String) throws {
    let (policy, diagnostics) = PolicyParser.parse(
      path: "builtin:\(name)", source: BuiltIn.source)
    #expect(diagnostics.render() == "")
    let parsed = try #require(policy)
    #expect(parsed.name == name)
    #expect(parsed.tests.count >= 24)
  }
}
