import Bytecode
import NetworkTypes
import Testing

@testable import NetfilterLink

private let weir = TableIdentifier(family: .inet, name: "weir")

/// What an installation reads again, and what follows from the generation.
@Suite struct KnownSetsTests {
  private static let shared = NamedSet(
    name: "addresses/4/a", flags: .interval, key: [.ipv4Address],
    content: .ipv4(IntervalSet([Interval(1, 9)])))
  private static let other = NamedSet(
    name: "addresses/4/b", key: [.ipv4Address], content: .ipv4(IntervalSet([Interval(5, 5)])))

  private func known(at generation: UInt32) -> KnownSets {
    KnownSets(
      of: Table(family: .inet, name: "weir", sets: [Self.shared, Self.other]), weir,
      generation)
  }

  private func place(_ set: NamedSet) -> RulesetBuilder.SetPlace {
    RulesetBuilder.SetPlace(table: weir, tableIndex: 0, setIndex: 0, set: set)
  }

  @Test func `each transaction of ours moves the generation for which sets are known`() {
    let after = known(at: .max - 1).after([.flushChain("c")], ifGeneration: .max - 1, commits: 3)
    // The kernel skips 0.
    #expect(after?.generation == 2)
    #expect(after?.content(of: place(Self.shared)) == Self.shared.content)
  }

  @Test func `a transaction for any or another generation leaves nothing known`() {
    #expect(known(at: 7).after([.flushChain("c")], ifGeneration: nil, commits: 1) == nil)
    #expect(known(at: 7).after([.flushChain("c")], ifGeneration: 8, commits: 1) == nil)
    #expect(known(at: 7).after([.deleteTable], ifGeneration: 7, commits: 1) == nil)
  }

  @Test(arguments: [
    Change.addSet(shared), .addElements(shared), .deleteElements(shared),
    .flushSet("addresses/4/a"), .deleteSet("addresses/4/a"),
  ])
  func `a set that a transaction of ours touched is not known, and the others are`(
    change: Change
  ) throws {
    let after = try #require(known(at: 7).after([change], ifGeneration: 7, commits: 1))
    #expect(after.content(of: place(Self.shared)) == nil)
    #expect(after.content(of: place(Self.other)) == Self.other.content)
  }

  @Test(arguments: [SetFlags.timeout, .evaluated])
  func `nothing is known of sets that packets or time may change`(flag: SetFlags) {
    var set = Self.shared
    set.flags.insert(flag)
    #expect(known(at: 7).content(of: place(set)) == nil)
    var elsewhere = place(Self.shared)
    elsewhere.table.name = "other"
    #expect(known(at: 7).content(of: elsewhere) == nil)
  }

  // MARK: In the kernel

  /// Whether a datagram asks for the elements of a shared set.
  private static func asksForShared(_ datagram: [UInt8]) -> Bool {
    let getElements: [UInt8] = [13, 10]
    return Array(datagram[4..<6]) == getElements
      && String(decoding: datagram, as: UTF8.self).contains("addresses/")
  }

  private static func isBatch(_ datagram: [UInt8]) -> Bool { Array(datagram[4..<6]) == [16, 0] }

  /// What an installation sends.
  private func sent(_ policy: SamplePolicy) throws -> [[UInt8]] {
    let tape = RecordingTransport.Tape()
    var session = NetfilterSession(RecordingTransport(try NetlinkSocket.open(), onto: tape))
    _ = try session.install(policy.table)
    return tape.sent
  }

  @Test(.enabled(if: Kernel.isThere, Kernel.reason))
  func `kernel: an installation reads each shared set once, and so does an unchanged one`() throws {
    try Kernel.inNamespace {
      for ports in [[80, 443], [80], [80], [81]] as [[UInt16]] {
        let datagrams = try sent(SamplePolicy(ports: ports))
        #expect(datagrams.filter(Self.asksForShared).count == 1)
      }
    }
  }

  @Test(.enabled(if: Kernel.isThere, Kernel.reason))
  func `kernel: a shared set that somebody emptied right after the swap is found`() throws {
    // The swap of a first installation is its last batch.
    let swap = try #require(
      try Kernel.inNamespace { try sent(SamplePolicy()).lastIndex(where: Self.isBatch) })
    let name = try #require(SamplePolicy().table(1).sets.map(\.name).first { $0.contains("/4/") })
    try Kernel.inNamespace {
      let transport = InterferingTransport(try NetlinkSocket.open(), countsBatchesOnly: false) {
        // Sends count from 1: the first request behind the swap.
        if $0 == swap + 2 { _ = try? Kernel.nft("flush", "set", "inet", "weir", name) }
      }
      var session = NetfilterSession(transport)
      #expect {
        try session.install(SamplePolicy().table)
      } throws: { error in
        guard case InstallError.notProven(.swapped, let differences, .nothing) = error else {
          return false
        }
        return differences.contains { $0.contains("set \(name) element 10.0.0.0-10.255.255.255") }
          || differences.contains { $0.contains("set \(name) element 0xa000000-0xaffffff") }
      }
    }
  }
}
