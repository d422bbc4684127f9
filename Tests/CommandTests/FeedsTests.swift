import Foundation
import Glibc
import LinuxSystem
import TestSupport
import Testing

/// `weir feeds` against a server that publishes what publishers do, and what they should not.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct FeedsTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A feeds file with one list file `list.txt`.
  private func feeds(_ server: ListServer, _ rest: String = "") throws -> String {
    try folder.file(
      "feeds.yaml",
      """
      feeds: tried
      lists:
        - to: list.txt
          format: list
          from: \(server.address("list"))
      \(rest)
      """)
  }

  private var list: String { folder.url.path + "/list.txt" }

  private func ranges() throws -> [String] {
    try String(contentsOfFile: list, encoding: .utf8).split(separator: "\n").map(String.init)
      .filter { !$0.hasPrefix("#") }
  }

  private static let good = "1.0.0.0/24\n1.1.1.0/24 # a comment\n2606:4700::/32"

  /// Publishes a good edition, fetches it, and gives both.
  private func fetched(_ rest: String = "", body: (ListServer, String) throws -> Void) throws {
    try ThrowAwayNamespace.run {
      let server = try ListServer()
      let file = try feeds(server, rest)
      server.publish("list", .text(Self.good))
      let run = try Weir.run("feeds", "update", file)
      #expect(run.ending == .exit(0), "\(run.error)\(run.output)")
      #expect(try ranges() == ["1.0.0.0/24", "1.1.1.0/24", "2606:4700::/32"])
      try body(server, file)
    }
  }

  @Test func `kernel: a list is fetched, told, and read by a policy`() throws {
    try fetched { server, file in
      let again = try Weir.run("feeds", "update", file, "--format", "json")
      #expect(again.ending == .exit(0))
      #expect(again.output.contains("\"outcome\" : \"unchanged\""), "\(again.output)")
      server.publish("list", .text(Self.good + "\n8.8.4.0/24"))
      let more = try Weir.run("feeds", "update", file)
      #expect(more.output.contains("updated, 768 IPv4 addresses, 4294967296 IPv6 networks"))
      #expect(more.output.contains("  + 8.8.4.0/24"), "\(more.output)")
      let policy = try folder.file(
        "p.yaml", "policy: p\ndefault: allow\ndeny: [{clause: shut, to: [{file: list.txt}]}]\n")
      let answer = try Weir.run("explain", policy, "tcp 8.8.4.4:443")
      #expect(answer.output.contains("deny") && answer.output.contains("shut"), "\(answer.output)")
      #expect(try Weir.run("feeds", "list", file).output.contains("list.txt: fresh"))
    }
  }

  @Test func `kernel: what is not due is not fetched`() throws {
    try fetched { server, file in
      let before = server.asked.count
      #expect(try Weir.run("feeds", "update", "--due", file).output.contains("fresh"))
      #expect(server.asked.count == before)
      // An edition of the future: the clock went back, and nothing is known of its age.
      let text = try String(contentsOfFile: list, encoding: .utf8)
      let shifted = text.replacingOccurrences(of: "\"fetched\":1", with: "\"fetched\":9")
      try shifted.write(toFile: list, atomically: true, encoding: .utf8)
      #expect(try Weir.run("feeds", "update", "--due", file).output.contains("unchanged"))
      #expect(server.asked.count == before + 1)
    }
  }

  @Test(
    arguments: [
      ("empty", .text(""), "it is empty"),
      ("only comments", .text("# nothing today\n"), "it has no addresses"),
      ("a page", .text("<!DOCTYPE html><title>Sign in</title>"), "a page of HTML"),
      ("cut off", .cutOff("1.0.0.0/24\n"), "failed"),
      ("endless", .endless, "longer than 100000 bytes"),
      ("another kind", .text("{\"prefixes\": []}"), "line 1: "),
      ("host bits", .text("1.0.0.1/24\n"), "line 1: "),
      ("half as large", .text("1.0.0.0/24\n2606:4700::/32"), "50 per cent fewer IPv4 addresses"),
      ("one family gone", .text("1.0.0.0/24\n1.1.1.0/24"), "100 per cent fewer IPv6 addresses"),
      ("everything", .text("0.0.0.0/0\n2606:4700::/32"), "0.0.0.0/0 is wider"),
      ("two halves", .text("0.0.0.0/1\n128.0.0.0/1\n2606:4700::/32"), "0.0.0.0/0 is wider"),
      ("all of IPv6", .text(good + "\n::/0"), "::/0 is wider"),
      ("private", .text(good + "\n10.1.0.0/16"), "10.1.0.0/16 is no public address"),
      ("local", .text(good + "\nfe80::/64"), "fe80::/64 is no public address"),
      ("not there", .failure, "503"),
      ("to plain HTTP", .moved("http://127.0.0.1:8080/other"), "failed"),
    ] as [(String, ListServer.Answer, String)])
  func `kernel: what cannot be meant is refused, and the last good edition stays`(
    what: String, answer: ListServer.Answer, reason: String
  ) throws {
    try fetched("    max-bytes: 100000") { server, file in
      let before = try String(contentsOfFile: list, encoding: .utf8)
      server.publish("other", .text(Self.good))
      server.publish("list", answer)
      let run = try Weir.run("feeds", "update", file)
      #expect(run.ending == .exit(1), "\(what): \(run.output)")
      #expect(run.output.contains(reason), "\(what): \(run.output)")
      #expect(try String(contentsOfFile: list, encoding: .utf8) == before, "\(what)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).count == 2)
    }
  }

  @Test func `kernel: what was looked at is accepted, what cannot be meant is not`() throws {
    try fetched { (server: ListServer, file: String) throws in
      server.publish("list", .text("1.0.0.0/24"))
      #expect(try Weir.run("feeds", "update", file).ending == .exit(1))
      #expect(try Weir.run("feeds", "update", "--accept", file).ending == .exit(0))
      #expect(try ranges() == ["1.0.0.0/24"])
      server.publish("list", .text("0.0.0.0/0"))
      #expect(try Weir.run("feeds", "update", "--accept", file).ending == .exit(1))
      #expect(try ranges() == ["1.0.0.0/24"])
    }
  }

  @Test func `kernel: a file that is not weir's, or was damaged, is not written over`() throws {
    try fetched { server, file in
      for damaged in ["1.0.0.0/24\n", try String(contentsOfFile: list, encoding: .utf8) + "x\n"] {
        try damaged.write(toFile: list, atomically: true, encoding: .utf8)
        let run = try Weir.run("feeds", "update", file)
        #expect(run.ending == .exit(1))
        #expect(run.output.contains("--accept puts the published list in its place"))
        #expect(try String(contentsOfFile: list, encoding: .utf8) == damaged)
        #expect(try Weir.run("feeds", "list", file).output.contains("missing"))
      }
      #expect(try Weir.run("feeds", "update", "--accept", file).ending == .exit(0))
      #expect(try ranges().count == 3)
    }
  }

  @Test func `kernel: a full disk leaves the last good edition`() throws {
    try fetched { server, file in
      let small = folder.url.path + "/small"
      try FileManager.default.createDirectory(atPath: small, withIntermediateDirectories: true)
      // The mount is in a namespace of the program alone.
      server.publish("list", .text(Self.good + "\n8.8.4.0/24"))
      let script =
        "mount -t tmpfs -o size=16k none \(small) && cp \(file) \(list) \(small)"
        + " && { head -c 100000 /dev/zero > \(small)/fill; \(Weir.path) feeds update"
        + " \(small)/feeds.yaml; echo code $?; cat \(small)/list.txt; ls \(small); }"
      let run = try Program.run(["unshare", "-m", "sh", "-c", script])
      #expect(run.output.contains("code 1"), "\(run.output)\(run.error)")
      #expect(run.output.contains("failed"), "\(run.output)")
      #expect(run.output.contains("1.1.1.0/24\n2606:4700::/32\n"), "\(run.output)")
      #expect(!run.output.contains(".part"), "\(run.output)")
    }
  }

  @Test func `kernel: an older edition, or one of a wrong date, is refused`() throws {
    try ThrowAwayNamespace.run {
      let server = try ListServer()
      let file = try folder.file(
        "feeds.yaml",
        """
        feeds: dated
        lists:
          - {to: list.txt, format: google, from: "\(server.address("goog"))",
             minus: "\(server.address("cloud"))"}
        """)
      func publish(_ secondsAgo: Int) {
        let date = ISO8601DateFormatter().string(
          from: Date(timeIntervalSinceNow: -Double(secondsAgo)))
        let prefixes =
          #"[{"ipv4Prefix": "8.8.0.0/16"}, {"ipv6Prefix": "2404:6800::/32"}]"#
        server.publish(
          "goog", .text(#"{"creationTime": "\#(date.dropLast())", "prefixes": \#(prefixes)}"#))
      }
      server.publish(
        "cloud",
        .text(#"{"prefixes": [{"ipv4Prefix": "8.8.8.0/24", "scope": "x", "service": "y"}]}"#))
      publish(7200)
      #expect(try Weir.run("feeds", "update", file).ending == .exit(0))
      #expect(try ranges().first == "8.8.0.0/21")
      #expect(try ranges().last == "2404:6800::/32")
      publish(9000)
      #expect(try Weir.run("feeds", "update", file).output.contains("older than the edition"))
      publish(-200_000)
      #expect(try Weir.run("feeds", "update", file).output.contains("dated in the future"))
      publish(40 * 86_400)
      #expect(try Weir.run("feeds", "update", file).output.contains("made 40 days ago"))
    }
  }

  @Test func `kernel: plain HTTP to anybody else, and a place in disguise, is refused`() throws {
    try ThrowAwayNamespace.run {
      for address in [
        "http://192.0.2.1/list", "http://127.0.0.1:8080@192.0.2.1/list", "file:///etc/passwd",
        "http://127.0.0.1.example.net/list", "ftp://127.0.0.1/list",
      ] {
        let file = try folder.file(
          "feeds.yaml",
          "feeds: f\nlists: [{to: list.txt, format: list, from: \"\(address)\"}]\n")
        let run = try Weir.run("feeds", "update", file)
        #expect(run.ending == .exit(1))
        #expect(run.output.contains("only https:// is believed"), "\(run.output)")
      }
    }
  }
}
