import Bytecode
import NetworkTypes
import PolicyLanguage
import Testing

@testable import RuleCompiler

@Suite struct DigestTests {
  private static let table: Table = {
    let word = Register(word: 0)
    return Table(
      family: .inet, name: "weir", comment: "managed by weir",
      counters: [NamedCounter(name: "deny/a", comment: "of a")],
      objects: [
        NamedObject(
          name: "idle/60/udp",
          content: timeout()),
        NamedObject(name: "mark", content: .secmark(context: "a")),
      ],
      sets: [
        NamedSet(
          name: "g1/map", flags: [.map, .interval], key: [.ipv4Address], isVerdictMap: true,
          content: .elements([
            SetElement(key: [10, 0, 0, 0], keyEnd: [10, 0, 0, 9], verdict: .goto("g1/a")),
            .catchAll(.drop),
          ])),
        NamedSet(
          name: "g1/plain", key: [.integer], size: 4,
          typeof: PayloadLoad(.network, offsetBytes: 16, lengthBytes: 4, into: word),
          content: .ipv4(IntervalSet([Interval(1, 2), Interval(300, 300)]))),
      ],
      chains: [
        Chain(
          name: "output", hook: HookBinding(hook: .output, priority: 0, policy: .drop),
          rules: [
            Rule([
              .payload(PayloadLoad(.network, offsetBytes: 16, lengthBytes: 4, into: word)),
              .bitwise(Bitwise(source: word, destination: word, mask: [255, 0, 0, 0])),
              .compare(Compare(word, .equal, [10, 0, 0, 0])),
              .lookup(Lookup(word, in: "g1/map", destination: .verdict)),
            ]),
            Rule([.meta(MetaLoad(.l4proto, into: word)), .reject(.tcpReset)], comment: "refuse"),
            Rule([.counter(Counter()), .immediate(.verdict(.drop))]),
          ])
      ])
  }()

  private static func timeout(
    family: UInt16 = 1, _ layer4Protocol: UInt8 = 17, state: UInt16 = 0, seconds: UInt32 = 60
  ) -> ObjectContent {
    .conntrackTimeout(
      ConntrackTimeout(
        family: family, layer4Protocol: layer4Protocol,
        timeouts: [.init(state: state, seconds: seconds)]))
  }

