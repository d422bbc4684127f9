import Bytecode
import BytecodeInterpreter
import NetworkTypes
import PacketSets
import SeededRandom
import SymbolicAnalysis
import Testing

/// IPv6 fragments, which reassembly keeps, strips or lets pass: both readers say which.
@Suite struct FragmentTests {
  private static let r = Register(word: 0)
  private static let links = [
    Link(index: 1, name: "lo"), Link(index: 2, name: "eth0"), Link(index: 3, name: "br0"),
  ]
  private static let tracking: [Expression] = [
    .ct(ConntrackLoad(.state, into: r)), .compare(Compare(r, .equal, [2, 0, 0, 0])),
    .immediate(.verdict(.accept)),
  ]
  /// The rule `udp dport 9999 accept`.
  private static let port: [Expression] = [
    .meta(MetaLoad(.l4proto, into: r)), .compare(Compare(r, .equal, [17])),
    .payload(PayloadLoad(.transport, offsetBytes: 2, lengthBytes: 2, into: r)),
    .compare(Compare(r, .equal, [0x27, 0x0f])), .immediate(.verdict(.accept)),
  ]
  private static let ways: [(PacketWay, Hook, Path)] = [
    (.egress, .output, .output), (.forwarding, .forward, .forward), (.ingress, .input, .input),
  ]

  private static func ruleset(_ rules: [[Expression]], _ hook: Hook = .output) -> Ruleset {
    let binding = HookBinding(type: "filter", hook: hook, priority: 0, policy: .drop)
    return Ruleset(tables: [
      Table(
        family: .inet, name: "t",
        chains: [Chain(name: "c", hook: binding, rules: rules.map { Rule($0) })])
    ])
  }

  /// Whether a packet passes, by the interpreter; nil when it cannot say.
  private static func passes(
    _ point: PacketPoint, _ ruleset: Ruleset, _ path: Path
  ) throws -> Bool? {
    let packet = point.context { value in
      value < 1 || value > UInt32(links.count) ? nil : links[Int(value) - 1]
    }
    guard let packet else { return nil }
    switch try Interpreter(ruleset: ruleset).passage(of: packet, path: path).fate {
    case .passes: return true
    case .dropped, .rejected, .stolen: return false
    case .queued, .cannotDecide: return nil
    }
  }

  /// Of UDP from fe80::2 to fe80::1 behind a fragment header, of an invalid state.
  private static func fragment(_ word: UInt32, length: UInt32, first: UInt32 = 44) -> PacketPoint {
    var point = PacketPoint()
    point[.family] = 1
    point[.outputInterface] = 2
    point[.fragment] = word
    point[.firstNextHeader] = first
    point[.transportProtocol] = 17
    point[.transportLength] = length
    (point[.destinationType], point[.sourceType]) = (1, 2)
    (point[.destination0], point[.destination3]) = (0xfe80_0000, 1)
    (point[.source0], point[.source3]) = (0xfe80_0000, 2)
    (point[.sourcePort], point[.destinationPort]) = (40000, 9999)
    point[.flowLabel] = 9999
    point[.hopLimit] = 64
    return point
  }

  @Test(arguments: [0, 44] as [UInt32])
  func `both readers let those fragments reach a rule that the kernel lets`(first: UInt32) throws {
    let ruleset = Self.ruleset([Self.port, Self.tracking])
    var analyzer = SymbolicAnalyzer(ruleset, AnalysisFacts(links: Self.links))
    let analysis = try analyzer.analyze(.egress)
    // As seen on Linux 6.18: word, bytes behind the fragment header, whether it passes.
    let seen: [(UInt32, UInt32, Bool)] = [
      (0x8005, 16, false), (0x8005, 12, false), (0xa005, 16, false), (0xa005, 12, true),
      (0xa000, 16, false), (0xa000, 12, true), (0xa000, 6, true), (0x8000, 6, true),
    ]
    for (word, length, isThere) in seen {
      let point = Self.fragment(word, length: length, first: first)
      #expect(try Self.passes(point, ruleset, .output) == isThere, "\(word) \(length)")
      let may = analyzer.diagrams.contains(analysis.mayPass, point)
      let must = analyzer.diagrams.contains(analysis.mustPass, point)
      #expect(may && must == isThere, "\(word) \(length)")
    }
    // A whole one loses its header, and rules see another packet.
    let whole = Self.fragment(0x8000, length: 16, first: first)
    let isPossible = analyzer.diagrams.contains(analysis.possible, whole)
    #expect(!isPossible)
  }

