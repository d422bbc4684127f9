import Bytecode
import BytecodeInterpreter
import NetworkTypes
import PacketSets
import PolicyLanguage
import PolicyMeaning
import RuleCompiler
import SeededRandom
import SymbolicAnalysis
import Testing

/// Claims about all packets: what holds, what fails with a packet, what cannot be decided.
@Suite struct ClaimTests {
  private static let r = Register(word: 0)
  private static let links = [Link.loopback, Link(index: 2, name: "eth0")]

  private static func table(
    _ rules: [[Expression]], policy: Verdict = .drop, hook: Hook = .output, priority: Int32 = 0,
    type: String = "filter", name: String = "t", sets: [NamedSet] = [], flags: UInt32 = 0
  ) -> Table {
    let binding = HookBinding(type: type, hook: hook, priority: priority, policy: policy)
    return Table(
      family: .inet, name: name, flags: flags, sets: sets,
      chains: [Chain(name: "c", hook: binding, rules: rules.map { Rule($0) })])
  }

  private static func verdict(_ verdict: Verdict) -> Expression { .immediate(.verdict(verdict)) }

  private static func meta(_ key: MetaKey, _ value: [UInt8]) -> [Expression] {
    [.meta(MetaLoad(key, into: r)), .compare(Compare(r, .equal, value))]
  }

  /// The claim that nothing leaves by a link other than `lo`.
  private func nothingLeaves(_ tables: [Table]) throws -> Claim {
    var analyzer = SymbolicAnalyzer(Ruleset(tables: tables), AnalysisFacts(links: Self.links))
    let analysis = try analyzer.analyze(.egress)
    let judged = try analyzer.diagrams.set(.outputInterface, 2)
    return try analyzer.claimNoLeak(analysis, allowed: .nothing, judged: judged)
  }

  @Test func `without rules everything leaves, and a plausible packet shows it`() throws {
    let claim = try nothingLeaves([])
    #expect(claim.answer == .fails)
    let witness = try #require(claim.witness)
    #expect(witness.destination == .v4(0xc000_0201))
    #expect(witness[.destinationPort] == 443)
    #expect(witness[.transportProtocol] == 6)
  }

  @Test func `a drop in any chain is final, a dormant table's counts for nothing`() throws {
    let accept = Self.table([[Self.verdict(.accept)]], policy: .accept, priority: -10, name: "a")
    #expect(try nothingLeaves([accept, Self.table([])]).answer == .holds)
    #expect(try nothingLeaves([accept, Self.table([], flags: 1)]).answer == .fails)
    let late = Self.table([], hook: .postrouting, priority: 300)
    #expect(try nothingLeaves([accept, late]).answer == .holds)
  }

  @Test func `a mark that lets packets out is found, and shown in the witness`() throws {
    let rule = Self.meta(.mark, [0x00, 0x40, 0, 0]) + [Self.verdict(.accept)]
    let claim = try nothingLeaves([Self.table([rule])])
    #expect(claim.answer == .fails)
    #expect(claim.witness?.mark == 0x4000)
  }

  @Test func `what a limit lets through cannot be decided, and the limit is named`() throws {
    let limit = Expression.limit(Limit(rate: 1, periodSeconds: 1))
    let claim = try nothingLeaves([Self.table([[limit, Self.verdict(.accept)]])])
    #expect(claim.answer == .unknown)
    #expect(claim.causes.map(\.description) == ["inet t c rule 1: limit"])
    // Without it everything is dropped all the same.
    #expect(try nothingLeaves([Self.table([[limit, .reject(.tcpReset)]])]).answer == .holds)
  }

  @Test func `an unknown expression may do anything, and a drop behind it does not help`() throws {
    let odd = Expression.unknown(name: "odd", bytes: [1])
    let claim = try nothingLeaves([Self.table([[odd], [Self.verdict(.drop)]])])
    #expect(claim.answer == .unknown)
    #expect(claim.causes.map(\.description).contains("inet t c rule 1: the expression odd"))
    let later = Self.table([], hook: .postrouting, name: "later")
    #expect(try nothingLeaves([Self.table([[odd]]), later]).answer == .holds)
  }

