import Bytecode
import BytecodeInterpreter
import NetworkTypes
import RulesetExamples
import Testing

/// How chains, tables and hooks combine.
@Suite struct InterpreterTests {
  static let packet = Packets.ipv4(6, Packets.tcp(40000, 443))

  static func base(
    _ name: String, _ rules: [Rule], priority: Int32 = 0, policy: Verdict = .accept,
    hook: Hook = .output, type: String = "filter"
  ) -> Chain {
    Chain(
      name: name,
      hook: HookBinding(type: type, hook: hook, priority: priority, policy: policy), rules: rules)
  }

  static func evaluate(
    _ tables: [Table], _ packet: PacketContext = packet
  ) throws -> Evaluation {
    try Interpreter(ruleset: Ruleset(tables: tables)).verdict(hook: .output, packet: packet)
  }

  static func outcome(_ chains: [Chain], sets: [NamedSet] = []) throws -> Outcome {
    try evaluate([Table(family: .inet, name: "t", sets: sets, chains: chains)]).outcome
  }

  @Test func `a drop in any base chain is final, whatever the others accept`() throws {
    let accept = Self.base("a", [Rule(.accept)], priority: -10)
    let drop = Self.base("d", [Rule(.drop)], priority: 10)
    #expect(try Self.outcome([accept, drop]) == .drop)
    #expect(try Self.outcome([drop, accept]) == .drop)
    #expect(try Self.outcome([accept]) == .accept)
    let other = Table(family: .ip, name: "u", chains: [drop])
    let first = Table(family: .inet, name: "t", chains: [accept])
    #expect(try Self.evaluate([first, other]).outcome == .drop)
  }

