import Foundation
import TestSupport
import Testing

/// The forms of `weir print`, against nft and against what `weir apply` installs.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct PrintTests {
  /// The built-in policies with addresses for their names, in both families.
  static let policies: [[String]] = [
    ["public-internet-only"],
    [
      "app-engine-sockets", "--resolve", "smtp.gmail.com=142.250.110.108,2a00:1450:4001::6c",
      "--resolve", "pop.gmail.com=142.250.110.109", "--resolve", "imap.gmail.com=2a00:1450::6d",
    ],
    [
      "allowlist", "--resolve", "time.cloudflare.com=162.159.200.1,2606:4700:f1::1", "--resolve",
      "deb.debian.org=151.101.2.132,2a04:4e42::644", "--resolve",
      "security.debian.org=151.101.2.132",
    ],
  ]

  /// One with essentials and a log, which no built-in policy has.
  private static let server = [
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "examples/server.yaml").path,
    "--resolve", "deb.debian.org=151.101.2.132,2a04:4e42::644", "--resolve",
    "security.debian.org=151.101.2.132",
  ]

  private func print(_ arguments: [String], _ more: String...) throws -> String {
    let outcome = try Weir.run(["print"] + arguments + more)
    #expect(outcome.ending == .exit(0))
    #expect(outcome.error == "")
    #expect(outcome.output != "")
    return outcome.output
  }

  @Test(arguments: policies + [server])
  func `kernel: the text loads, lists back to itself, and is what apply installs`(
    arguments: [String]
  ) throws {
    let text = try print(arguments)
    try ThrowAwayNamespace.run {
      try Nft.run("-f", "-", input: text)
      #expect(try Nft.run("list", "ruleset") == text)
    }
    try ThrowAwayNamespace.run {
      let outcome = try Weir.run(["apply"] + arguments)
      #expect(outcome.ending == .exit(0))
      #expect(try Nft.run("list", "ruleset") == text)
    }
  }

  /// A listing without what JSON of nft 1.0.6 has no words for: comments, the values of timeouts,
  /// which it reads and loses, and sets with a name whose keys are raw bytes, which it writes into the
  /// rules that look into them.
  private func essence(_ listing: String) -> (rest: [String], rawRules: Int) {
    let lines = listing.replacing(#/ ?comment "[^"]*"/#, with: "")
      .replacing(#/policy = {[^}]*}/#, with: "")
      .replacing(#/\t(map|set) [^{]* {\n\t\ttypeof @[^}]*}?[^}]*}\n/#, with: "")
      .split(separator: "\n").map { $0.trimmingPrefix { $0 == "\t" } }.filter { !$0.isEmpty }
    let isRaw = { (line: Substring) in line.contains("@nh,288,32") || line.contains("@nh,192,32") }
    return (lines.filter { !isRaw($0) }.map(String.init), lines.filter(isRaw).count)
  }

  @Test(arguments: policies)
  func `kernel: the JSON loads to the same rules`(arguments: [String]) throws {
    let text = try print(arguments)
    let json = try print(arguments, "--format", "json")
    try ThrowAwayNamespace.run {
      try Nft.run("-j", "-f", "-", input: json)
      let (found, expected) = (essence(try Nft.run("list", "ruleset")), essence(text))
      #expect(found.rest == expected.rest)
      #expect(found.rawRules == expected.rawRules)
      #expect(found.rawRules > 0)
      // When this fails, nft has learnt to read them, and the remark in the documents can go.
      #expect(try Nft.run("list", "ruleset").contains("policy = {  }"))
    }
  }

  @Test(arguments: policies, ["nft", "json", "bytecode", "table"])
  func `every form is the same every time`(arguments: [String], format: String) throws {
    let first = try print(arguments, "--format", format)
    #expect(try print(arguments, "--format", format) == first)
  }

  @Test(arguments: policies)
  func `the bytecode is that of nft, with the policy's lines`(arguments: [String]) throws {
    let listing = try print(arguments, "--format", "bytecode")
    #expect(listing.contains("[ immediate reg 0 drop ]"))
    #expect(listing.contains("builtin:\(arguments[0]):"))
  }

  @Test func `kernel: another table name changes nothing but the name`() throws {
    let text = try print(["public-internet-only"])
    let other = try print(["public-internet-only"], "--table", "other")
    // The digest is over the whole table, so it is another one.
    func anonymous(_ text: String) -> String {
      text.replacing(#/table inet [a-z]+ |public-internet-only [0-9a-f]{32}/#, with: "")
    }
    #expect(other.hasPrefix("table inet other {"))
    #expect(anonymous(other) == anonymous(text))
    try ThrowAwayNamespace.run {
      let outcome = try Weir.run("apply", "public-internet-only", "--table", "other")
      #expect(outcome.ending == .exit(0))
      #expect(try Nft.run("list", "ruleset") == other)
    }
  }
}
