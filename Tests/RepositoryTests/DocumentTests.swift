import Testing

/// The documents at the root and under `docs/`.
@Suite struct DocumentTests {
  /// The targets of Markdown links that point into the repository, without their anchors.
  private func localLinks(in page: String) -> [String] {
    page.matches(of: /\]\(([^)\s]+)\)/)
      .map { String($0.output.1) }
      .filter { !$0.contains("://") && !$0.hasPrefix("#") }
      .map { String($0.prefix { $0 != "#" }) }
  }

  @Test func `links outside and inside a page are not local links`() {
    let page = "[a](docs/a.md#part) [b](https://example.com/b) [c](#here) [d](LICENSE)"
    #expect(localLinks(in: page) == ["docs/a.md", "LICENSE"])
  }

  @Test(arguments: ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
  func `every local link of a root document leads to a file`(page: String) throws {
    for link in localLinks(in: try Repository.text(of: page)) {
      #expect(Repository.exists(link), "\(page) links to \(link)")
    }
  }

  @Test(arguments: ["docs", "examples"])
  func `every local link of a page in a folder leads to a file`(folder: String) throws {
    for page in try Repository.files(below: folder, endingIn: ".md") {
      let folder = page.split(separator: "/").dropLast().joined(separator: "/")
      for link in localLinks(in: try Repository.text(of: page)) {
        #expect(Repository.exists("\(folder)/\(link)"), "\(page) links to \(link)")
      }
    }
  }
}