  @Test func `a fragment that reassembly keeps is no leak for certain`() throws {
    let ruleset = Self.ruleset([Self.port, Self.tracking])
    var analyzer = SymbolicAnalyzer(ruleset, AnalysisFacts(links: Self.links))
    let analysis = try analyzer.analyze(.egress)
    func claim(_ word: UInt32) throws -> Claim {
      let fragments = try analyzer.diagrams.intersection(
        analyzer.diagrams.set(.family, 1), analyzer.diagrams.set(.fragment, word))
      return try analyzer.claimNoLeak(analysis, allowed: .nothing, judged: fragments)
    }
    let last = try claim(0x8005)
    #expect(last.answer == .unknown)
    #expect(last.causes.map(\.reason) == ["whether reassembly keeps an IPv6 fragment"])
    let middle = try claim(0xa005)
    #expect(middle.answer == .fails)
    let doubted = try analyzer.diagrams.intersection(middle.violations, middle.doubts)
    #expect(doubted == .nothing)
    // Of those that fail the claim for certain, the interpreter lets a plausible one pass.
    let witness = try #require(middle.witness)
    #expect(try Self.passes(witness, ruleset, .output) == true)
  }

  @Test func `where one side alone tracks connections, kept fragments are no difference`() throws {
    let kept = Self.fragment(0x8005, length: 16)
    for (second, isOpen) in [([Self.tracking], false), ([], true)] {
      var comparison = RulesetComparison(
        Self.ruleset([Self.port, Self.tracking]), Self.ruleset(second),
        AnalysisFacts(links: Self.links))
      let found = try comparison.difference(on: .egress)
      let sets = [found.keepable, found.onlyFirst, found.undecided]
      let isIn = sets.map { set in comparison.diagrams.contains(set, kept) }
      #expect(isIn == [true, !isOpen, isOpen])
      #expect(
        found.causes.first.map(\.reason).contains("whether reassembly keeps an IPv6 fragment")
          == isOpen)
    }
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func `property: of plain rules both readers say the same, of fragments too`(
    seed: UInt64
  ) throws {
    var compared = 0
    for (way, hook, path) in Self.ways {
      var generator = RandomRuleset(seed: seed, hooks: [hook])
      let (a, b) = (generator.plain(), generator.plain())
      var maker = PointMaker(
        random: SeededGenerator(seed: seed), interesting: generator.interesting)
      maker.interesting[.fragment] = [0x8000, 0x8005, 0xa000, 0xa005, 0xa005, 0x2000, 0x2005, 5]
      maker.interesting[.transportLength] = [64, 63, 20, 16, 12, 8, 7, 6, 3, 0]

      var analyzer = SymbolicAnalyzer(a, AnalysisFacts(links: Self.links))
      let analysis = try analyzer.analyze(way)
      let stopped = try analyzer.diagrams.difference(analysis.possible, analysis.mayPass)
      for (set, expected) in [(analysis.mustPass, true), (stopped, false)] {
        for point in Self.points(&maker, analyzer.diagrams, set) {
          guard let passes = try Self.passes(point, a, path) else { continue }
          #expect(passes == expected, "\(seed) \(way) \(point)")
          compared += 1
        }
      }

      var comparison = RulesetComparison(a, b, AnalysisFacts(links: Self.links))
      let found = try comparison.difference(on: way)
      for (set, passesInA) in [(found.onlyFirst, true), (found.onlySecond, false)] {
        let possible = try comparison.diagrams.intersection(set, found.possible)
        let reaching = try comparison.diagrams.difference(possible, found.keepable)
        for point in Self.points(&maker, comparison.diagrams, reaching) {
          guard let inA = try Self.passes(point, a, path),
            let inB = try Self.passes(point, b, path)
          else { continue }
          #expect(inA == passesInA && inB != passesInA, "\(seed) \(way) \(point)")
          compared += 1
        }
      }
    }
    #expect(compared > 0)
  }

  private static func points(
    _ maker: inout PointMaker, _ diagrams: borrowing PacketDiagrams, _ set: Diagram
  ) -> [PacketPoint] {
    (0..<25).compactMap { _ in
      diagrams.witness(set) { field, _ in [maker.value(field), maker.value(field)] }
    }
  }
}