  @Test func `destination NAT behind an accept by link may take packets out`() throws {
    let name = Array("lo".utf8) + [UInt8](repeating: 0, count: 14)
    let filter = Self.table([Self.meta(.oifname, name) + [Self.verdict(.accept)]])
    #expect(try nothingLeaves([filter]).answer == .holds)
    let nat = NAT(.destination, family: .ip, address: Self.r)
    let translate = Self.table(
      [[.immediate(.data([192, 0, 2, 9], into: Self.r)), .nat(nat)]], policy: .accept,
      priority: 200, type: "nat", name: "nat")
    let claim = try nothingLeaves([filter, translate])
    #expect(claim.answer == .unknown)
    #expect(claim.witness?[.outputInterface] == 1)
    #expect(claim.causes.map(\.reason).contains("the route after a change"))
    // A chain that sees the packet after routing decides by its true link.
    let post = Self.table(
      [Self.meta(.oifname, name) + [Self.verdict(.accept)]], hook: .postrouting, name: "post")
    #expect(try nothingLeaves([filter, translate, post]).answer == .holds)
  }

  @Test func `a set with elements that expire is neither there nor not`() throws {
    func ports(_ timeout: UInt64?) -> NamedSet {
      NamedSet(
        name: "s", key: [.inetService],
        content: .elements([SetElement(key: [1, 187], timeoutMilliseconds: timeout)]))
    }
    let load = Expression.payload(
      PayloadLoad(.transport, offsetBytes: 2, lengthBytes: 2, into: Self.r))
    let rule = [load, .lookup(Lookup(Self.r, in: "s")), Self.verdict(.accept)]
    #expect(try nothingLeaves([Self.table([rule], sets: [ports(nil)])]).answer == .fails)
    #expect(try nothingLeaves([Self.table([rule], sets: [ports(1000)])]).answer == .unknown)
  }

  @Test func `chains that lead back to themselves, and missing ones, may do anything`() throws {
    var loop = Self.table([[Self.verdict(.jump("x"))]])
    loop.chains.append(Chain(name: "x", rules: [Rule([Self.verdict(.goto("x"))])]))
    #expect(try nothingLeaves([loop]).answer == .unknown)
    #expect(try nothingLeaves([Self.table([[Self.verdict(.jump("y"))]])]).answer == .unknown)
  }

  @Test func `a spent budget gives no answer`() throws {
    var analyzer = SymbolicAnalyzer(
      Ruleset(tables: []), AnalysisFacts(), budget: DiagramBudget(intervals: 100))
    var isComplex = false
    do {
      _ = try analyzer.analyze(.egress)
    } catch {
      isComplex = error == .tooComplex
    }
    #expect(isComplex)
  }

  @Test(arguments: 0..<25 as Range<UInt64>)
  func `property: the witness of a refuted claim passes the interpreter, against the policy`(
    seed: UInt64
  ) throws {
    let parsed = PolicyParser.parse(path: "builtin:allowlist", source: BuiltIn.source)
    let policy = try #require(parsed.policy)
    var random = SeededGenerator(seed: seed)
    var table = compile(policy).table(answers: [:])
    // Any accept that is no longer asked for, or any verdict turned round.
    let chain = random.next(upperBound: table.chains.count)
    guard !table.chains[chain].rules.isEmpty else { return }
    let rule = random.next(upperBound: table.chains[chain].rules.count)
    var expressions = table.chains[chain].rules[rule].expressions
    if random.next(upperBound: 2) == 0 || expressions.count == 1 {
      expressions[expressions.count - 1] = Self.verdict(.accept)
    } else {
      expressions.remove(at: random.next(upperBound: expressions.count - 1))
    }
    table.chains[chain].rules[rule].expressions = expressions
    guard let interpreter = try? Interpreter(ruleset: Ruleset(tables: [table])) else { return }

    var facts = AnalysisFacts()
    facts.hasLoneFragments = false
    var analyzer = SymbolicAnalyzer(Ruleset(tables: [table]), facts)
    let analysis = try analyzer.analyze(.egress)
    let meaning = try policy.packetSet(.outbound, in: &analyzer.diagrams)
    let allowed = try meaning.packets(in: &analyzer.diagrams) { $0.decision == .allow }
    let judged = try meaning.packets(in: &analyzer.diagrams) { _ in true }
    let claim = try analyzer.claimNoLeak(analysis, allowed: allowed, judged: judged)
    guard claim.answer == .fails else { return }
    let witness = try #require(claim.witness)
    #expect(meaning.ruling(of: witness, in: analyzer.diagrams)?.decision == .deny)
    let packet = try #require(witness.context(link: { analyzer.link($0) }))
    var surroundings = Surroundings()
    surroundings.isTracking = .known(true)
    let fate = interpreter.passage(of: packet, path: .output, in: surroundings).fate
    guard case .passes = fate else {
      Issue.record("\(fate) \(packet)")
      return
    }
  }
}
