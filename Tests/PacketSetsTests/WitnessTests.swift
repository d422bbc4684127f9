import NetworkTypes
import PacketSets
import SeededRandom
import Testing

@Suite struct WitnessTests {
  private let fields: [PacketField] = [
    .family, .conntrackState, .transportProtocol, .destination3, .destinationPort,
  ]

  @Test(arguments: 0..<60 as Range<UInt64>)
  func `property: a witness is a member, and only the empty set has none`(
    seed: UInt64
  ) throws {
    var random = SeededGenerator(seed: seed)
    var diagrams = PacketDiagrams()
    let set = try BoxList.random(&random, fields: fields, values: 2).diagram(in: &diagrams)
    let wish = UInt32(random.next(upperBound: 50))
    let witness = diagrams.witness(set) { _, _ in [wish] }
    #expect((witness == nil) == (set == .nothing))
    if let witness { expect(diagrams.contains(set, witness)) }
  }

  @Test func `preferred values win where the set allows them`() throws {
    var diagrams = PacketDiagrams()
    let tcp = try diagrams.set(.transportProtocol, 6)
    let ports = try diagrams.set(.destinationPort, IntervalSet([Interval(400, 500)]))
    let set = try diagrams.intersection(tcp, ports)
    func point(_ wishes: [PacketField: [UInt32]]) -> PacketPoint? {
      diagrams.witness(set) { field, _ in wishes[field] ?? [] }
    }
    let good = try #require(
      point([.destinationPort: [80, 443], .destination3: [0xc000_0201], .transportProtocol: [17]]))
    #expect(good[.destinationPort] == 443)
    #expect(good[.destination3] == 0xc000_0201)
    #expect(good[.transportProtocol] == 6)
    #expect(point([:])?[.destinationPort] == 400)
  }

  @Test func `a preference sees what was chosen before`() throws {
    let diagrams = PacketDiagrams()
    let point = diagrams.witness(.everything) { field, soFar in
      switch field {
      case .family: [1]
      case .destination0: soFar.family == .ipv6 ? [0x2001_0db8] : []
      case .destination3: [1]
      default: []
      }
    }
    #expect(point?.destination == .v6(0x2001_0db8 << 96 | 1))
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func `property: regions are disjoint, and together they are the set`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var diagrams = PacketDiagrams()
    let set = try BoxList.random(&random, fields: fields, values: 2).diagram(in: &diagrams)
    let all = diagrams.regions(set, limit: 10_000)
    #expect(all.more == 0)
    var joined = Diagram.nothing
    for region in all.regions {
      let box = BoxList.Box(
        fields: Dictionary(uniqueKeysWithValues: region.fields.map { ($0.field, $0.values) }),
        value: 1)
      let part = try BoxList(boxes: [box]).diagram(in: &diagrams)
      try expect(diagrams.intersection(joined, part) == .nothing)
      joined = try diagrams.union(joined, part)
    }
    #expect(joined == set)
    let few = diagrams.regions(set, limit: 2)
    #expect(few.regions.count == min(2, all.regions.count))
    #expect(few.more == Double(all.regions.count - few.regions.count))
  }

  @Test func `regions read like rules`() throws {
    var diagrams = PacketDiagrams()
    let block = IntervalSet([Interval(UInt32(0x0a00_0000), UInt32(0x0aff_ffff))])
    let v4 = try diagrams.intersection([
      diagrams.set(.family, 0), diagrams.set(.conntrackState, 3),
      diagrams.set(.transportProtocol, 6), diagrams.set(.destination3, block),
      diagrams.set(.destinationPort, IntervalSet([Interval(25, 25), Interval(465, 587)])),
      diagrams.set(.mark0, 3),
    ])
    expect(
      diagrams.regions(v4, limit: 1).regions.map(\.description) == [
        "ipv4, new, mark 0xxxxxxxx3, tcp, to 10.0.0.0/8, dport 25, 465-587"
      ])
    let prefix = IntervalSet([
      Interval(UInt128(0x2001_0db8) << 96, UInt128(0x2001_0db9) << 96 - 1)
    ])
    let v6 = try diagrams.intersection(
      diagrams.set(.family, 1), diagrams.set(PacketField.source, prefix))
    expect(
      diagrams.regions(v6, limit: 1).regions.map(\.description) == ["ipv6, from 2001:db8::/32"])
    expect(
      diagrams.regions(.everything, limit: 1).regions.map(\.description) == ["any packet"])
  }
}
