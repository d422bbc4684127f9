import Bytecode
import Foundation
import HostFacts
import LinuxSystem
import Operations
import TestSupport
import Testing

@Suite(.enabled(if: ThrowAwayNamespace.isThere, Comment(rawValue: ThrowAwayNamespace.reason)))
struct SnapshotTests {
  private static let rules = """
    table inet filter {
      chain output { type filter hook output priority 0; policy drop;
        tcp dport { 80, 443 } accept
      }
    }
    """

  @Test func `kernel: a snapshot is written for its owner alone and reads back without rights`()
    throws
  {
    let folder = try TemporaryFolder()
    let file = folder.url.appending(path: "host.weir").path
    try ThrowAwayNamespace.run {
      try Nft.run("-f", "-", input: Self.rules)
      let outcome = try Weir.run("snapshot", "--output", file)
      #expect(outcome.ending == .exit(0))
      #expect(outcome.output.isEmpty)
      let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions]
      #expect(mode as? Int == 0o600)
    }
    let loaded = try readSnapshot(file)
    #expect(loaded.ruleset.tables.map(\.name) == ["filter"])
    #expect(loaded.kernelRelease == ProcessFacts.kernelRelease())
    #expect(loaded.unknownSections.isEmpty)
    #expect(loaded.host?.unknownKeys == [])
    #expect(loaded.host?.state.links.value?.map(\.name) == ["lo"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["host.weir"])
  }

  @Test func `kernel: standard output gets the same bytes as a file`() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appending(path: "a").path
    let redirected = folder.url.appending(path: "b").path
    try ThrowAwayNamespace.run {
      try Nft.run("-f", "-", input: Self.rules)
      #expect(try Weir.run("snapshot", "--rules-only", "--output", file).ending == .exit(0))
      let words = ["sh", "-c", "exec \"$0\" snapshot --rules-only > \"$1\"", Weir.path, redirected]
      #expect(try Program.run(words).ending == .exit(0))
    }
    #expect(
      try Data(contentsOf: URL(filePath: file)) == Data(contentsOf: URL(filePath: redirected)))
  }

  @Test func `kernel: without the right the exit code is 77 and nothing is written`() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appending(path: "host.weir").path
    try ThrowAwayNamespace.run {
      let outcome = try Weir.run(["snapshot", "--output", file], withoutRights: true)
      #expect(outcome.ending == .exit(77))
      #expect(outcome.error.contains("CAP_NET_ADMIN"))
    }
    #expect(!FileManager.default.fileExists(atPath: file))
  }

  @Test func `kernel: a namespace that is not there is exit code 66`() throws {
    try ThrowAwayNamespace.run {
      let outcome = try Weir.run("snapshot", "--netns", "no-such-place", "--output", "/dev/null")
      #expect(outcome.ending == .exit(66))
    }
  }

  @Test func `kernel: a place that cannot be written to is told, and the old file stays`() throws {
    let folder = try TemporaryFolder()
    let missing = folder.url.appending(path: "none/host.weir").path
    try ThrowAwayNamespace.run {
      let outcome = try Weir.run("snapshot", "--output", missing)
      #expect(outcome.ending == .exit(66))
      #expect(outcome.error.contains(missing))
    }
  }

  @Test func `what is no snapshot is refused by name, with exit code 65`() throws {
    let folder = try TemporaryFolder()
    let file = try folder.file("host.weir", "weir-snapshot 9\n")
    let error = #expect(throws: OperationFailure.self) { try readSnapshot(file) }
    #expect(error?.status == .badData)
    #expect(error?.message == "'\(file)': a snapshot of version '9', and this weir reads version 1")
    let gone = #expect(throws: OperationFailure.self) { try readSnapshot(file + "x") }
    #expect(gone?.status == .notFound)
  }

  @Test func `kernel: a snapshot's rules are loaded elsewhere with the links they are bound to`()
    throws
  {
    let folder = try TemporaryFolder()
    let file = folder.url.appending(path: "host.weir").path
    let rules = """
      table netdev edge {
        chain out { type filter hook egress device "wan0" priority 0; policy accept; }
      }
      table inet filter {
        chain output { type filter hook output priority 0; policy drop; oif "wan0" accept; }
      }
      """
    let listing = try ThrowAwayNamespace.run {
      #expect(
        try Program.run(["ip", "link", "add", "wan0", "index", "77", "type", "ifb"]).ending
          == .exit(0))
      try Nft.run("-f", "-", input: rules)
      #expect(try Weir.run("snapshot", "--output", file).ending == .exit(0))
      return try Nft.run("list", "ruleset")
    }
    let loaded = try readSnapshot(file)
    let copy = try ThrowAwayNamespace.run {
      let notes = try loaded.loadCopy()
      #expect(notes == [])
      return try Nft.run("list", "ruleset")
    }
    #expect(copy == listing)
    #expect(copy.contains("oif \"wan0\""))
    #expect(throws: OperationFailure.self) { try loaded.loadCopy() }
  }
}
