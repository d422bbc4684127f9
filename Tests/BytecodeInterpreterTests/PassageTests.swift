import Bytecode
import BytecodeInterpreter
import NetworkTypes
import RulesetExamples
import Testing

/// A packet's way over all hooks of its path.
@Suite struct PassageTests {
  static let first = Register(word: 0)

  static func base(
    _ name: String, _ rules: [[Expression]], hook: Hook = .output, priority: Int32 = 0,
    policy: Verdict = .accept, type: String = "filter"
  ) -> Chain {
    Chain(
      name: name, hook: HookBinding(type: type, hook: hook, priority: priority, policy: policy),
      rules: rules.map { Rule($0) })
  }

  static func table(
    _ chains: [Chain], _ family: TableFamily = .inet, name: String = "t", flags: UInt32 = 0
  ) -> Table {
    Table(family: family, name: name, flags: flags, chains: chains)
  }

  /// TCP to port 443 by eth0, the first packet of its flow.
  static var packet: PacketContext {
    var packet = Packets.ipv4(6, Packets.tcp(40000, 443))
    packet.trackAsFirst()
    packet.outputInterface = .known(NetworkInterface(index: 2, name: "eth0"))
    packet.mark = .known(0)
    return packet
  }

  static func walk(
    _ tables: [Table], _ packet: PacketContext = packet, path: Path = .output,
    _ surroundings: Surroundings = Surroundings()
  ) throws -> Passage {
    try Interpreter(ruleset: Ruleset(tables: tables))
      .passage(of: packet, path: path, in: surroundings)
  }

  static func passes(_ fate: Fate) -> Bool {
    if case .passes = fate { true } else { false }
  }

  static let port443 = [Expression].load(.transport, 2, 2) + .compare(.equal, [1, 187])
  static let toLoopback = [Expression].load(.network, 16, 4) + .compare(.equal, [127, 0, 0, 1])

  static func redirect(to port: UInt16) -> [Expression] {
    [
      .immediate(.data([UInt8(port >> 8), UInt8(port & 0xff)], into: first)),
      .redirect(Redirect(port: first)),
    ]
  }

  static func outputName(_ name: String) -> [Expression] {
    .meta(.oifname, Array(name.utf8) + [0])
  }

  static func setMark(_ value: UInt8) -> [Expression] {
    [
      .immediate(.data([value, 0, 0, 0], into: first)), .metaSet(MetaSet(.mark, from: first)),
    ]
  }

  @Test func `without rules a packet passes as it came`() throws {
    let passage = try Self.walk([])
    guard case .passes(let leaving) = passage.fate else {
      Issue.record("\(passage.fate)")
      return
    }
    #expect(leaving.bytes == Self.packet.bytes)
    #expect(leaving.mark == .known(0))
    #expect(leaving.outputInterface == Self.packet.outputInterface)
    #expect(!leaving.isTranslated)
    #expect(passage.trace.isEmpty && passage.end == nil)
  }

  @Test func `a drop at any hook of the path is final, at another path's hook it is nothing`()
    throws
  {
    for (hook, path, isDropped) in [
      (Hook.output, Path.output, true), (.postrouting, .output, true), (.input, .output, false),
      (.prerouting, .output, false), (.forward, .output, false), (.forward, .forward, true),
      (.prerouting, .forward, true), (.postrouting, .forward, true), (.output, .forward, false),
      (.prerouting, .input, true), (.input, .input, true), (.postrouting, .input, false),
    ] {
      let passage = try Self.walk([Self.table([Self.base("c", [.drop], hook: hook)])], path: path)
      #expect((passage.fate == .dropped) == isDropped, "\(hook) on \(path)")
      #expect(passage.end?.place.ruleIndex == (isDropped ? 0 : nil))
    }
  }

  @Test func `accept in one table does not stop a drop in a later one`() throws {
    let accept = Self.table(
      [Self.base("a", [.accept], priority: -10, policy: .drop)], .ip, name: "a")
    let drop = Self.table([Self.base("b", [.drop])], .inet, name: "b")
    #expect(try Self.walk([accept, drop]).fate == .dropped)
    let dormant = Self.table([Self.base("b", [.drop])], .inet, name: "b", flags: 1)
    #expect(Self.passes(try Self.walk([accept, dormant]).fate))
  }

