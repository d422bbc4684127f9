import PolicyLanguage
import TestSupport
import Testing

/// docs/policy.md, whose examples are read here.
@Suite struct PolicyPageTests {
  struct Example {
    let kind: Substring
    /// A file name, or `wrong`; empty for a policy of its own.
    let label: Substring
    let line: Int
    let text: String
  }

  private let page: String
  private let examples: [Example]

  init() throws {
    page = try Repository.text("docs/policy.md")
    var examples: [Example] = []
    var open: (info: [Substring], line: Int, text: String)?
    for (index, line) in page.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      if line.hasPrefix("```") {
        if let block = open {
          examples.append(
            Example(
              kind: block.info[0], label: block.info.count > 1 ? block.info[1] : "",
              line: block.line, text: block.text))
          open = nil
        } else {
          open = (line.dropFirst(3).split(separator: " "), index + 1, "")
        }
      } else {
        open?.text += line + "\n"
      }
    }
    self.examples = examples
  }

  /// An example as a whole policy: it may leave out the two keys that every policy has.
  private func whole(_ text: String) -> String {
    var text = text
    for (key, value) in [("default", "deny"), ("policy", "example")]
    where !("\n" + text).contains("\n\(key):")
      && !(key == "default" && text.contains("extends:"))
    {
      text = "\(key): \(value)\n" + text
    }
    return text
  }

  private func source(_ policy: String) -> MemorySource {
    var files = ["policy.yaml": policy]
    for example in examples where example.label.contains(".") {
      files[String(example.label)] = example.text
    }
    return MemorySource(files)
  }

  @Test func `every example is a good policy`() {
    let policies = examples.filter { $0.kind == "yaml" && $0.label.isEmpty }
    #expect(policies.count >= 18)
    for example in policies {
      let (policy, diagnostics) = PolicyParser.parse(
        path: "policy.yaml", source: source(whole(example.text)))
      #expect(policy != nil, "docs/policy.md:\(example.line)\n\(diagnostics.render())")
    }
  }

  @Test func `the mistakes are reported as the page shows them`() throws {
    let wrong = try #require(examples.first { $0.kind == "yaml" && $0.label == "wrong" })
    let shown = try #require(examples.first { $0.kind == "text" && $0.label == "wrong" })
    let (policy, diagnostics) = PolicyParser.parse(path: "policy.yaml", source: source(wrong.text))
    #expect(policy == nil)
    #expect(diagnostics.render() == shown.text)
  }

  @Test func `every key has a section and an example`() throws {
    let schema = try JSONSchema(Repository.text("schema/policy.schema.json"))
    let keys = ["entry", "address", "test", nil].reduce(Set<String>()) {
      $0.union(schema.keys(of: $1))
    }
    let yaml = examples.filter { $0.kind == "yaml" }.map(\.text).joined()
    for key in keys {
      #expect(page.contains("`\(key)`"), "\(key)")
      #expect(yaml.contains("\(key):"), "\(key)")
      // Entries are one section; their two lists are its heading.
      if key != "allow", key != "deny" { #expect(page.contains("### `\(key)`\n"), "\(key)") }
    }
  }

  @Test func `every built-in group and policy is named`() {
    for name in BuiltIn.groups.keys { #expect(page.contains("`\(name)`"), "\(name)") }
    for name in BuiltIn.policies.keys { #expect(page.contains("`\(name)`"), "\(name)") }
  }

  @Test func `the reserved clauses are those of the page`() {
    for clause in Policy.reservedClauses { #expect(page.contains("`\(clause)`"), "\(clause)") }
  }
}
