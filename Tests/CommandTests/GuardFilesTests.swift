import Foundation
import Glibc
import LinuxSystem
import TestSupport
import Testing

/// `weir guard`, when the files of its policy change and when published lists do.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct GuardFilesTests {
  private let folder: TemporaryFolder
  private let policy: String

  init() throws {
    folder = try TemporaryFolder()
    policy = try folder.file(
      "p.yaml",
      """
      policy: listed
      default: allow
      deny:
        - {clause: shut, to: [{file: list.txt}]}
      """)
    _ = try folder.file("list.txt", "8.8.8.0/24\n2606:4700::/32\n")
  }

  private func guarded(_ words: String..., body: (LoggedChild) throws -> Void) throws {
    #expect(try Weir.run("apply", "--no-diff", policy).ending == .exit(0))
    let guardian = try LoggedChild([Weir.path, "guard", policy] + words, in: folder)
    #expect(guardian.says("started", within: 120), "\(guardian.text)")
    try body(guardian)
    #expect(guardian.end() == 0)
  }

  private func holds(_ text: String) throws -> Bool { try Nft.ruleset().contains(text) }

  /// A server whose list was fetched long ago, and its feeds file: due as soon as a guard runs.
  private func published() throws -> (ListServer, feeds: String) {
    let server = try ListServer()
    let feeds = try folder.file(
      "feeds.yaml",
      """
      feeds: published
      lists: [{to: list.txt, format: list, from: "\(server.address("list"))"}]
      """)
    server.publish("list", .text("8.8.8.0/24\n2606:4700::/32\n"))
    #expect(try Weir.run("feeds", "update", "--accept", feeds).ending == .exit(0))
    let path = folder.url.path + "/list.txt"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let old = text.replacing(/"fetched":\d+/, with: "\"fetched\":1700000000")
    _ = try folder.file("list.txt", old)
    return (server, feeds)
  }

  @Test func `kernel: a list that grows is put in force at once, one that shrinks is held`() throws
  {
    try ThrowAwayNamespace.run {
      try guarded { guardian in
        _ = try folder.file("list.txt", "8.8.4.0/24\n8.8.8.0/24\n2606:4700::/32\n")
        #expect(guardian.says("reloaded: policy listed", within: 60), "\(guardian.text)")
        #expect(try holds("8.8.4.0/24"))
        _ = try folder.file("list.txt", "8.8.4.0/24\n8.8.8.0/24\n2606:4700::/33\n")
        #expect(guardian.says("held: the files would open", within: 60), "\(guardian.text)")
        #expect(guardian.text.contains("2606:4700:8000::"), "\(guardian.text)")
        #expect(try holds("2606:4700::/32"))
        guardian.signal(SIGHUP)
        let deadline = Date(timeIntervalSinceNow: 60)
        while try !holds("2606:4700::/33"), Date() < deadline { usleep(50_000) }
        #expect(try holds("2606:4700::/33"), "\(guardian.text)")
      }
    }
  }

  @Test func `kernel: what was held is confirmed by weir apply, and taken back by its author`()
    throws
  {
    try ThrowAwayNamespace.run {
      try guarded { guardian in
        _ = try folder.file("list.txt", "8.8.8.0/24\n")
        #expect(guardian.says("held: the files would open", within: 60), "\(guardian.text)")
        _ = try folder.file("list.txt", "8.8.8.0/24\n2606:4700::/32\n")
        #expect(guardian.says("unchanged", within: 60), "\(guardian.text)")
        _ = try folder.file("list.txt", "2606:4700::/32\n")
        let deadline = Date(timeIntervalSinceNow: 60)
        while guardian.text.components(separatedBy: "held").count < 3, Date() < deadline {
          usleep(50_000)
        }
        #expect(guardian.text.contains("8.8.8."), "\(guardian.text)")
        #expect(try holds("8.8.8.0/24"))
        #expect(try Weir.run("apply", "--no-diff", policy).ending == .exit(0))
        #expect(guardian.says("reloaded, by weir (pid ", within: 60), "\(guardian.text)")
        #expect(!guardian.text.contains("drift"), "\(guardian.text)")
      }
    }
  }

  @Test func `kernel: a file that is not a policy changes nothing, other files are not looked at`()
    throws
  {
    try ThrowAwayNamespace.run {
      try guarded { guardian in
        _ = try folder.file("notes.txt", "anything")
        _ = try folder.file("list.txt", "8.8.8.0/24 and more\n")
        #expect(guardian.says("failed: files changed: ", within: 60), "\(guardian.text)")
        #expect(guardian.text.contains("list.txt:1:"), "\(guardian.text)")
        #expect(try holds("8.8.8.0/24"))
        #expect(guardian.text.components(separatedBy: "failed").count == 2, "\(guardian.text)")
      }
    }
  }

  @Test
  func `kernel: a list that is published is fetched when it is due, and judged as any change`()
    throws
  {
    try ThrowAwayNamespace.run {
      let (server, feeds) = try published()
      server.publish("list", .text("8.8.8.0/24\n9.9.9.0/24\n2606:4700::/32\n"))
      try guarded("--feeds", feeds) { (guardian: LoggedChild) throws in
        #expect(guardian.says("fetched: ", within: 60), "\(guardian.text)")
        #expect(guardian.text.contains("1 added: 9.9.9.0/24, none removed"), "\(guardian.text)")
        #expect(guardian.says("reloaded: policy listed", within: 60), "\(guardian.text)")
        #expect(try holds("9.9.9.0/24"))
      }
    }
  }

  @Test func `kernel: a server that lies leaves the rules as they are, and is told`() throws {
    try ThrowAwayNamespace.run {
      let (server, feeds) = try published()
      server.publish("list", .text("<html>"))
      try guarded("--feeds", feeds) { (guardian: LoggedChild) throws in
        #expect(guardian.says("refused: ", within: 60), "\(guardian.text)")
        #expect(guardian.text.contains("a page of HTML"), "\(guardian.text)")
        #expect(try holds("2606:4700::/32"))
      }
    }
  }
}
