import LinuxSystem
import TestSupport
import Testing

/// A guard keeps a name's addresses fresh before its answers end.
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
      let guardian = try LoggedChild([Weir.path, "guard"] + words, in: folder)
      #expect(guardian.says("started", within: 120), "\(guardian.text)")
      server.stop()
      server = try NameServer(["host-record=moving.test,192.0.2.2,2001:db8::2,6"])
      #expect(
        guardian.says("refreshed: moving.test has other addresses", within: 120),
        "\(guardian.text)")
      let ruleset = try Nft.ruleset()
      #expect(ruleset.contains("192.0.2.2") && ruleset.contains("2001:db8::2"))
      #expect(!ruleset.contains("192.0.2.1") && !ruleset.contains("2001:db8::1"))
      server.stop()
      #expect(guardian.says("moving.test keeps its old addresses", within: 120))
      #expect(try Nft.ruleset().contains("192.0.2.2"))
      #expect(guardian.end() == 0)
    }
  }
}
