import Bytecode
import BytecodeInterpreter
import NetworkTypes
import RulesetExamples
import Testing

/// Rules that change the packet, its flow or a set, and what later rules see.
@Suite struct ChangeTests {
  static let first = Register(word: 0)
  static let second = Register(word: 4)
  static let count = [Expression.counter(Counter())]

  static func walk(
    _ chains: [Chain], sets: [NamedSet] = [], _ packet: PacketContext = PassageTests.packet,
    path: Path = .output, family: TableFamily = .inet,
    in surroundings: Surroundings = Surroundings()
  ) throws -> Passage {
    let table = Table(family: family, name: "t", sets: sets, chains: chains)
    return try Interpreter(ruleset: Ruleset(tables: [table]))
      .passage(of: packet, path: path, in: surroundings)
  }

  static func passed(_ passage: Passage) throws -> PassedPacket {
    guard case .passes(let packet) = passage.fate else {
      throw Failure(text: "\(passage.fate)")
    }
    return packet
  }

  struct Failure: Error {
    var text: String
  }

  static func sum(_ bytes: some Collection<UInt8>) -> UInt32 {
    var sum: UInt32 = 0
    for (index, byte) in bytes.enumerated() {
      sum += index.isMultiple(of: 2) ? UInt32(byte) << 8 : UInt32(byte)
    }
    while sum > 0xffff { sum = (sum >> 16) + (sum & 0xffff) }
    return sum
  }

  static func destination(_ bytes: [UInt8]) -> [Expression] {
    [
      .immediate(.data(bytes, into: first)),
      .payloadSet(
        PayloadSet(
          .network, offsetBytes: 16, lengthBytes: 4, from: first, checksum: .internet,
          checksumOffset: 10, checksumFlags: 1)),
    ]
  }

  @Test func `a rewritten destination is what later rules see and what leaves, checksums right`()
    throws
  {
    // A packet whose checksums are right, so that they must be afterwards.
    var packet = PassageTests.packet
    let header = ~UInt16(Self.sum(packet.bytes[..<20]))
    packet.bytes[10] = UInt8(header >> 8)
    packet.bytes[11] = UInt8(header & 0xff)
    let tcp = packet.bytes[12..<20] + [0, 6, 0, 20] + packet.bytes[20...]
    let transport = ~UInt16(Self.sum(tcp))
    packet.bytes[36] = UInt8(transport >> 8)
    packet.bytes[37] = UInt8(transport & 0xff)
    let rules: [[Expression]] = [
      Self.destination([10, 1, 2, 3]),
      .load(.network, 16, 4) + .compare(.equal, [10, 1, 2, 3]) + Self.count,
    ]
    let passage = try Self.walk([PassageTests.base("c", rules)], packet)
    #expect(passage.trace.map(\.result).prefix(2) == [.verdict(.continue), .verdict(.continue)])
    let bytes = try Self.passed(passage).bytes
    #expect(Array(bytes[16..<20]) == [10, 1, 2, 3])
    #expect(Self.sum(bytes[..<20]) == 0xffff)
    #expect(Self.sum(bytes[12..<20] + [0, 6, 0, 20] + bytes[20...]) == 0xffff)
  }

  @Test func `a write past the end breaks the rule and changes nothing`() throws {
    let write = Expression.payloadSet(
      PayloadSet(.transport, offsetBytes: 18, lengthBytes: 4, from: Self.first))
    let rules = [[.immediate(.data([1, 2, 3, 4], into: Self.first)), write] + .drop]
    let passage = try Self.walk([PassageTests.base("c", rules)])
    #expect(passage.trace.first?.result == .broke(expression: 1))
    #expect(try Self.passed(passage).bytes == PassageTests.packet.bytes)
  }

  static func nat(
    _ kind: NATKind, _ low: [UInt8], _ high: [UInt8]? = nil, port: UInt16? = nil,
    flags: NATFlags = []
  ) -> [Expression] {
    var rule: [Expression] = [.immediate(.data(low, into: first))]
    if let high { rule.append(.immediate(.data(high, into: Register(word: 1)))) }
    if let port {
      rule.append(
        .immediate(.data([UInt8(port >> 8), UInt8(port & 0xff)], into: Register(word: 2))))
    }
    return rule + [
      .nat(
        NAT(
          kind, family: .ip, address: first, addressMax: high == nil ? nil : Register(word: 1),
          port: port == nil ? nil : Register(word: 2), flags: flags))
    ]
  }

  static func natChain(_ hook: Hook, _ rules: [[Expression]]) -> Chain {
    PassageTests.base("n", rules, hook: hook, priority: 0, type: "nat")
  }

