import Bytecode
import BytecodeInterpreter
import NetworkTypes
import RulesetExamples
import Testing

/// Lookups in every layout of a set.
@Suite struct SetLookupTests {
  static func packet(_ port: UInt16, to destination: [UInt8] = [10, 0, 0, 9]) -> PacketContext {
    Packets.ipv4(6, Packets.tcp(40000, port), to: destination)
  }

  static func ports(_ elements: [SetElement], map: Bool = true) -> NamedSet {
    NamedSet(
      name: "s", flags: .interval, key: [.inetService], isVerdictMap: map,
      content: .elements(elements))
  }

  static func holds(
    _ set: NamedSet, _ expressions: [Expression], _ packet: PacketContext
  ) throws -> Outcome {
    try Packets.outcome(expressions, packet, sets: [set])
  }

  @Test func `a verdict map finds the range, else the catch-all, else breaks`() throws {
    let elements = [
      SetElement(key: [0, 100], keyEnd: [0, 200], verdict: .drop),
      SetElement(key: [0, 50], verdict: .drop),
    ]
    let port = [Expression].load(.transport, 2, 2)
    for (number, outcome) in [(49, Outcome.accept), (50, .drop), (51, .accept), (99, .accept)]
      + [(100, .drop), (150, .drop), (200, .drop), (201, .accept)] as [(UInt16, Outcome)]
    {
      let rule = port + .vmap("s")
      #expect(try Self.holds(Self.ports(elements), rule, Self.packet(number)) == outcome)
      let all = Self.ports(elements + [.catchAll(.drop)])
      #expect(try Self.holds(all, rule, Self.packet(number)) == .drop)
    }
  }

  @Test func `an inverted lookup goes on after a miss, but never with a catch-all`() throws {
    let set = Self.ports([SetElement(key: [1, 187])], map: false)
    let rule = [Expression].load(.transport, 2, 2) + .isIn("s", isInverted: true) + .drop
    #expect(try Self.holds(set, rule, Self.packet(443)) == .accept)
    #expect(try Self.holds(set, rule, Self.packet(444)) == .drop)
    let all = Self.ports([SetElement(key: [], isCatchAll: true)], map: false)
    #expect(try Self.holds(all, rule, Self.packet(444)) == .accept)
  }

  @Test func `address sets of both families agree with their intervals`() throws {
    let four = IntervalSet<UInt32>([Interval(0, 5), Interval(0x0a00_0000, 0x0a00_00ff)])
    let six = IntervalSet<UInt128>([Interval(7, 9), Interval(.max - 1, .max)])
    let set4 = NamedSet(name: "s", flags: .interval, key: [.ipv4Address], content: .ipv4(four))
    let set6 = NamedSet(name: "s", flags: .interval, key: [.ipv6Address], content: .ipv6(six))
    for address: UInt32 in [0, 5, 6, 0x09ff_ffff, 0x0a00_0000, 0x0a00_00ff, 0x0a00_0100, .max] {
      let packet = Self.packet(1, to: IPAddress.v4(address).networkOrderBytes)
      let outcome = try Self.holds(
        set4, .load(.network, 16, 4) + .isIn("s") + .drop, packet)
      #expect((outcome == .drop) == four.contains(address))
    }
    for address: UInt128 in [0, 7, 9, 10, .max - 2, .max - 1, .max] {
      let outcome = try Self.holds(
        set6, .load(.network, 24, 16) + .isIn("s") + .drop,
        Packets.ipv6(17, Packets.udp(1, 2), to: address))
      #expect((outcome == .drop) == six.contains(address))
    }
  }

  static let concatenation: [Expression] =
    .load(.network, 16, 4) + .load(.transport, 2, 2, into: 1)

  @Test func `of overlapping concatenated ranges the first in order wins`() throws {
    let narrow = SetElement(
      key: [10, 0, 0, 0, 0, 50, 0, 0], keyEnd: [10, 0, 0, 255, 0, 60, 0, 0], verdict: .drop)
    let wide = SetElement(
      key: [10, 0, 0, 0, 0, 1, 0, 0], keyEnd: [10, 255, 255, 255, 0, 100, 0, 0], verdict: .accept)
    func set(_ elements: [SetElement]) -> NamedSet {
      NamedSet(
        name: "s", flags: [.interval, .concatenation], key: [.ipv4Address, .inetService],
        isVerdictMap: true, content: .elements(elements))
    }
    let rule = Self.concatenation + .vmap("s")
    #expect(try Self.holds(set([narrow, wide]), rule, Self.packet(55)) == .drop)
    #expect(try Self.holds(set([wide, narrow]), rule, Self.packet(55)) == .accept)
    let only = set([narrow])
    #expect(try Self.holds(only, rule, Self.packet(61)) == .accept)
    #expect(try Self.holds(only, rule, Self.packet(55, to: [10, 0, 1, 0])) == .accept)
  }

