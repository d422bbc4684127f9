import Bytecode
import NetworkTypes

/// A way in which a compiled table can be wrong, by name.
struct PlantedFault: Sendable, CustomStringConvertible {
  let name: String
  /// Whether only a packet that arrives can show it.
  var isInbound = false
  let plant: @Sendable (inout Table) -> Bool

  var description: String { name }

  /// The table with the fault in it; nil when the table has no place for it.
  func planted(in table: Table) -> Table? {
    var faulty = table
    return plant(&faulty) && faulty != table ? faulty : nil
  }
}

extension Table {
  /// Changes a chain's rules; whether there is such a chain.
  mutating func change(_ chain: String, _ body: (inout [Rule]) -> Void) -> Bool {
    guard let index = chains.firstIndex(where: { $0.name == chain }) else { return false }
    body(&chains[index].rules)
    return true
  }

  /// Changes a set's elements; whether there is such a set.
  mutating func change(set name: String, _ body: (inout [SetElement]) -> Void) -> Bool {
    guard let index = sets.firstIndex(where: { $0.name == name }),
      case .elements(var elements) = sets[index].content
    else { return false }
    body(&elements)
    sets[index].content = .elements(elements)
    return true
  }

  /// Adds an element to a sized map; whether there is such a map.
  mutating func insert(_ element: SetElement, into name: String) -> Bool {
    guard let index = sets.firstIndex(where: { $0.name == name }) else { return false }
    sets[index].size = sets[index].size.map { $0 + 1 }
    return change(set: name) { $0.append(element) }
  }

  /// The name of the set that a rule of a chain looks into.
  func lookedUp(in chain: String, rule: Int) -> String? {
    guard let found = chains.first(where: { $0.name == chain }), rule < found.rules.count else {
      return nil
    }
    for case .lookup(let lookup) in found.rules[rule].expressions { return lookup.set }
    return nil
  }
}

extension Rule {
  /// The rule without the expressions that a test picks.
  func without(_ test: (Expression) -> Bool) -> Rule {
    Rule(expressions.filter { !test($0) })
  }

  /// Compares with another value where it compared with `value`.
  mutating func replaceCompare(_ value: [UInt8], with other: [UInt8]) {
    for index in expressions.indices {
      guard case .compare(var compare) = expressions[index], compare.value == value else {
        continue
      }
      compare.value = other
      expressions[index] = .compare(compare)
    }
  }

  /// The rule with another verdict at its end.
  func yielding(_ verdict: Verdict) -> Rule {
    Rule(expressions.dropLast() + [.immediate(.verdict(verdict))])
  }
}

extension PlantedFault {
  /// Faults in the table of the built-in policy, generation 1.
  static let all: [PlantedFault] = addresses + ports + verdicts + packets

  private static let addresses: [PlantedFault] = [
    PlantedFault(name: "a dropped element: 10.0.0.0/8") {
      $0.change(set: "g1/blocks4") { $0.removeAll { $0.key == [10, 0, 0, 0] } }
    },
    PlantedFault(name: "a dropped element: a Google range") {
      $0.change(set: "g1/block4/8-255") { $0.removeAll { $0.key == [142, 250, 0, 0] } }
    },
    PlantedFault(name: "a dropped element: unique local addresses") {
      $0.change(set: "g1/destination6") { $0.removeAll { $0.key.first == 0x40 } }
    },
    PlantedFault(name: "a range one too long at its end: 172.16.0.0/12") {
      $0.change(set: "g1/block4/8-255") { elements in
        guard let index = elements.firstIndex(where: { $0.key == [172, 16, 0, 0] }) else { return }
        elements[index].keyEnd = [172, 32, 0, 0]
      }
    },
    PlantedFault(name: "a range one too short at its start: 172.16.0.0/12") {
      $0.change(set: "g1/block4/8-255") { elements in
        guard let index = elements.firstIndex(where: { $0.key == [172, 16, 0, 0] }) else { return }
        elements[index].key = [172, 16, 0, 1]
      }
    },
    PlantedFault(name: "an exception one address beside: 8.8.8.9 for 8.8.8.8") {
      $0.change(set: "g1/block4/8-255") { elements in
        guard let index = elements.firstIndex(where: { $0.key == [8, 8, 8, 8] }),
          index + 1 < elements.count
        else { return }
        elements[index].key = [8, 8, 8, 9]
        elements[index + 1].key = [8, 8, 8, 10]
      }
    },
    PlantedFault(name: "a block with another verdict: 2002::/16") {
      $0.change(set: "g1/blocks6") { elements in
        for index in elements.indices where elements[index].key == [0x20, 0x02, 0, 0] {
          elements[index].verdict = .goto("g1/to6/default")
        }
      }
    },
    PlantedFault(name: "NAT64 judged like any other IPv6 address") {
      $0.change(set: "g1/destination6") { elements in
        guard let index = elements.firstIndex(where: { $0.verdict == .goto("g1/nat64") }) else {
          return
        }
        elements[index].verdict = .goto("g1/to6/default")
      }
    },
    PlantedFault(name: "NAT64 judged by the wrong four bytes") {
      $0.change("g1/nat64") { rules in
        rules[0].expressions[0] = .payload(
          PayloadLoad(.network, offsetBytes: 32, lengthBytes: 4, into: Register(word: 0)))
      }
    },
    PlantedFault(name: "ISATAP forgotten") { $0.change("g1/to6/default") { $0.removeFirst() } },
    PlantedFault(name: "directed broadcast forgotten") {
      $0.change("g1/to4/default") { $0.removeFirst() }
    },
  ]

