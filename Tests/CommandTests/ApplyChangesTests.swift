import Foundation
import LinuxSystem
import TestSupport
import Testing

/// What `weir apply` says of the packets whose verdict changes, before it acts and afterwards.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct ApplyChangesTests {
  private static func text(_ ports: String) -> String {
    """
    policy: web
    inbound: deny
    on-deny: drop
    default: deny
    allow:
      - {clause: web, to: [192.0.2.0/24, 2001:db8:1::/48], port: \(ports)}
    """
  }

  private let folder: TemporaryFolder
  private let first: String
  private let second: String
  private static let exact = "  read back, the rules change the verdict of exactly these packets\n"

  init() throws {
    folder = try TemporaryFolder()
    first = try folder.file("first.yaml", Self.text("tcp/443"))
    second = try folder.file("second.yaml", Self.text("[tcp/443, tcp/8080]"))
  }

  @Test func `kernel: what a policy opens is shown in both families, before and read back`() throws
  {
    try ThrowAwayNamespace.run {
      #expect(try Weir.run("apply", first).output.contains("egress, ipv6: will no longer pass\n"))
      let dry = try Weir.run("apply", second, "--dry-run")
      let outcome = try Weir.run("apply", second)
      for output in [dry.output, outcome.output] {
        #expect(output.contains("egress, ipv4: will pass\n"))
        #expect(output.contains("egress, ipv6: will pass\n"))
        #expect(output.contains("to 192.0.2.0/24, dport 8080, "))
        #expect(output.contains("tcp from [::1]:40000 to [2001:db8:1::1]:8080\n"))
        #expect(!output.contains("will no longer pass"))
        #expect(!output.contains("dport 443"))
      }
      #expect(outcome.output.contains(Self.exact))
      #expect(!dry.output.contains(Self.exact))
      let again = try Weir.run("apply", second)
      #expect(again.output.hasPrefix("no packet will change verdict\n"))
    }
  }

  @Test func `kernel: what another table stops anyway is no change`() throws {
    try ThrowAwayNamespace.run {
      #expect(try Weir.run("apply", first).ending == .exit(0))
      try Nft.run(
        "-f", "-",
        input: """
          table inet other {
            chain out { type filter hook output priority 10; tcp dport 8080 ip version 4 drop; }
          }
          """)
      let output = try Weir.run("apply", second).output
      #expect(!output.contains("egress, ipv4"))
      #expect(output.contains("egress, ipv6: will pass\n"))
    }
  }

  @Test func `kernel: a long list is not compared, and that is said`() throws {
    let prefixes = (0..<5000).map { "10.\($0 / 250).\($0 % 250).\($0 % 7)" }
    _ = try folder.file("list.txt", prefixes.joined(separator: "\n") + "\n")
    let long = try folder.file(
      "long.yaml", "policy: long\ndefault: allow\ndeny:\n  - {clause: l, to: {file: list.txt}}\n")
    try ThrowAwayNamespace.run {
      let outcome = try Weir.run("apply", long)
      #expect(outcome.ending == .exit(0))
      #expect(outcome.output.contains("  changed verdicts are not compared: "))
      #expect(outcome.output.contains("; weir diff compares them\n"))
    }
  }

  @Test func `kernel: it is left out when told so, and JSON has both comparisons`() throws {
    try ThrowAwayNamespace.run {
      let outcome = try Weir.run("apply", first, "--no-diff")
      #expect(outcome.output.hasPrefix("table inet weir: policy web"))
      let json = try Weir.run("apply", second, "--format", "json")
      let value = try JSONSerialization.jsonObject(with: Data(json.output.utf8))
      let changes = try #require((value as? [String: Any])?["changes"] as? [String: Any])
      for key in ["expected", "seen"] {
        let comparison = try #require(changes[key] as? [String: Any])
        #expect((comparison["differences"] as? [Any])?.count == 2)
      }
    }
  }
}
