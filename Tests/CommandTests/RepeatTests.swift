import TestSupport
import Testing

/// What must not change: the kernel at a second apply or a dry run, and tables of others ever.
@Suite(.enabled(if: ThrowAwayNamespace.isThere, "\(ThrowAwayNamespace.reason)"))
struct RepeatTests {
  /// Somebody else's tables, of every family, one of them with weir's own chain names.
  private static let foreign = """
    table inet other {
      comment "managed by weir"
      counter c { }
      map generation/out { type nf_proto : verdict; }
      chain output { type filter hook output priority filter + 10; counter name c; }
    }
    table ip weir { chain g1/out { ip daddr 192.0.2.1 counter drop; }; }
    table ip6 nat { chain post { type nat hook postrouting priority srcnat; masquerade; }; }
    table arp a { chain c { arp operation request accept; }; }
    table bridge b { set s { type ether_addr; elements = { 02:00:00:00:00:01 }; }; }
    """

  private func foreignTables() throws -> String {
    try [["inet", "other"], ["ip", "weir"], ["ip6", "nat"], ["arp", "a"], ["bridge", "b"]]
      .map { try Nft.run("-a", "list", "table", $0[0], $0[1]) }.joined()
  }

  @Test(arguments: PrintTests.policies)
  func `kernel: applying twice changes nothing and says so`(arguments: [String]) throws {
    try ThrowAwayNamespace.run {
      let first = try Weir.run(["apply"] + arguments)
      #expect(first.ending == .exit(0))
      #expect(first.output.contains(" is in force as generation 1; read back equal\n"))
      let before = try Nft.ruleset()
      let generation = try Nft.generation()
      let second = try Weir.run(["apply"] + arguments)
      #expect(second.ending == .exit(0))
      #expect(second.output.contains(" was in force already\n"))
      #expect(try Nft.generation() == generation)
      #expect(try Nft.ruleset() == before)
      let status = try Weir.run("status")
      #expect(status.ending == .exit(0))
      #expect(status.output.hasPrefix("table inet weir: generation 1 in force, policy "))
      #expect(try Nft.generation() == generation)
    }
  }

  @Test func `kernel: a dry run changes nothing, whatever is installed`() throws {
    try ThrowAwayNamespace.run {
      func dryRun(_ arguments: [String], _ expected: String) throws {
        let before = try Nft.ruleset()
        let generation = try Nft.generation()
        let outcome = try Weir.run(["apply", "--dry-run"] + arguments)
        #expect(outcome.ending == .exit(0))
        #expect(outcome.output.contains(expected))
        #expect(try Nft.ruleset() == before)
        #expect(try Nft.generation() == generation)
      }
      try dryRun(PrintTests.policies[0], "; nothing is installed\n")
      #expect(try Weir.run("apply", "public-internet-only").ending == .exit(0))
      try dryRun(PrintTests.policies[0], " is in force already\n")
      try dryRun(PrintTests.policies[2], "; generation 1 is in force\n")
    }
  }

  @Test func `kernel: tables of others stay byte for byte, through the whole life of ours`() throws
  {
    try ThrowAwayNamespace.run {
      try Nft.run("-f", "-", input: Self.foreign)
      let before = try foreignTables()
      let verbs = [
        ["apply"] + PrintTests.policies[0], ["apply"] + PrintTests.policies[1],
        ["refresh"] + PrintTests.policies[1], ["apply"] + PrintTests.policies[0],
        ["apply", "public-internet-only", "--table", "second"], ["remove", "--table", "second"],
        ["remove"],
      ]
      for verb in verbs {
        #expect(try Weir.run(verb).ending == .exit(0), "\(verb)")
        #expect(try foreignTables() == before, "\(verb)")
      }
      #expect(try Nft.run("list", "tables").contains("table inet weir") == false)
    }
  }
}