  private static let ports: [PlantedFault] = [
    PlantedFault(name: "a port in the wrong byte order: 25") {
      $0.change("g1/to4/default") { $0[2].replaceCompare([0, 25], with: [25, 0]) }
    },
    PlantedFault(name: "a port forgotten: 21") { $0.change("g1/to6/default") { $0.remove(at: 1) } },
    PlantedFault(name: "a verdict swapped: 25 accepted") {
      $0.change("g1/to4/default") { $0[2] = $0[2].yielding(.accept) }
    },
    PlantedFault(name: "an exception for every port: Google DNS") {
      $0.change("g1/to4/google-dns.google/udp") { $0[0] = Rule([.immediate(.verdict(.accept))]) }
    },
    PlantedFault(name: "an exception without TCP: Google DNS") {
      $0.change("g1/to6/google-dns.google/tcp") { $0.removeFirst() }
    },
    PlantedFault(name: "a name's exception for every port") {
      $0.change("g1/to4/google/tcp") { rules in
        rules[0].expressions.removeFirst(2)
      }
    },
    PlantedFault(name: "a name's exception on the wrong port: 588") { table in
      guard let set = table.lookedUp(in: "g1/to4/google/tcp", rule: 0) else { return false }
      return table.change(set: set) { elements in
        for index in elements.indices where elements[index].key == [2, 75] {
          elements[index].key = [2, 76]
        }
      }
    },
    PlantedFault(name: "a name's exception for IPv4 only") {
      $0.change("g1/to6/google/tcp") { $0.removeFirst() }
    },
    PlantedFault(name: "source ports from 32767") {
      $0.change("g1/new4") { $0[0].replaceCompare([0x80, 0x00], with: [0x7f, 0xff]) }
    },
    PlantedFault(name: "source ports from 32767 on the long way") {
      // Behind the rules that give flows their timeouts.
      $0.change("g1/rare4") { $0[2].replaceCompare([0x80, 0x00], with: [0x7f, 0xff]) }
    },
    PlantedFault(name: "source ports up to 61000") {
      $0.change("g1/new6") { $0[1].replaceCompare([0xee, 0x47], with: [0xee, 0x48]) }
    },
  ]

  private static let verdicts: [PlantedFault] = [
    PlantedFault(name: "IPv6 forgotten") {
      $0.change("output") { rules in
        rules.insert(
          Rule([
            .meta(MetaLoad(.nfproto, into: Register(word: 0))),
            .compare(Compare(Register(word: 0), .equal, [10])), .immediate(.verdict(.accept)),
          ]), at: 0)
      }
    },
    PlantedFault(name: "the final drop missing") { table in
      guard let index = table.chains.firstIndex(where: { $0.name == "output" }) else {
        return false
      }
      table.chains[index].rules.removeLast()
      table.chains[index].hook?.policy = .accept
      return table.change("g1/out") { $0.removeLast() }
    },
    PlantedFault(name: "denied by default") {
      $0.change("g1/to4/default") { $0[$0.count - 1] = $0[$0.count - 1].yielding(.drop) }
    },
    PlantedFault(name: "a denial that accepts: private") {
      $0.change("g1/deny/private") { $0.insert(Rule([.immediate(.verdict(.accept))]), at: 1) }
    },
    PlantedFault(name: "another protocol let out: UDP-Lite") {
      guard let map = $0.lookedUp(in: "g1/new4", rule: 3) else { return false }
      return $0.insert(SetElement(key: [136], verdict: .goto("g1/rare4")), into: map)
    },
    PlantedFault(name: "another protocol let out: ICMP echo") {
      guard let map = $0.lookedUp(in: "g1/new4", rule: 3) else { return false }
      return $0.insert(SetElement(key: [1], verdict: .accept), into: map)
    },
    PlantedFault(name: "inbound flows accepted", isInbound: true) {
      $0.change("g1/inbound") { $0[1] = Rule([.immediate(.verdict(.accept))]) }
    },
  ]

  private static let packets: [PlantedFault] = [
    PlantedFault(name: "an inverted match: everything but SYN opens") {
      $0.change("g1/new4") { rules in
        // The same value later in the rule is the family.
        let flags = rules[1].expressions.firstIndex {
          if case .compare(let compare) = $0 { compare.value == [2] } else { false }
        }
        guard let flags, case .compare(var compare) = rules[1].expressions[flags] else { return }
        compare.operation = .notEqual
        rules[1].expressions[flags] = .compare(compare)
      }
    },
    PlantedFault(name: "mid-stream segments accepted") {
      $0.change("g1/new6") { $0[2] = $0[2].yielding(.goto("g1/rare6")) }
    },
    PlantedFault(name: "routing headers forgotten") { $0.change("g1/rare6") { $0.removeFirst() } },
    PlantedFault(name: "routing headers on the short way") {
      $0.change("g1/new6") { rules in
        rules[0].expressions[0] = .meta(MetaLoad(.l4proto, into: Register(word: 0)))
      }
    },
    PlantedFault(name: "later fragments accepted") {
      $0.change("g1/out") { $0[3] = $0[3].yielding(.accept) }
    },
  ]
}
