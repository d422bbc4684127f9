import Foundation
import Testing

/// `docs/man/weir.1` against the verbs and options that the command line declares.
@Suite struct ManualTests {
  /// `dryRun` as it is typed: `--dry-run`.
  private func option(_ property: String) -> String {
    "--" + property.map { $0.isUppercase ? "-\($0.lowercased())" : "\($0)" }.joined()
  }

  private func sources() throws -> [String] {
    try Repository.files(below: "Sources/weir", endingIn: ".swift")
      .map { try Repository.text(of: $0) }
  }

  private func manual() throws -> String {
    try Repository.text(of: "docs/man/weir.1").replacing("\\-", with: "-")
  }

  @Test func `the manual has a section for every verb`() throws {
    let page = try manual()
    let verbs = try sources()
      .flatMap { $0.matches(of: /\n    commandName: "([a-z]+)"/).map { String($0.output.1) } }
    #expect(verbs.count >= 9)
    // The root command is the program itself; what is deeper is a verb's own.
    for verb in verbs where verb != "weir" { #expect(page.contains("\n.B \(verb)"), "\(verb)") }
  }

  @Test func `the manual has an entry for every option`() throws {
    let page = try manual()
    let properties = try sources()
      .flatMap { text in
        text.matches(of: /@(?:Option|Flag)\b(?:(?!\bvar\b)[\s\S])*?\bvar (\w+)/)
          .map { String($0.output.1) }
      }
    #expect(Set(properties).count >= 10)
    for property in Set(properties) {
      let name = option(property)
      #expect(
        page.contains("\n.BI \(name) ") || page.contains("\n.B \(name)\n"), "\(name)")
    }
  }

  @Test func `the embedded manual equals the page`() throws {
    let page = try Repository.text(of: "docs/man/weir.1")
    let made = """
      // Made from docs/man/weir.1 by the test `the embedded manual equals the page`; change that file instead.
      // swift-format-ignore-file

      /// The manual page, so that the binary can install it.
      enum ManualPage {
        static let text = #\"""

      """ + page + "\"\"\"#\n}\n"
    let path = "Sources/Operations/Boot/ManualPageTable.swift"
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
      try made.write(to: Repository.root.appending(path: path), atomically: true, encoding: .utf8)
    }
    #expect(try Repository.text(of: path) == made, "run it with UPDATE_GOLDEN=1")
  }

  @Test func `manual and design tell every exit code`() throws {
    let codes = try Repository.text(of: "Sources/Operations/ExitStatus.swift")
      .matches(of: /case \w+ = (\d+)/).map { String($0.output.1) }
    #expect(codes.count == 9)
    let design = try Repository.text(of: "docs/design.md")
    let page = try manual()
    for code in codes {
      #expect(design.contains("\n| \(code) | "), "\(code)")
      #expect(page.contains("\n\(code)\t"), "\(code)")
    }
  }
}
