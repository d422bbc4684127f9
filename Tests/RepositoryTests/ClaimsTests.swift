import Testing

/// `docs/claims.md` against the tests it names.
@Suite struct ClaimsTests {
  /// The back-quoted texts in the second column of every table row.
  private func namedTests(in page: String) -> [String] {
    page.split(separator: "\n")
      .filter { $0.hasPrefix("|") && !$0.hasPrefix("|--") }
      .map { $0.split(separator: "|", omittingEmptySubsequences: false) }
      .filter { $0.count >= 4 }
      .flatMap { columns in
        // Odd pieces between back-quotes are the quoted ones.
        columns[2].split(separator: "`", omittingEmptySubsequences: false).enumerated()
          .filter { $0.offset % 2 == 1 }
          .map { String($0.element) }
      }
  }

  @Test func `the names are read from the second column only`() {
    let page = """
      Text with `code` in it.
      | promise | test | limit |
      |---|---|---|
      | The `first` | `a holds`, `b holds` | not `c` |
      """
    #expect(namedTests(in: page) == ["a holds", "b holds"])
  }

  @Test func `every test that docs/claims.md names exists`() throws {
    let names = namedTests(in: try Repository.text(of: "docs/claims.md"))
    let sources = try Repository.files(below: "Tests", endingIn: ".swift")
      .map { try Repository.text(of: $0) }
    #expect(!names.isEmpty)
    for name in names {
      #expect(
        sources.contains { $0.contains("func `\(name)`(") },
        "docs/claims.md names a test that is not there: \(name)")
    }
  }
}
