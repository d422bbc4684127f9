import LinuxSystem
import TestSupport
import Testing

/// Rules of others on the same host: nothing that weir does changes them.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct CoexistenceTests {
  /// Tables as iptables-nft, docker and people leave them.
  private static let foreign = [
    "iptables-nft -A OUTPUT -p tcp --dport 6667 -j REJECT",
    "ip6tables-nft -A OUTPUT -p udp --dport 6667 -j DROP",
    "iptables-nft -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
    "nft add table inet mine",
    "nft 'add set inet mine seen { type ipv4_addr; flags timeout; elements = { 192.0.2.7 } }'",
    "nft 'add chain inet mine out { type filter hook output priority 10; policy accept; }'",
    "nft add rule inet mine out ip daddr @seen counter drop",
  ]

  /// Everything in the namespace but weir's own tables, with handles.
  private func others() throws -> String {
    try Nft.run("list", "tables").split(separator: "\n").filter { !$0.contains("weir") }
      .map { line in
        let words = line.split(separator: " ").map(String.init)
        return try Nft.run("-a", "list", "table", words[1], words[2])
      }
      .joined()
      .replacing(#/packets [0-9]+ bytes [0-9]+/#, with: "counted")
  }

  @Test func `kernel: whatever weir does, the tables of others stay as they are`() throws {
    let folder = try TemporaryFolder()
    let first = try folder.file("a.yaml", "policy: a\ninbound: allow\nidle: 5m\ndefault: allow\n")
    let second = try folder.file(
      "b.yaml", "policy: b\ndefault: deny\nallow:\n  - {clause: web, port: tcp/443}\n")
    try ThrowAwayNamespace.run {
      for command in Self.foreign { try HostPlant.run(command) }
      let before = try others()
      #expect(before.contains("192.0.2.7") && before.contains("masquerade"))
      for words in [
        ["apply", first], ["apply", second, "--force"], ["apply", first, "--confirm", "1m"],
        ["confirm"], ["reap"], ["meter", "--start"], ["meter", "--stop"], ["status"],
        ["audit", first], ["remove"],
      ] {
        let outcome = try Weir.run(words)
        #expect([.exit(0), .exit(1), .exit(2)].contains(outcome.ending), "\(words) \(outcome)")
        #expect(try others() == before, "\(words)")
      }
      #expect(!(try Nft.ruleset().contains("weir")))
      let guardian = try {
        #expect(try Weir.run("apply", "--no-diff", first).ending == .exit(0))
        return try LoggedChild([Weir.path, "guard", first, "--restore"], in: folder)
      }()
      #expect(guardian.says("started", within: 120))
      try Nft.run("delete", "table", "inet", "weir")
      #expect(guardian.says("restored", within: 60), "\(guardian.text)")
      #expect(guardian.end() == 0)
      #expect(try others() == before)
    }
  }
}
