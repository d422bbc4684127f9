import Testing

/// `docs/claims.md` and `docs/divergences.md` against the tests they name.
@Suite struct ClaimsTests {
  /// The back-quoted texts in one column of every table row; the second unless told otherwise.
  private func namedTests(in page: String, column: Int = 2) -> [String] {
    page.split(separator: "\n")
      .filter { $0.hasPrefix("|") && !$0.hasPrefix("|--") }
      .map { $0.split(separator: "|", omittingEmptySubsequences: false) }
      .filter { $0.count >= column + 2 }
      .flatMap { columns in
        // Odd pieces between back-quotes are the quoted ones.
        columns[column].split(separator: "`", omittingEmptySubsequences: false).enumerated()
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

  private func expectTests(_ names: [String], of page: String) throws {
    let sources = try Repository.files(below: "Tests", endingIn: ".swift")
      .map { try Repository.text(of: $0) }
    #expect(!names.isEmpty)
    for name in names {
      #expect(
        sources.contains { $0.contains("func `\(name)`(") },
        "\(page) names a test that is not there: \(name)")
    }
  }

  @Test func `every test that docs/claims.md names exists`() throws {
    let page = "docs/claims.md"
    try expectTests(namedTests(in: try Repository.text(of: page)), of: page)
  }

  @Test func `every test that docs/divergences.md names exists`() throws {
    let page = "docs/divergences.md"
    try expectTests(namedTests(in: try Repository.text(of: page), column: 3), of: page)
  }
}
