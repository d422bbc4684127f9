import Bytecode
import NetworkTypes
import RulesetExamples
import Testing

@Suite struct CanonicalTests {
  /// The example as a kernel might hand it back: reordered, with handles, counts and answers.
  static var readBack: Table {
    var table = EgressTable.table
    table.chains.reverse()
    table.sets.reverse()
    table.counters.reverse()
    for index in table.counters.indices { table.counters[index].packets = UInt64(index + 1) }
    for chain in table.chains.indices {
      table.chains[chain].handle = UInt64(chain)
      for rule in table.chains[chain].rules.indices {
        table.chains[chain].rules[rule].handle = UInt64(100 + rule)
        table.chains[chain].rules[rule].provenance = nil
        let expressions = table.chains[chain].rules[rule].expressions.map(recounted)
        table.chains[chain].rules[rule].expressions = expressions
      }
    }
    for index in table.sets.indices {
      if table.sets[index].name.hasPrefix("__") { table.sets[index].name += "9" }
      if table.sets[index].isRuntimeState {
        table.sets[index].content = .elements([SetElement(key: [9, 9, 9, 9])])
        table.sets[index].isRuntimeState = false
      }
      switch table.sets[index].content {
      case .elements(let elements): table.sets[index].content = .elements(elements.reversed())
      case .ipv4(let set):
        table.sets[index].content = .elements(
          set.intervals.reversed().map { interval in
            SetElement(
              key: IPAddress.v4(interval.first).networkOrderBytes,
              keyEnd: IPAddress.v4(interval.last).networkOrderBytes)
          })
      case .ipv6: break
      }
    }
    return table
  }

  private static func recounted(_ expression: Expression) -> Expression {
    switch expression {
    case .counter: return .counter(Counter(packets: 7, bytes: 8))
    case .lookup(var lookup) where lookup.set.hasPrefix("__"):
      lookup.set += "9"
      return .lookup(lookup)
    default: return expression
    }
  }

  @Test func `a table read back equals the table that was made`() {
    let found = Self.readBack
    let wanted = EgressTable.table
    #expect(found != wanted)
    let runtime = Set(wanted.sets.filter(\.isRuntimeState).map(\.name))
    #expect(found.canonical(runtimeSets: runtime) == wanted.canonical())
    #expect(found.differences(from: wanted) == [])
    #expect(wanted.differences(from: found) == [])
  }

  @Test func `canonical form is its own canonical form`() {
    let once = EgressTable.table.canonical()
    #expect(once.canonical() == once)
    let ruleset = Ruleset(tables: [once, Table(family: .ip, name: "a")])
    #expect(Ruleset(tables: ruleset.tables.reversed()).canonical() == ruleset.canonical())
  }

  static let changes: [(change: @Sendable (inout Table) -> Void, said: [String])] = [
    (
      { $0.chains[0].rules.removeLast() },
      ["missing: chain g1/out rule 5 [ immediate reg 0 goto -> g1/deny/shape ]"]
    ),
    (
      { $0.chains[0].rules.insert(Rule([.immediate(.verdict(.accept))]), at: 0) },
      ["unexpected: chain g1/out rule 1 [ immediate reg 0 accept ]"]
    ),
    ({ $0.chains.removeLast() }, ["missing: chain input"]),
    ({ $0.chains.append(Chain(name: "x")) }, ["unexpected: chain x"]),
    (
      { $0.chains[$0.chains.count - 1].hook?.policy = .accept },
      ["changed: chain input hook: expected filter input 0 drop, found filter input 0 accept"]
    ),
    ({ $0.sets.remove(at: 2) }, ["missing: set g1/dispatch-out"]),
    (
      { $0.sets[0].content = .elements([.catchAll(.accept)]) },
      [
        "missing: set generation/out element * : goto(\"g1/out\")",
        "unexpected: set generation/out element * : accept",
      ]
    ),
    (
      { $0.sets[5].content = .ipv4(IntervalSet([Interval(0x0102_0304, 0x0102_0305)])) },
      [
        "missing: set addresses/4/00112233445566ff element 0xa000000-0xaffffff",
        "unexpected: set addresses/4/00112233445566ff element 0x1020305",
      ]
    ),
    ({ $0.counters.removeFirst() }, ["missing: counter broadcast"]),
    (
      { $0.counters[0].comment = nil },
      [
        "changed: counter broadcast comment: expected deny broadcast policy.yaml:31:5, found none"
      ]
    ),
    ({ $0.flags = 1 }, ["changed: table flags: expected 0, found 1"]),
    ({ $0.comment = nil }, ["changed: table comment: expected managed by weir, found none"]),
    (
      { $0.unknown = [UnknownItem(kind: "flowtable", bytes: [])] }, ["unexpected: flowtable"]
    ),
  ]

  @Test(arguments: changes.indices)
  func `each change is told`(index: Int) {
    var table = EgressTable.table
    Self.changes[index].change(&table)
    #expect(
      table.differences(from: EgressTable.table).map(\.description) == Self.changes[index].said)
  }

  @Test func `a lost large set is told in few lines`() {
    func table(_ count: UInt32) -> Table {
      let intervals = (0..<count).map { Interval($0 * 4, $0 * 4) }
      return Table(
        family: .inet, name: "t",
        sets: [
          NamedSet(
            name: "s", flags: .interval, key: [.ipv4Address],
            content: .ipv4(IntervalSet(intervals)))
        ])
    }
    let differences = table(1).differences(from: table(1000)).map(\.description)
    #expect(differences.count == Table.reportedElements + 1)
    #expect(differences[0] == "missing: set s element 0.0.0.4")
    #expect(differences.last == "missing: set s element and 979 more")
  }
}