  @Test func `tables of the other family, dormant tables and other hooks do not count`() throws {
    let drop = Self.base("d", [Rule(.drop)])
    #expect(try Self.evaluate([Table(family: .ip6, name: "t", chains: [drop])]).outcome == .accept)
    #expect(
      try Self.evaluate([Table(family: .bridge, name: "t", chains: [drop])]).outcome == .accept)
    #expect(
      try Self.evaluate([Table(family: .inet, name: "t", flags: 1, chains: [drop])]).outcome
        == .accept)
    #expect(try Self.outcome([Self.base("d", [Rule(.drop)], hook: .input)]) == .accept)
  }

  @Test func `base chains run by priority, of equal ones the last registered first`() throws {
    func chain(_ name: String, _ priority: Int32) -> Chain {
      Self.base(name, [], priority: priority)
    }
    let chains = [chain("late", 5), chain("first", 0), chain("second", 0), chain("early", -5)]
    let trace = try Self.evaluate([Table(family: .inet, name: "t", chains: chains)]).trace
    #expect(trace.map(\.chain) == ["early", "second", "first", "late"])
  }

  @Test func `jump comes back, goto does not, return leaves the chain`() throws {
    let end = Rule(.drop)
    func user(_ name: String, _ rules: [Expression]...) -> Chain {
      Chain(name: name, rules: rules.map { Rule($0) })
    }
    let cases: [(rules: [[Expression]], user: [Chain], outcome: Outcome)] = [
      ([.verdict(.jump("u"))], [user("u")], .drop),
      ([.verdict(.goto("u"))], [user("u")], .accept),
      ([.verdict(.jump("u"))], [user("u", .accept)], .accept),
      ([.verdict(.jump("u"))], [user("u", .verdict(.return), .accept)], .drop),
      ([.verdict(.jump("u"))], [user("u", .verdict(.goto("v")), .accept), user("v")], .drop),
      ([.verdict(.return)], [], .accept),
    ]
    for item in cases {
      let rules = item.rules.map { Rule($0) } + [end]
      #expect(try Self.outcome([Self.base("output", rules)] + item.user) == item.outcome)
    }
  }

  @Test func `what a kernel refuses is an error`() {
    func error(_ chains: [Chain], sets: [NamedSet] = []) -> InterpreterError? {
      let table = Table(family: .inet, name: "t", sets: sets, chains: chains)
      do {
        _ = try Interpreter(ruleset: Ruleset(tables: [table]))
        return nil
      } catch { return error }
    }
    let looping = [
      Chain(name: "a", rules: [Rule(.goto("b"))]), Chain(name: "b", rules: [Rule(.goto("a"))]),
    ]
    #expect(error(looping) == .loop(table: "t", chain: "a"))
    #expect(
      error([Chain(name: "a", rules: [Rule(.goto("z"))])])
        == .unknownChain(table: "t", chain: "z"))
    #expect(
      error([Chain(name: "a", rules: [Rule(.load(.network, 0, 1) + .isIn("z"))])])
        == .unknownSet(table: "t", set: "z"))
    let short = NamedSet(
      name: "s", key: [.ipv4Address],
      content: .elements([SetElement(key: [1, 2, 3, 4]), SetElement(key: [1])]))
    #expect(error([], sets: [short]) == .malformedElement(table: "t", set: "s"))
  }

  @Test func `nat chains, unknown objects and expiring elements are not decided`() throws {
    let nat = Self.base("n", [Rule(.accept)], type: "nat")
    #expect(
      try Self.outcome([nat])
        == .cannotDecide(reasons: [
          "inet t n: a nat chain depends on what the packet met at other hooks"
        ]))
    #expect(try Self.outcome([Self.base("n", [], type: "nat")]) == .accept)
    var table = Table(family: .inet, name: "t", chains: [Self.base("o", [])])
    table.unknown = [UnknownItem(kind: "flowtable", bytes: [])]
    #expect(
      try Self.evaluate([table]).outcome
        == .cannotDecide(reasons: ["inet t o: flowtable is not modelled"]))
    let timed = NamedSet(
      name: "s", flags: .timeout, key: [.inetService],
      content: .elements([SetElement(key: [1, 187], timeoutMilliseconds: 5)]))
    let rule = Rule(.load(.transport, 2, 2) + .isIn("s") + .drop)
    #expect(
      try Self.outcome([Self.base("o", [rule])], sets: [timed])
        == .cannotDecide(reasons: [
          "inet t o rule 1 [ lookup reg 1 set s 0x0 ]: elements of the set may have expired"
        ]))
  }

  @Test func `an undecided chain is not overtaken by a later drop, but by an earlier one`() throws {
    let unknown = Self.base("u", [Rule([.unknown(name: "x", bytes: [])])], priority: 0)
    let drop = [Rule(.drop)]
    let reasons = Outcome.cannotDecide(reasons: ["inet t u rule 1 [ x ?? 0: ]: not modelled"])
    #expect(try Self.outcome([unknown, Self.base("d", drop, priority: 1)]) == reasons)
    #expect(try Self.outcome([unknown, Self.base("d", drop, priority: -1)]) == .drop)
  }

  @Test func `the trace names every rule that matched and what it gave`() throws {
    let place = Provenance(
      clause: "smtp", location: SourceLocation(file: "p.yaml", line: 3, column: 1))
    let table = Table(
      family: .inet, name: "t",
      chains: [
        Self.base(
          "output",
          [
            Rule(.ipv6 + .drop), Rule([.counter(Counter())], comment: "seen", handle: 7),
            Rule(.verdict(.jump("u"))),
          ], policy: .drop),
        Chain(
          name: "u", rules: [Rule([.reject(.adminProhibited)], handle: 9, provenance: place)]),
      ])
    let evaluation = try Self.evaluate([table])
    #expect(evaluation.outcome == .reject(.adminProhibited))
    func step(
      _ chain: String, _ rule: Int, _ verdict: Verdict, handle: UInt64? = nil,
      comment: String? = nil, provenance: Provenance? = nil
    ) -> TraceStep {
      TraceStep(
        family: .inet, table: "t", chain: chain, ruleIndex: rule, handle: handle,
        comment: comment, provenance: provenance, verdict: verdict)
    }
    #expect(
      evaluation.trace == [
        step("output", 1, .continue, handle: 7, comment: "seen"),
        step("output", 2, .jump("u")),
        step("u", 0, .drop, handle: 9, provenance: place),
      ])
  }
}