  @Test func `a large ordered set gives what a walk over its elements gives`() throws {
    var state: UInt64 = 7
    func random(_ bound: UInt64) -> UInt8 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8((state >> 33) % bound)
    }
    let elements = (0..<300).map { number -> SetElement in
      let (net, port) = (random(40), random(60))
      let verdict: Verdict = number.isMultiple(of: 2) ? .drop : .continue
      return SetElement(
        key: [10, 0, net, 0, 0, port, 0, 0],
        keyEnd: [10, 0, net + random(3), 255, 0, port + random(9), 0, 0], verdict: verdict)
    }
    let set = NamedSet(
      name: "s", flags: [.interval, .concatenation], key: [.ipv4Address, .inetService],
      isVerdictMap: true, content: .elements(elements))
    let rule = Self.concatenation + .vmap("s")
    for net: UInt8 in 0..<45 {
      for port: UInt8 in stride(from: 0, to: 72, by: 5) {
        let first = elements.first { element in
          element.key[2] <= net && net <= element.keyEnd?[2] ?? 0 && element.key[5] <= port
            && port <= element.keyEnd?[5] ?? 0
        }
        let outcome = try Self.holds(set, rule, Self.packet(UInt16(port), to: [10, 0, net, 9]))
        #expect((outcome == .drop) == (first?.verdict == .drop), "\(net) \(port)")
      }
    }
  }

  @Test func `exact concatenations of any length are found`() throws {
    let pair = NamedSet(
      name: "s", key: [.ipv4Address, .inetService],
      content: .elements([
        SetElement(key: [10, 0, 0, 9, 0, 80, 0, 0]), SetElement(key: [10, 0, 0, 9, 1, 187, 0, 0]),
      ]))
    let rule = Self.concatenation + .isIn("s") + .drop
    #expect(try Self.holds(pair, rule, Self.packet(443)) == .drop)
    #expect(try Self.holds(pair, rule, Self.packet(81)) == .accept)
    let long = NamedSet(
      name: "s", key: [.ipv6Address, .inetService],
      content: .elements([
        SetElement(key: [UInt8](repeating: 0, count: 15) + [1, 0, 53, 0, 0])
      ]))
    let six = .load(.network, 24, 16) + .load(.transport, 2, 2, into: 4) + .isIn("s") + .drop
    #expect(try Self.holds(long, six, Packets.ipv6(17, Packets.udp(1, 53), to: 1)) == .drop)
    #expect(try Self.holds(long, six, Packets.ipv6(17, Packets.udp(1, 54), to: 1)) == .accept)
    #expect(try Self.holds(long, six, Packets.ipv6(17, Packets.udp(1, 53), to: 2)) == .accept)
  }

  @Test func `a data map's value goes on in a register`() throws {
    let map = NamedSet(
      name: "s", key: [.inetService], dataType: .ipv4Address,
      content: .elements([SetElement(key: [1, 187], data: [10, 0, 0, 9])]))
    let target = Register(word: 4)
    let rule: [Expression] =
      .load(.transport, 2, 2)
      + [
        .lookup(Lookup(Register(word: 0), in: "s", destination: target)),
        .compare(Compare(target, .equal, [10, 0, 0, 9])),
      ] + .drop
    #expect(try Self.holds(map, rule, Self.packet(443)) == .drop)
    #expect(try Self.holds(map, rule, Self.packet(80)) == .accept)
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `property: a lookup agrees with a walk over the elements`(seed: UInt64) throws {
    var state = seed
    func random(_ bound: UInt16) -> UInt16 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
      mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
      return UInt16((mixed ^ mixed >> 31) % UInt64(bound))
    }
    let set = PortSet((0..<8).map { _ in random(60) }.map { Interval($0, $0 + random(4)) })
    let elements = set.intervals.shuffled(seed: seed).map {
      SetElement(key: [0, UInt8($0.first)], keyEnd: [0, UInt8($0.last)])
    }
    let rule = [Expression].load(.transport, 2, 2) + .isIn("s") + .drop
    for port: UInt16 in 0..<66 {
      let outcome = try Self.holds(
        Self.ports(elements, map: false), rule, Self.packet(port))
      #expect((outcome == .drop) == set.contains(port))
    }
  }
}

extension Collection {
  /// The elements in an order that only the seed decides.
  fileprivate func shuffled(seed: UInt64) -> [Element] {
    enumerated().sorted {
      (UInt64($0.offset) &+ seed) &* 0x9e37_79b9_7f4a_7c15 >> 7
        < (UInt64($1.offset) &+ seed) &* 0x9e37_79b9_7f4a_7c15 >> 7
    }.map(\.element)
  }
}