  /// One small change each.
  private static let changes: [(String, @Sendable (inout Table) -> Void)] = [
    ("family", { $0.family = .ip }),
    ("name", { $0.name = "weis" }),
    ("comment", { $0.comment = nil }),
    ("counter", { $0.counters[0].name = "deny/b" }),
    ("counter comment", { $0.counters[0].comment = "of b" }),
    ("one counter less", { $0.counters = [] }),
    ("set name", { $0.sets[0].name = "g1/mop" }),
    ("flags", { $0.sets[0].flags = [.map] }),
    ("key", { $0.sets[0].key = [.ipv4Address, .inetService] }),
    ("size", { $0.sets[1].size = nil }),
    ("typeof", { $0.sets[1].typeof = nil }),
    ("runtime state", { $0.sets[1].isRuntimeState = true }),
    ("order of sets", { $0.sets.swapAt(0, 1) }),
    ("an address", { $0.sets[1].content = .ipv4(IntervalSet([Interval(1, 2)])) }),
    ("a bound", { $0.sets[1].content = .ipv4(IntervalSet([Interval(1, 2), Interval(300, 301)])) }),
    ("family of addresses", { $0.sets[1].content = .ipv6(IntervalSet([Interval(1, 2)])) }),
    ("element", { $0.sets[0].content = .elements([.catchAll(.drop)]) }),
    ("verdict of an element", { $0.sets[0].content = .elements([.catchAll(.accept)]) }),
    ("object name", { $0.objects[0].name = "idle/61/udp" }),
    ("object comment", { $0.objects[0].comment = "c" }),
    ("family of timeouts", { $0.objects[0].content = timeout(family: 2) }),
    ("protocol of timeouts", { $0.objects[0].content = timeout(6) }),
    ("state of a timeout", { $0.objects[0].content = timeout(state: 1) }),
    ("timeout", { $0.objects[0].content = timeout(seconds: 61) }),
    ("context", { $0.objects[1].content = .secmark(context: "b") }),
    ("one object less", { $0.objects.removeLast() }),
    ("chain name", { $0.chains[0].name = "input" }),
    ("hook", { $0.chains[0].hook = nil }),
    ("priority", { $0.chains[0].hook?.priority = -1 }),
    ("policy", { $0.chains[0].hook?.policy = .accept }),
    ("chain comment", { $0.chains[0].comment = "c" }),
    ("one rule less", { $0.chains[0].rules.removeLast() }),
    ("rules in another order", { $0.chains[0].rules.swapAt(0, 1) }),
    ("rule comment", { $0.chains[0].rules[1].comment = nil }),
    (
      "a rule cut in two",
      {
        let rest = $0.chains[0].rules[0].expressions.removeLast()
        $0.chains[0].rules.insert(Rule([rest]), at: 1)
      }
    ),
    (
      "mask",
      {
        let word = Register(word: 0)
        $0.chains[0].rules[0].expressions[1] = .bitwise(
          Bitwise(source: word, destination: word, mask: [255, 255, 0, 0]))
      }
    ),
    (
      "register",
      {
        $0.chains[0].rules[0].expressions[2] = .compare(
          Compare(Register(word: 4), .equal, [10, 0, 0, 0]))
      }
    ),
    (
      "operator",
      {
        $0.chains[0].rules[0].expressions[2] = .compare(
          Compare(Register(word: 0), .notEqual, [10, 0, 0, 0]))
      }
    ),
    (
      "set of a lookup",
      {
        $0.chains[0].rules[0].expressions[3] = .lookup(
          Lookup(Register(word: 0), in: "g1/mop", destination: .verdict))
      }
    ),
    (
      "inverted lookup",
      {
        $0.chains[0].rules[0].expressions[3] = .lookup(
          Lookup(Register(word: 0), in: "g1/map", isInverted: true))
      }
    ),
    ("answer", { $0.chains[0].rules[1].expressions[1] = .reject(.adminProhibited) }),
    ("verdict", { $0.chains[0].rules[2].expressions[1] = .immediate(.verdict(.accept)) }),
    (
      "another expression",
      {
        $0.chains[0].rules[2].expressions[0] = .fib(
          FibLoad(result: 3, flags: 2, into: Register(word: 0)))
      }
    ),
    (
      "an expression that is not compiled",
      { $0.chains[0].rules[2].expressions[0] = .redirect(Redirect(port: nil)) }
    ),
    (
      "a field of an expression that is not compiled",
      {
        $0.chains[0].rules[2].expressions[0] = .redirect(Redirect(port: Register(word: 1)))
      }
    ),
  ]

  @Test func `every part of a table that a kernel sees has a part in the digest`() {
    var seen = [Self.table.digest: "nothing"]
    for (what, change) in Self.changes {
      var changed = Self.table
      change(&changed)
      let other = seen.updateValue(what, forKey: changed.digest)
      #expect(other == nil, "\(what) has the digest of \(other ?? "")")
    }
  }

  @Test func `what only this process knows has no part in the digest`() {
    var changed = Self.table
    changed.chains[0].handle = 7
    changed.chains[0].rules[0].handle = 8
    changed.chains[0].rules[0].provenance = Provenance(clause: "c")
    changed.sets[0].provenance = Provenance(clause: "c")
    #expect(changed.digest == Self.table.digest)
  }

  @Test(arguments: BuiltIn.policies.keys.sorted(), [2, 7, 41])
  func `another generation is what the builder writes under its number`(
    name: String, generation: Int
  ) throws {
    let (parsed, _) = PolicyParser.parse(path: "builtin:\(name)", source: BuiltIn.source)
    let policy = try #require(parsed)
    let compiled = compile(policy)
    let answers = Dictionary(
      uniqueKeysWithValues: compiled.names.map { ($0.name, [IPAddress.v4(0x0808_0808)]) })
    var builder = TableBuilder(
      plan: TablePlan(policy: policy, tableName: "weir"), generation: generation, answers: answers)
    builder.entryComment = "policy \(policy.name) \(compiled.digest.prefix(32))"
    #expect(compiled.table(generation: generation, answers: answers) == builder.build())
  }
}