  @Test func `translation changes the ends it is told to`() throws {
    let cases: [(chain: Chain, source: [UInt8], destination: [UInt8], port: [UInt8])] = [
      (
        Self.natChain(.output, [Self.nat(.destination, [10, 0, 0, 1])]),
        [198, 51, 100, 7], [10, 0, 0, 1], [1, 187]
      ),
      (
        Self.natChain(.output, [Self.nat(.destination, [10, 0, 0, 1], port: 8443)]),
        [198, 51, 100, 7], [10, 0, 0, 1], [32, 251]
      ),
      (
        Self.natChain(.postrouting, [Self.nat(.source, [203, 0, 113, 9])]),
        [203, 0, 113, 9], [192, 0, 2, 1], [1, 187]
      ),
      (
        Self.natChain(
          .output, [Self.nat(.destination, [10, 0, 0, 0], [10, 0, 0, 255], flags: .netmap)]),
        [198, 51, 100, 7], [10, 0, 0, 1], [1, 187]
      ),
    ]
    for item in cases {
      let passed = try Self.passed(try Self.walk([item.chain], family: .ip))
      #expect(Array(passed.bytes[12..<16]) == item.source)
      #expect(Array(passed.bytes[16..<20]) == item.destination)
      #expect(Array(passed.bytes[22..<24]) == item.port)
      #expect(passed.isTranslated)
    }
  }

