import Bytecode
import Glibc
import NetworkTypes
import Testing

@testable import NetfilterLink

@Suite(.enabled(if: Kernel.isThere, Kernel.reason))
struct CommitTests {
  private let table = Table(
    family: .inet, name: "t", chains: [Chain(name: "c"), Chain(name: "d")])

  private func commit(_ rules: [Rule], sets: [NamedSet] = []) throws {
    try Kernel.inNamespace {
      var filled = table
      filled.chains[0].rules = rules
      filled.sets = sets
      var session = try Kernel.session()
      try session.commit([.addTable(filled)] + Change.filling(filled), to: .inet, "t")
    }
  }

  @Test func `kernel: a refused rule is named with its policy line, and the expression in it`()
    throws
  {
    let word = Register(word: 0)
    let good = Rule([.immediate(.verdict(.accept))])
    let bad = Rule(
      [
        .meta(MetaLoad(.l4proto, into: word)), .compare(Compare(word, .equal, [6])),
        .reject(Reject(type: 9, code: 0)),
      ],
      provenance: Provenance(
        clause: "private", location: SourceLocation(file: "rules/x.yaml", line: 31, column: 5)))
    let error = #expect(throws: KernelError.self) { try commit([good, good, bad]) }
    #expect(error?.operation == "adding")
    #expect(error?.messageKind == "NFT_MSG_NEWRULE")
    #expect(error?.subject == "rule 3 of chain c (private, rules/x.yaml:31:5)")
    #expect(error?.part == "expression 3 (reject)")
    #expect(error?.cause == .refused(EINVAL))
    #expect(error?.furtherRefusals == 0)
    #expect(
      error?.description
        == "adding rule 3 of chain c (private, rules/x.yaml:31:5), expression 3 (reject):"
        + " Invalid argument")
  }

  @Test func `kernel: a jump to a chain that is not there names rule and expression`() throws {
    let rule = Rule([.counter(Counter()), .immediate(.verdict(.jump("nowhere")))])
    let error = #expect(throws: KernelError.self) { try commit([rule, rule]) }
    #expect(error?.subject == "rule 1 of chain c")
    #expect(error?.part == "expression 2 (immediate)")
    #expect(error?.errorNumber == ENOENT)
    #expect(error?.furtherRefusals == 1)
  }

  @Test func `kernel: chains in a circle are refused in words`() throws {
    var filled = table
    filled.chains[0].hook = HookBinding(hook: .output, priority: 0, policy: .accept)
    filled.chains[0].rules = [Rule([.immediate(.verdict(.jump("d")))])]
    filled.chains[1].rules = [Rule([.immediate(.verdict(.jump("d")))])]
    let error = #expect(throws: KernelError.self) {
      try Kernel.inNamespace {
        var session = try Kernel.session()
        try session.commit([.addTable(filled)] + Change.filling(filled), to: .inet, "t")
      }
    }
    #expect(error?.advice == "chains lead into each other, or deeper than 16")
  }

  @Test func `kernel: an element that is already there is named by its address`() throws {
    try Kernel.inNamespace {
      let all = NamedSet(
        name: "s", flags: .map, key: [.ipv4Address], isVerdictMap: true,
        content: .elements([
          SetElement(key: [1, 1, 1, 1], verdict: .accept),
          SetElement(key: [2, 2, 2, 2], verdict: .accept),
          SetElement(key: [2, 2, 2, 2], verdict: .drop),
        ]),
        provenance: Provenance(clause: "x"))
      var session = try Kernel.session()
      let error = #expect(throws: KernelError.self) {
        try session.commit(
          [.addTable(table), .addSet(all), .addElements(all)], to: .inet, "t")
      }
      #expect(error?.subject == "elements of set s (x)")
      #expect(error?.part == "element 2.2.2.2")
      #expect(error?.errorNumber == EEXIST)
      #expect(try session.tableNames() == [])
    }
  }

  @Test func `kernel: a batch made for another generation changes nothing`() throws {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      try session.commit([.addTable(table)], to: .inet, "t")
      let generation = try session.readGeneration()
      try session.commit([.addChain(table.chains[0])], to: .inet, "t", ifGeneration: generation)
      let error = #expect(throws: KernelError.self) {
        try session.commit([.addChain(table.chains[1])], to: .inet, "t", ifGeneration: generation)
      }
      #expect(error?.cause == .generationMoved)
      let live = try session.readTable(family: .inet, name: "t")
      #expect(live?.chains.map(\.name) == ["c"])
      #expect(try session.readGeneration() == generation.advancedGeneration(by: 1))
    }
  }

  @Test func `kernel: a list longer than the socket buffer is cut, or refused when it must not be`()
    throws
  {
    try Kernel.inNamespace {
      let content = SetContent.ipv4(
        IntervalSet((0..<20_000).map { Interval(UInt32($0) * 16, UInt32($0) * 16 + 3) }))
      let set = NamedSet(name: "s", flags: .interval, key: [.ipv4Address], content: content)
      let socket = try NetlinkSocket.open(sendBufferBytes: 200_000, receiveBufferBytes: 100_000)
      #expect((150_000..<400_000).contains(socket.largestSendBytes))
      var session = NetfilterSession(socket)
      let changes: [Change] = [.addTable(table), .addSet(set), .addElements(set)]
      let error = #expect(throws: KernelError.self) { try session.commit(changes, to: .inet, "t") }
      #expect(error?.errorNumber == EMSGSIZE)
      #expect(error?.advice?.contains("net.core.wmem_max") == true)
      let batches = try session.commit(changes, to: .inet, "t", .split)
      #expect(batches > 3)
      let live = try #require(try session.readTable(family: .inet, name: "t"))
      #expect(live.sets.first?.content == content)
    }
  }

  @Test func `a comment that nft could not read back is refused before anything is sent`() throws {
    let quoted = Rule([.immediate(.verdict(.accept))], comment: "say \"no\"")
    let error = #expect(throws: KernelError.self) { try commit([quoted]) }
    guard case .notExpressible? = error?.cause else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func `an expression that was read but not understood cannot be written`() throws {
    let error = #expect(throws: KernelError.self) {
      try commit([Rule([.unknown(name: "quota", bytes: [1, 2])])])
    }
    #expect(error?.description.contains("quota") == true)
  }

  @Test func `advice for a refusal without the right names the capability`() {
    let error = KernelError(operation: "committing 3 changes", cause: .refused(EPERM))
    #expect(
      error.description
        == "committing 3 changes: Operation not permitted; it needs CAP_NET_ADMIN in the user"
        + " namespace that owns this network namespace")
  }

  @Test(arguments: [
    ("ct", "CONFIG_NFT_CT"), ("fib", "CONFIG_NFT_FIB_INET"), ("reject", "CONFIG_NFT_REJECT_INET"),
    ("redir", "CONFIG_NFT_REDIR"),
  ])
  func `an expression that the kernel does not have names the option it lacks`(
    expression: String, option: String
  ) {
    let advice = KernelFeature.advice(errorNumber: ENOENT, expression: expression, kind: .newRule)
    #expect(advice == "the kernel lacks \(option), or the module cannot be loaded")
  }
}
