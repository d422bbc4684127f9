import Bytecode
import NetworkTypes
import Testing

@testable import NetfilterLink

private let weir = TableIdentifier(family: .inet, name: "weir")

@Suite(.enabled(if: Kernel.isThere, Kernel.reason))
struct InstallTests {
  @Test func `kernel: a first installation hooks generation 1 and reads back as compiled`() throws {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      let policy = SamplePolicy(answers: [0x0102_0304])
      let outcome = try session.install(policy.table)
      #expect(outcome == InstallOutcome(generation: 1, previous: nil, isUnchanged: false))
      let status = try #require(try session.status(of: weir))
      #expect(status.generation == 1)
      #expect(status.isHooked)
      #expect(status.leftovers == [])
      #expect(status.policyComment == "policy sample private")
      #expect(status.counters.map(\.name) == ["private"])
    }
  }

  @Test func `kernel: the same table again sends nothing and moves no generation`() throws {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      let policy = SamplePolicy(answers: [0x0102_0304])
      _ = try session.install(policy.table)
      let before = try session.readGeneration()
      let outcome = try session.install(policy.table)
      #expect(outcome == InstallOutcome(generation: 1, previous: 1, isUnchanged: true))
      #expect(try session.readGeneration() == before)
    }
  }

  @Test func `kernel: a changed policy becomes the next generation and the old one is gone`() throws
  {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.install(SamplePolicy().table)
      let outcome = try session.install(SamplePolicy(ports: [80]).table)
      #expect(outcome == InstallOutcome(generation: 2, previous: 1, isUnchanged: false))
      let live = try #require(try session.readTable(family: .inet, name: "weir"))
      #expect(live.generations == [2])
      #expect(live.generationInForce == 2)
    }
  }

  @Test func `kernel: a shared set stays in the kernel while its contents stay`() throws {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.install(SamplePolicy().table)
      let shared = SamplePolicy().table(1).sets[1].name
      func handles() throws -> String {
        try Kernel.nft("-a", "list", "set", "inet", "weir", shared)
      }
      let before = try handles()
      _ = try session.install(SamplePolicy(ports: [80]).table)
      #expect(try handles() == before)
      let other = SamplePolicy(denied: IntervalSet([Interval(1, 2)]))
      _ = try session.install(other.table)
      #expect(throws: NftFailed.self) { try handles() }
    }
  }

  @Test func `kernel: a counter that both generations use goes on counting`() throws {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      var first = SamplePolicy().table(1)
      first.counters[0].packets = 7
      first.counters[0].bytes = 420
      _ = try session.install { _ in first }
      _ = try session.install(SamplePolicy(ports: [80]).table)
      let counters = try session.readCounters(family: .inet, table: "weir")
      #expect(counters.map(\.packets) == [7])
      #expect(counters.map(\.bytes) == [420])
    }
  }

  @Test func `kernel: a counter of a clause that is gone goes with it`() throws {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.install(SamplePolicy().table)
      _ = try session.install(SamplePolicy(clause: "smtp").table)
      let counters = try session.readCounters(family: .inet, table: "weir")
      #expect(counters.map(\.name) == ["smtp"])
    }
  }

  @Test func `kernel: new answers of a name are put in place without a new generation`() throws {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.install(SamplePolicy(answers: [0x0102_0304]).table)
      let outcome = try session.install(SamplePolicy(answers: [0x0505_0505]).table)
      #expect(outcome.isUnchanged)
      let live = try #require(try session.readTable(family: .inet, name: "weir"))
      let names = live.sets.first { $0.name == "g1/name4/example.org" }
      let expected = IntervalSet<UInt32>([Interval(0x0505_0505, 0x0505_0505)])
      #expect(names?.content == .ipv4(expected))
    }
  }

  @Test(arguments: [
    ("table inet weir { chain x { }; }", "it has no comment"),
    ("table inet weir { comment \"mine\"; chain x { }; }", "its comment is \"mine\""),
    ("table inet weir { comment \"managed by weir\"; chain x { }; }", "chain x"),
    ("table inet weir { comment \"managed by weir\"; set s { type mark; }; }", "set s"),
    ("table inet weir { comment \"managed by weir\"; quota q { over 1 mbytes }; }", "object q"),
  ])
  func `kernel: a table that is not weir's is refused and left as it is`(
    text: String, reason: String
  ) throws {
    try Kernel.inNamespace {
      _ = try Kernel.nft("-f", "-", input: text)
      let before = try Kernel.nft("list", "ruleset")
      var session = try Kernel.session()
      let error = #expect(throws: InstallError.self) { try session.install(SamplePolicy().table) }
      guard case .foreign(weir, let reasons)? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(reasons.contains { $0.hasPrefix(reason) })
      #expect(try Kernel.nft("list", "ruleset") == before)
    }
  }

  @Test func `kernel: installing and removing leave every other table alone`() throws {
    try Kernel.inNamespace {
      _ = try Kernel.nft("-f", "-", input: SampleText.everything)
      let before = try Kernel.nft("list", "table", "inet", "sample")
        .replacing(#/ expires [0-9a-z]+/#, with: "")
      var session = try Kernel.session()
      _ = try session.install(SamplePolicy().table)
      #expect(try session.tableNames().map(\.name) == ["sample", "weir"])
      #expect(try session.remove(weir))
      #expect(try !session.remove(weir))
      let after = try Kernel.nft("list", "ruleset").replacing(#/ expires [0-9a-z]+/#, with: "")
      expectSameText(after, before)
    }
  }

  @Test func `kernel: removing a table that is not weir's is refused`() throws {
    try Kernel.inNamespace {
      _ = try Kernel.nft("add", "table", "inet", "weir")
      var session = try Kernel.session()
      #expect(throws: InstallError.foreign(weir, reasons: ["it has no comment"])) {
        try session.remove(weir)
      }
      #expect(try session.tableNames() == [weir])
    }
  }

  @Test(arguments: [
    "add rule inet weir g1/out accept", "insert rule inet weir output accept",
    "flush chain inet weir output", "flush set inet weir addresses/4/167772160-184549375-1",
    "flush map inet weir generation/out", "add element inet weir generation/out { ipv4 : accept }",
    "flush chain inet weir g1/deny",
  ])
  func `kernel: whatever somebody did inside the table, the next installation heals`(
    change: String
  ) throws {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.install(SamplePolicy().table)
      let clean = try Kernel.nft("list", "ruleset")
      _ = try Kernel.nft(change)
      #expect(try Kernel.nft("list", "ruleset") != clean)
      let outcome = try session.install(SamplePolicy().table)
      let healed = try Kernel.nft("list", "ruleset")
      let renamed = healed.replacing("g\(outcome.generation)/", with: "g1/")
      #expect(
        renamed.split(separator: "\n").sorted() == clean.split(separator: "\n").sorted())
    }
  }

  @Test(arguments: [InstallStage.preloaded, .swapped])
  func `kernel: an objection of the judge leaves the old generation in force and nothing else`(
    stage: InstallStage
  ) throws {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.install(SamplePolicy().table)
      let before = try Kernel.nft("list", "ruleset")
      let error = InstallError.notProven(
        stage, differences: ["no"], standing: .previous(generation: 1))
      #expect(throws: error) {
        try session.install(
          proof: { reached, _ in reached == stage ? "no" : nil },
          SamplePolicy(ports: [80]).table)
      }
      var live = try #require(try session.readTable(family: .inet, name: "weir"))
      #expect(live.generationInForce == 1)
      _ = try session.install(SamplePolicy().table)
      live = try #require(try session.readTable(family: .inet, name: "weir"))
      #expect(live.generations == [1])
      expectSameText(try Kernel.nft("list", "ruleset"), before)
    }
  }
}