  @Test func `where the kernel draws lots it is not decided`() throws {
    for rule in [
      Self.nat(.destination, [10, 0, 0, 1], [10, 0, 0, 9]),
      Self.nat(.source, [10, 0, 0, 1], flags: .random),
    ] {
      let hook: Hook = rule.count == 3 ? .output : .postrouting
      let passage = try Self.walk([Self.natChain(hook, [rule])], family: .ip)
      guard case .cannotDecide(let obstacles) = passage.fate else {
        Issue.record("\(passage.fate)")
        continue
      }
      #expect(
        obstacles.map(\.reason) == [
          "address translation chooses among several addresses or ports"
        ])
    }
  }

  @Test func `masquerade takes the stated address, or is not decided`() throws {
    let chain = Self.natChain(.postrouting, [[.masquerade(Masquerade())]])
    guard case .cannotDecide = try Self.walk([chain]).fate else {
      Issue.record("decided")
      return
    }
    var surroundings = Surroundings()
    surroundings.masqueradeAddress = { device, _ in
      device.name == "eth0" ? .known(.v4(0xcb00_7105)) : .unknown
    }
    let passed = try Self.passed(try Self.walk([chain], in: surroundings))
    #expect(Array(passed.bytes[12..<16]) == [203, 0, 113, 5])
  }

  @Test
  func `after translation ct original is the old end, ct reply the new one, and status says so`()
    throws
  {
    func loads(_ key: ConntrackKey, _ direction: UInt8?, _ value: [UInt8]) -> [Expression] {
      [
        .ct(ConntrackLoad(key, direction: direction, into: Self.first)),
        .compare(Compare(Self.first, .equal, value)),
      ] + Self.count
    }
    let filter = PassageTests.base(
      "f",
      [
        loads(.destinationIPv4, 0, [192, 0, 2, 1]), loads(.sourceIPv4, 1, [10, 0, 0, 1]),
        loads(.sourcePort, 1, [32, 251]), loads(.status, nil, [0x20, 1, 0, 0]),
        loads(.destinationIPv6, 0, [UInt8](repeating: 0, count: 16)),
      ])
    let nat = Self.natChain(.output, [Self.nat(.destination, [10, 0, 0, 1], port: 8443)])
    let passage = try Self.walk([nat, filter], family: .ip)
    #expect(
      passage.trace.filter { $0.place.chain == "f" }.map(\.result) == [
        .verdict(.continue), .verdict(.continue), .verdict(.continue), .verdict(.continue),
        .broke(expression: 0), .policy(.accept),
      ])
  }

  @Test func `notrack leaves the packet untracked, and nat chains do not see it`() throws {
    let raw = PassageTests.base("raw", [[.notrack]], priority: -300)
    let nat = Self.natChain(.output, [.drop])
    let filter = PassageTests.base("f", [.ctState(64) + Self.count], priority: 0)
    let passage = try Self.walk([raw, nat, filter])
    #expect(passage.trace.map(\.place.chain) == ["raw", "raw", "f", "f"])
    #expect(passage.trace[2].result == .verdict(.continue))
    // Past conntrack it comes too late.
    let late = PassageTests.base("late", [[.notrack], .ctState(64) + .drop], priority: 5)
    _ = try Self.passed(try Self.walk([late]))
  }

  @Test func `an element that a rule adds is there for the packet's later rules`() throws {
    let set = NamedSet(
      name: "s", flags: [.evaluated], key: [.ipv4Address], size: 2, content: .elements([]))
    let address = [Expression].load(.network, 16, 4)
    let add = Expression.dynamicSet(DynamicSet(.add, set: "s", key: Self.first))
    let delete = Expression.dynamicSet(DynamicSet(.delete, set: "s", key: Self.first))
    let rules = [
      address + [add], address + .isIn("s") + Self.count, address + [delete],
      address + .isIn("s") + Self.count,
    ]
    var surroundings = Surroundings()
    surroundings.areDynamicSetsAsRead = true
    let passage = try Self.walk([PassageTests.base("c", rules)], sets: [set], in: surroundings)
    #expect(
      passage.trace.map(\.result) == [
        .verdict(.continue), .verdict(.continue), .verdict(.continue), .broke(expression: 1),
        .policy(.accept),
      ])
    var full = set
    full.content = .elements([SetElement(key: [1, 1, 1, 1]), SetElement(key: [2, 2, 2, 2])])
    let none = try Self.walk([PassageTests.base("c", rules)], sets: [full], in: surroundings)
    #expect(none.trace[0].result == .broke(expression: 1))
  }

  @Test func `an element is there until its time is up, and unsure without a clock`() throws {
    let set = NamedSet(
      name: "s", flags: [.timeout], key: [.inetService],
      content: .elements([SetElement(key: [1, 187], expirationMilliseconds: 1000)]))
    let chain = PassageTests.base("c", [.load(.transport, 2, 2) + .isIn("s") + .drop])
    var surroundings = Surroundings()
    guard case .cannotDecide(let obstacles) = try Self.walk([chain], sets: [set]).fate else {
      Issue.record("decided")
      return
    }
    #expect(obstacles.map(\.reason) == ["how long ago the set was read"])
    surroundings.elapsedMilliseconds = 999
    #expect(try Self.walk([chain], sets: [set], in: surroundings).fate == .dropped)
    surroundings.elapsedMilliseconds = 1000
    _ = try Self.passed(try Self.walk([chain], sets: [set], in: surroundings))
  }

  @Test func `a limit goes either way unless stated`() throws {
    let limit = Expression.limit(Limit(rate: 1, periodSeconds: 1))
    let chain = PassageTests.base("c", [[limit] + .accept], policy: .drop)
    guard case .cannotDecide(let obstacles) = try Self.walk([chain]).fate else {
      Issue.record("decided")
      return
    }
    #expect(obstacles.map(\.reason) == ["what the limit has left is not stated"])
    let place = ExpressionPlace(
      family: .inet, table: "t", chain: "c", ruleIndex: 0, expression: 0)
    var surroundings = Surroundings()
    surroundings.stateful = [place: true]
    _ = try Self.passed(try Self.walk([chain], in: surroundings))
    surroundings.stateful = [place: false]
    #expect(try Self.walk([chain], in: surroundings).fate == .dropped)
    // Where it makes no difference it is no obstacle.
    let logged = PassageTests.base("c", [[limit] + Self.count, .accept], policy: .drop)
    let passage = try Self.walk([logged])
    _ = try Self.passed(passage)
    #expect(!passage.isOnlyWay)
  }

  @Test func `chains of a device see its packets, with the link-layer header counted`() throws {
    var packet = PassageTests.packet
    packet.linkHeader = .known([UInt8](repeating: 7, count: 12) + [8, 0])
    func table(_ device: String) -> Table {
      let chain = Chain(
        name: "e",
        hook: HookBinding(
          hook: .egress, priority: 0, policy: .accept, devices: [device]),
        rules: [Rule(.meta(.length, [54, 0, 0, 0]) + .load(.link, 0, 1) + .drop)])
      return Table(family: .netdev, name: "d", chains: [chain])
    }
    for (device, isDropped) in [("eth0", true), ("eth*", true), ("eth1", false)] {
      let passage = try Interpreter(ruleset: Ruleset(tables: [table(device)]))
        .passage(of: packet, path: .output)
      #expect((passage.fate == .dropped) == isDropped, "\(device)")
    }
    // At the IP hooks of its own host a packet has no such header yet.
    let ip = PassageTests.base("c", [.load(.link, 0, 1) + .drop])
    _ = try Self.passed(try Self.walk([ip], packet))
  }

  @Test func `a copy is reported, and the packet goes on`() throws {
    let rule: [Expression] = [
      .immediate(.data([10, 0, 0, 9], into: Self.first)),
      .duplicate(Duplicate(address: Self.first)),
    ]
    let passage = try Self.walk([PassageTests.base("c", [rule])], family: .ip)
    _ = try Self.passed(passage)
    #expect(passage.copies.map(\.description) == ["ip t c rule 1"])
  }

  @Test func `a packet given to user space is queued`() throws {
    let passage = try Self.walk([PassageTests.base("c", [[.queue(Queue())]])])
    #expect(passage.fate == .queued)
    #expect(passage.end?.result == .queue)
  }
}
