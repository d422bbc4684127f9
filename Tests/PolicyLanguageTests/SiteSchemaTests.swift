import PolicyLanguage
import TestSupport
import Testing
import Yams

/// The schemas of site and feeds files against their parsers, by the examples.
@Suite struct SiteSchemaTests {
  /// The keys that a parser lists where it meets an unknown one.
  private func keys(_ diagnostics: [Diagnostic]) throws -> Set<String> {
    let unknown = try #require(diagnostics.first { $0.code == .unknownKey })
    return Set(unknown.notes[0].message.matches(of: /`([a-z-]+)`/).map { String($0.output.1) })
  }

  private func diagnostics(site text: String) -> [Diagnostic] {
    SiteParser.parse(path: "s.yaml", source: MemorySource(["s.yaml": text])).diagnostics
  }

  private func diagnostics(feeds text: String) -> [Diagnostic] {
    FeedFileParser.parse(path: "f.yaml", source: MemorySource(["f.yaml": text])).diagnostics
  }

  private func schema(_ name: String) throws -> JSONSchema {
    try JSONSchema(Repository.text("schema/\(name).schema.json"))
  }

  private func accepts(_ schema: String, _ text: String) throws -> Bool {
    guard let value = try Yams.load(yaml: text) else { return false }
    return try self.schema(schema).accepts(value)
  }

  @Test func `the schemas of sites and feeds know the keys that their parsers know`() throws {
    let site = try schema("site")
    #expect(try keys(diagnostics(site: "qqqqqq: 1\nsite: s\n")) == site.keys(of: nil))
    #expect(
      try keys(diagnostics(site: "site: s\nscopes: [{qqqqqq: 1}]\n")) == site.keys(of: "scope"))
    let feeds = try schema("feeds")
    #expect(try keys(diagnostics(feeds: "qqqqqq: 1\nfeeds: f\n")) == feeds.keys(of: nil))
    #expect(
      try keys(diagnostics(feeds: "feeds: f\nlists: [{qqqqqq: 1}]\n")) == feeds.keys(of: "list"))
  }

  @Test func `the examples of a site and of feeds are accepted by parser and schema`() throws {
    let site = try Repository.text("examples/sites/build-farm.yaml")
    #expect(diagnostics(site: site).isEmpty)
    #expect(try accepts("site", site))
    let feeds = try Repository.text("examples/sites/feeds.yaml")
    #expect(diagnostics(feeds: feeds).isEmpty)
    #expect(try accepts("feeds", feeds))
  }

  @Test func `what a parser of a site or of feeds refuses the schema refuses`() throws {
    for text in [
      "site: s\nscopes: []\n", "scopes:\n  - {user: a, policy: p.yaml}\n",
      "site: s\nscopes:\n  - {user: a}\n",
      "site: s\nscopes:\n  - {user: a, cgroup: b, policy: p.yaml}\n",
    ] {
      #expect(diagnostics(site: text).contains { $0.severity == .error }, "\(text)")
      #expect(try !accepts("site", text), "\(text)")
    }
    for text in [
      "feeds: f\nlists: []\n", "feeds: f\nlists:\n  - {to: a.txt, format: list}\n",
      "feeds: f\nlists:\n  - {to: a.txt, format: atlas, from: https://example.com/a}\n",
      "feeds: f\nlists:\n  - {to: a.txt, format: list, from: https://example.com/a, max-shrink: 101}\n",
    ] {
      #expect(diagnostics(feeds: text).contains { $0.severity == .error }, "\(text)")
      #expect(try !accepts("feeds", text), "\(text)")
    }
  }
}
