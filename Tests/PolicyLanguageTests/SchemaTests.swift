import NetworkTypes
import PolicyLanguage
import TestSupport
import Testing
import Yams

@Suite struct SchemaTests {
  private let schema: JSONSchema

  init() throws { schema = try JSONSchema(Repository.text("schema/policy.schema.json")) }

  /// The keys that the parser lists where it meets an unknown one.
  private func keys(_ text: String) throws -> Set<String> {
    let (_, diagnostics) = PolicyParser.parse(
      path: "p.yaml", source: MemorySource(["p.yaml": text]))
    let unknown = try #require(diagnostics.first { $0.code == .unknownKey })
    return Set(unknown.notes[0].message.matches(of: /`([a-z-]+)`/).map { String($0.output.1) })
  }

  private func isAccepted(_ text: String) -> Bool {
    guard let node = try? Yams.compose(yaml: text), let value = json(node) else { return false }
    return schema.accepts(value)
  }

  /// What an editor makes of YAML before it asks the schema; nil where keys are no words.
  private func json(_ node: Node) -> Any? {
    switch node {
    // Editors read YAML 1.2, where `off` is a word and no boolean.
    case .scalar(let scalar) where scalar.string == "off": return "off"
    case .scalar: return node.any
    case .sequence(let items):
      let values = items.compactMap(json)
      return values.count == items.count ? values : nil
    case .mapping(let pairs):
      var object: [String: Any] = [:]
      for (key, value) in pairs {
        guard let key = key.scalar?.string, let value = json(value) else { return nil }
        object[key] = value
      }
      return object
    case .alias: return nil
    }
  }

  @Test func `schema and parser know the same keys`() throws {
    let head = "policy: p\ndefault: deny\n"
    #expect(try keys("qqqqqq: 1\n" + head) == schema.keys(of: nil))
    #expect(try keys(head + "allow: [{qqqqqq: 1}]") == schema.keys(of: "entry"))
    #expect(try keys(head + "groups: {g: {qqqqqq: 1}}") == schema.keys(of: "address"))
    #expect(try keys(head + "tests: [{qqqqqq: 1}]") == schema.keys(of: "test"))
  }

  @Test(arguments: Repository.cases("accepted"))
  func `what the parser accepts the schema accepts`(name: String) throws {
    for file in ["policy.yaml", "effective.yaml"] {
      let text = try Repository.text("Tests/Corpus/accepted/\(name)/\(file)")
      #expect(isAccepted(text.replacing("\u{feff}", with: "")), "\(file)")
    }
  }

  @Test(arguments: BuiltIn.policies.keys.sorted())
  func `the schema accepts the built-in policies`(name: String) throws {
    #expect(isAccepted(try #require(BuiltIn.policies[name])))
  }

  @Test func `what the parser refuses the schema refuses, but for what no schema can say`() {
    let beyond: Set<String> = [
      // Anchors, tags and line ends are gone when a schema is asked.
      "aliases", "tags", "lone-carriage-return",
      // Other files.
      "bad-lists", "many-bad-lines", "circular-extends", "circular-include", "errors-in-base",
      "included-twice", "missing-files", "settings-in-include",
      // One place that refers to another.
      "circular-groups", "duplicate-clauses", "groups-defined-twice", "name-in-deny",
      "reserved-clauses", "unknown-groups",
      // Arithmetic.
      "durations-out-of-range", "flows", "long-line", "prefixes", "ranges",
    ]
    let accepted = Repository.cases("rejected").filter { name in
      let source = CaseSource("rejected", name)
      guard let bytes = try? source.contents(of: "policy.yaml", maximumBytes: .max),
        let text = String(validating: bytes, as: UTF8.self)
      else { return false }
      return name != "alias-bomb" && isAccepted(text)
    }
    #expect(Set(accepted) == beyond)
  }
}