  @Test func `a nat chain runs at -100, whatever priority it declares`() throws {
    let nat = Self.table(
      [Self.base("n", [Self.port443 + Self.redirect(to: 8080)], priority: 200, type: "nat")],
      .ip, name: "n")
    let filter = Self.table([
      Self.base("early", [Self.port443 + [.counter(Counter())]], priority: -150),
      Self.base("late", [Self.toLoopback + [.counter(Counter())]], priority: 0),
    ])
    let passage = try Self.walk([nat, filter])
    #expect(
      passage.trace.map(\.result) == [
        .verdict(.continue), .policy(.accept), .verdict(.accept), .verdict(.continue),
        .policy(.accept),
      ])
    #expect(passage.trace.map(\.place.chain) == ["early", "early", "n", "late", "late"])
    guard case .passes(let leaving) = passage.fate else {
      Issue.record("\(passage.fate)")
      return
    }
    #expect(Array(leaving.bytes[16..<20]) == [127, 0, 0, 1])
    #expect(Array(leaving.bytes[22..<24]) == [31, 144])
    #expect(leaving.isTranslated && leaving.outputInterface == .unknown)
  }

  @Test func `a nat chain sees only the first packet of a flow that is tracked`() throws {
    let nat = Self.table([Self.base("n", [.drop], type: "nat")])
    let tracking = Self.table([Self.base("c", [.ctState(2)], priority: 50)], name: "c")
    #expect(Self.passes(try Self.walk([nat]).fate), "nothing has conntrack look")
    #expect(try Self.walk([nat, tracking]).fate == .dropped)
    var later = Self.packet
    later.ctState = .established
    #expect(Self.passes(try Self.walk([nat, tracking], later).fate))
    later = Self.packet
    later.isFirstOfFlow = .known(false)
    #expect(Self.passes(try Self.walk([nat, tracking], later).fate))
    later.ctState = .untracked
    #expect(Self.passes(try Self.walk([nat, tracking], later).fate))
    later.ctState = .new
    later.isFirstOfFlow = .unknown
    guard case .cannotDecide(let obstacles) = try Self.walk([nat, tracking], later).fate else {
      Issue.record("decided")
      return
    }
    #expect(
      obstacles.map(\.reason) == ["whether the packet is the first of its flow is not stated"])
  }

  @Test func `the first nat chain that translates ends the nat hook`() throws {
    let chains = [
      Self.base("second", [Self.redirect(to: 2)], priority: 7, type: "nat"),
      Self.base("first", [Self.redirect(to: 1)], priority: -7, type: "nat"),
    ]
    let passage = try Self.walk([Self.table(chains)])
    #expect(passage.trace.map(\.place.chain) == ["first"])
  }

  @Test func `packets of a translated flow are translated without rules`() throws {
    var packet = Self.packet
    packet.ctState = .established
    packet.isFirstOfFlow = .known(false)
    let original = FlowDirection(
      source: .v4(0xc633_6407), destination: .v4(0xc000_0201), ipProtocol: 6, sourcePort: 40000,
      destinationPort: 443)
    var reply = original.inverse
    reply.source = .v4(0x0a00_0001)
    reply.sourcePort = 8443
    packet.flow = .known(TrackedFlow(original: original, reply: reply))
    let rules = Self.table([Self.base("c", [.ctState(1)], priority: 300)])
    guard case .passes(let leaving) = try Self.walk([rules], packet).fate else {
      Issue.record("does not pass")
      return
    }
    #expect(Array(leaving.bytes[16..<24]) == [10, 0, 0, 1, 0x9c, 0x40, 0x20, 0xfb])
  }

  @Test func `the device is stale in output after a redirection, and fresh in postrouting`() throws
  {
    let nat = Self.base("n", [Self.redirect(to: 8080)], priority: -100, type: "nat")
    let late = Self.base("late", [Self.outputName("eth0") + [.counter(Counter())]], priority: 0)
    let post = Self.base(
      "post", [Self.outputName("eth0") + .drop, Self.outputName("lo") + [.counter(Counter())]],
      hook: .postrouting)
    var surroundings = Surroundings()
    surroundings.route = { query in
      query.destination == .v4(0x7f00_0001)
        ? .known(.local(NetworkInterface(index: 1, name: "lo"))) : .unknown
    }
    let passage = try Self.walk([Self.table([nat, late, post])], Self.packet, surroundings)
    let held = passage.trace.filter { $0.result == .verdict(.continue) }.map(\.place.chain)
    #expect(held == ["late", "post"])
    guard case .passes(let leaving) = passage.fate else {
      Issue.record("\(passage.fate)")
      return
    }
    #expect(leaving.outputInterface == .known(NetworkInterface(index: 1, name: "lo")))
    // Unstated routes leave the rule on the device open.
    guard case .cannotDecide(let obstacles) = try Self.walk([Self.table([nat, late, post])]).fate
    else {
      Issue.record("decided")
      return
    }
    #expect(obstacles.first?.place?.chain == "post")
    #expect(obstacles.first?.expression == "meta load oifname => reg 1")
  }

  @Test
  func `a route chain that sets the mark has the packet routed anew, a filter chain does not`()
    throws
  {
    for (type, device) in [
      ("route", Fact<NetworkInterface>.unknown), ("filter", Self.packet.outputInterface),
    ] {
      let chain = Self.base("r", [Self.setMark(7)], priority: -150, type: type)
      guard case .passes(let leaving) = try Self.walk([Self.table([chain])]).fate else {
        Issue.record("does not pass")
        return
      }
      #expect(leaving.mark == .known(7))
      #expect(leaving.outputInterface == device)
    }
  }

  @Test func `before -200 conntrack has seen nothing, and every packet is invalid`() throws {
    let raw = Self.base(
      "raw", [.ctState(1) + [.counter(Counter())], .ctState(8) + .drop], priority: -300)
    let later = Self.base("later", [.ctState(8) + [.counter(Counter())]], priority: 0)
    let passage = try Self.walk([Self.table([raw, later])])
    #expect(
      passage.trace.filter { $0.result == .verdict(.continue) }.map(\.place.chain)
        == ["raw", "later"])
  }

  @Test func `a fragment waits for reassembly where conntrack is on, and passes where it is off`()
    throws
  {
    var fragment = Packets.ipv4(17, Packets.udp(1, 53), fragment: 0x2000)
    fragment.trackAsFirst()
    let filter = Self.table([Self.base("c", [[.counter(Counter())]])])
    let tracking = Self.table([Self.base("d", [.ctState(1)])], name: "d")
    #expect(Self.passes(try Self.walk([filter], fragment).fate))
    #expect(try Self.walk([filter, tracking], fragment).fate == .stolen)
    fragment.isExemptFromReassembly = true
    #expect(Self.passes(try Self.walk([filter, tracking], fragment).fate))
  }

  @Test func `where the order of equal priorities matters it is not decided`() throws {
    let marks = Self.base("m", [Self.setMark(1)])
    let drops = Self.base("d", [.meta(.mark, [1, 0, 0, 0]) + .drop])
    let tables = [Self.table([marks], name: "a"), Self.table([drops], name: "b")]
    guard case .cannotDecide(let obstacles) = try Self.walk(tables).fate else {
      Issue.record("decided")
      return
    }
    #expect(
      obstacles.map(\.description) == ["the order of 2 chains of priority 0 at output is not known"]
    )
    // As listed, the second was registered last and runs first.
    var listed = Surroundings()
    listed.isListedAsRegistered = true
    #expect(Self.passes(try Self.walk(tables, Self.packet, listed).fate))
    #expect(try Self.walk(tables.reversed(), Self.packet, listed).fate == .dropped)
    // Where both orders lead to the same there is an answer.
    let twice = [Self.table([drops], name: "a"), Self.table([drops], name: "b")]
    #expect(Self.passes(try Self.walk(twice).fate))
  }

  @Test func `what is unknown matters only where it makes a difference`() throws {
    let unknown: [Expression] = .meta(.skuid, [0, 0, 0, 0])
    let counted = [unknown + [.counter(Counter())], Self.port443 + .drop]
    #expect(try Self.walk([Self.table([Self.base("c", counted)])]).fate == .dropped)
    let dropped = [unknown + .drop, Self.port443 + .drop]
    #expect(try Self.walk([Self.table([Self.base("c", dropped)])]).fate == .dropped)
    let accepted = [unknown + .accept, Self.port443 + .drop]
    let fate = try Self.walk([Self.table([Self.base("c", accepted)])]).fate
    let expected = Obstacle(
      place: RulePlace(family: .inet, table: "t", chain: "c", ruleIndex: 0),
      expression: "meta load skuid => reg 1", reason: "meta skuid is not stated")
    guard case .cannotDecide(let obstacles) = fate else {
      Issue.record("\(fate)")
      return
    }
    #expect(obstacles.first == expected)
  }

  @Test func `the trace shows the rules that broke, and where`() throws {
    let rules = [Self.port443 + .meta(.nfproto, [10]) + .drop, Self.port443 + .accept]
    let passage = try Self.walk([Self.table([Self.base("c", rules)])])
    #expect(passage.trace.map(\.result) == [.broke(expression: 3), .verdict(.accept)])
  }
}
