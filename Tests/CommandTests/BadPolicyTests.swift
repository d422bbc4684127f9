import Foundation
import TestSupport
import Testing

/// What every verb does with a policy that it cannot use: the same message, the same exit code, and
/// a kernel that is as before.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct BadPolicyTests {
  /// Every verb that takes a policy, and that does not write its complaint to standard output.
  private static let verbs = [
    ["policy", "show"], ["print"], ["explain"], ["verify"], ["apply"], ["apply", "--dry-run"],
    ["refresh"],
  ]

  /// Runs every verb on a policy; each must say `complaint`, and the kernel must stay as it is.
  private func expectRefusal(
    of policy: String, in folder: String?, status: Int32, _ complaint: String,
    withoutRights: Bool = false
  ) throws {
    try ThrowAwayNamespace.run {
      let installed = try Weir.run("apply", "public-internet-only")
      #expect(installed.ending == .exit(0))
      let before = try Nft.ruleset()
      let generation = try Nft.generation()
      for verb in Self.verbs {
        let words = verb + [policy] + (verb == ["explain"] ? ["udp 192.0.2.1:53"] : [])
        let outcome = try Weir.run(words, in: folder, withoutRights: withoutRights)
        #expect(outcome.ending == .exit(status), "\(words)")
        #expect(outcome.output == "", "\(words)")
        #expect(outcome.error == "weir: " + complaint, "\(words)")
      }
      #expect(try Nft.ruleset() == before)
      #expect(try Nft.generation() == generation)
    }
    let check = try Weir.run("policy", "check", policy, in: folder, withoutRights: withoutRights)
    #expect(check.ending == .exit(status))
    #expect(check.error == "")
    #expect(complaint.hasPrefix(check.output))
  }

  @Test(arguments: [
    "syntax-unclosed", "wrong-types", "prefixes", "not-utf-8", "empty-file", "duplicate-clauses",
    "unknown-groups", "empty-lists", "circular-include", "circular-extends", "outside-directory",
    "missing-files", "alias-bomb",
  ])
  func `kernel: a policy with errors is refused by every verb, every error at its place`(
    name: String
  ) throws {
    let (folder, complaint) = try Corpus.policy("rejected", name)
    try expectRefusal(of: "policy.yaml", in: folder, status: 65, complaint)
  }

  @Test func `kernel: a file that is not there names the built-in policies`() throws {
    try expectRefusal(
      of: "nowhere.yaml", in: nil, status: 66,
      """
      nowhere.yaml: error: cannot read the file: there is no such file
      1 error
      note: built-in policies are allowlist, app-engine-sockets, public-internet-only

      """)
  }

  @Test func `kernel: a directory is no policy`() throws {
    let folder = try TemporaryFolder()
    try expectRefusal(
      of: ".", in: folder.url.path, status: 65,
      ".: error: cannot read the file: it is a directory, not a file\n1 error\n")
  }

  @Test func `kernel: a file that this user may not read says so`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.file("policy.yaml", "policy: p\ndefault: deny\n")
    try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: path)
    try expectRefusal(
      of: "policy.yaml", in: folder.url.path, status: 65,
      "policy.yaml: error: cannot read the file: cannot be read (EACCES)\n1 error\n",
      withoutRights: true)
  }

  @Test func `kernel: a file above the limit is not read to its end`() throws {
    let folder = try TemporaryFolder()
    // One byte more than ParserLimits.policyBytes.
    let text = "policy: p\ndefault: deny\n#"
    _ = try folder.file(
      "policy.yaml", text + String(repeating: "x", count: (16 << 20) + 1 - text.utf8.count))
    try expectRefusal(
      of: "policy.yaml", in: folder.url.path, status: 65,
      "policy.yaml: error: cannot read the file: it is larger than 16777216 bytes\n1 error\n")
  }

  @Test(arguments: [
    "denies-everything", "denies-everything-by-entry", "denies-nothing", "allows-everything",
    "overlapping-exceptions", "unneeded-exceptions", "shadowed-entries", "protocol-not-listed",
    "nat64-not-covered",
  ])
  func `kernel: a policy that is probably not meant is warned about and installed`(
    name: String
  ) throws {
    let (folder, complaint) = try Corpus.policy("accepted", name)
    // Verbs show each warning as it is; the count stands under all of them only in a check.
    let warnings = complaint.split(separator: "\n").dropLast().joined(separator: "\n")
    #expect(warnings.contains(": warning: "))
    try ThrowAwayNamespace.run {
      let apply = ["apply", "--allow-unresolved"]
      for verb in [["policy", "show"], ["print"], apply + ["--dry-run"], apply] {
        let outcome = try Weir.run(verb + ["policy.yaml"], in: folder)
        #expect(outcome.ending == .exit(0), "\(verb)")
        let said = outcome.error.split(separator: "\n")
          .filter { !$0.hasSuffix("1 warning") && !$0.hasPrefix("weir: warning: ") }
        #expect(said.joined(separator: "\n") == warnings, "\(verb)")
      }
      #expect(try ListedTable.live()?.generation("out") == "g1")
    }
    let check = try Weir.run("policy", "check", "policy.yaml", in: folder)
    #expect(check.ending == .exit(0))
    #expect(check.output == complaint)
  }
}
