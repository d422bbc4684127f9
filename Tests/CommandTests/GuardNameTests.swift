import Foundation
import LinuxSystem
import TestSupport
import Testing

/// A guard and a watch keep names' addresses fresh before their answers end.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct GuardNameTests {
  @Test func `kernel: a name that moves is followed before its answer ends`() throws {
    let folder = try TemporaryFolder()
    let policy = try folder.file(
      "named.yaml",
      """
      policy: named
      inbound: allow
      default: deny
      allow:
        - {clause: dns, to: [127.0.0.1, "::1"], port: [udp/5353, tcp/5353]}
        - clause: mirror
          to: {name: moving.test, within: [192.0.2.0/24, "2001:db8::/32"]}
          port: tcp/443
      """)
    let words = [policy, "--resolver", "127.0.0.1:5353"]
    try ThrowAwayNamespace.run {
      var server = try NameServer(["host-record=moving.test,192.0.2.1,2001:db8::1,6"])
      #expect(try Weir.run(["apply", "--no-diff"] + words).ending == .exit(0))
      let guardian = try LoggedChild(
        [Weir.path, "guard", "--grace", "15s"] + words, in: folder)
      #expect(guardian.says("started", within: 120), "\(guardian.text)")
      server.stop()
      server = try NameServer(["host-record=moving.test,192.0.2.2,2001:db8::2,6"])
      #expect(
        guardian.says("refreshed: moving.test has other addresses", within: 120),
        "\(guardian.text)")
      let ruleset = try Nft.ruleset()
      #expect(ruleset.contains("192.0.2.2") && ruleset.contains("2001:db8::2"))
      // What it was answered before stays for as long as the answer holds, and the grace.
      #expect(ruleset.contains("192.0.2.1") && ruleset.contains("2001:db8::1"))
      #expect(
        guardian.says("refreshed: moving.test has other addresses", within: 120, times: 2),
        "\(guardian.text)")
      let later = try Nft.ruleset()
      #expect(!later.contains("192.0.2.1") && !later.contains("2001:db8::1"))
      #expect(later.contains("192.0.2.2") && later.contains("2001:db8::2"))
      server.stop()
      #expect(guardian.says("moving.test keeps its old addresses", within: 120))
      #expect(try Nft.ruleset().contains("192.0.2.2"))
      #expect(guardian.end() == 0)
    }
  }

  @Test func `kernel: a watch follows the names of its scopes, and keeps what nobody answers`()
    throws
  {
    let folder = try TemporaryFolder()
    _ = try folder.file(
      "named.yaml",
      """
      policy: named
      default: deny
      allow:
        - clause: mirror
          to: {name: moving.test, within: [192.0.2.0/24, "2001:db8::/32"]}
          port: tcp/443
      """)
    let site = try folder.file(
      "site.yaml", "site: s\nscopes:\n  - {user: 4711, policy: named.yaml}\n")
    try ThrowAwayNamespace.run {
      var server = try NameServer(["host-record=moving.test,192.0.2.1,2001:db8::1,6"])
      let watch = try LoggedChild(
        [Weir.path, "scope", "watch", site, "--grace", "15s", "--resolver", "127.0.0.1:5353"],
        in: folder)
      #expect(watch.says("started: 1 of 1 scopes are bound", within: 120), "\(watch.text)")
      #expect(try Nft.ruleset().contains("192.0.2.1"))
      server.stop()
      server = try NameServer(["host-record=moving.test,192.0.2.2,2001:db8::2,6"])
      #expect(
        watch.says("refreshed: moving.test has other addresses", within: 120), "\(watch.text)")
      let both = try Nft.ruleset()
      #expect(both.contains("192.0.2.1") && both.contains("2001:db8::1"))
      #expect(both.contains("192.0.2.2") && both.contains("2001:db8::2"))
      let deadline = Date(timeIntervalSinceNow: 60)
      while try Nft.ruleset().contains("192.0.2.1"), Date() < deadline { usleep(100_000) }
      let later = try Nft.ruleset()
      #expect(!later.contains("192.0.2.1") && !later.contains("2001:db8::1"))
      server.stop()
      // Longer than the answer held, and the grace.
      usleep(25_000_000)
      let silent = try Nft.ruleset()
      #expect(silent.contains("192.0.2.2") && silent.contains("2001:db8::2"), "\(watch.text)")
      #expect(watch.end() == 0)
    }
  }
}
