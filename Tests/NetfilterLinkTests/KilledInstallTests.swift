import Bytecode
import NetworkTypes
import Testing

@testable import NetfilterLink

@Suite(.enabled(if: Kernel.isThere, Kernel.reason))
struct KilledInstallTests {
  private let old = SamplePolicy()
  private let new = SamplePolicy(
    denied: IntervalSet([Interval(1, 2), Interval(0xffff_0000, .max)]), ports: [80])

  /// Whether a live table's part in force is exactly a compiled one.
  private func isWhole(_ live: Table, _ policy: SamplePolicy) -> Bool {
    guard let generation = live.generationInForce else { return false }
    let compiled = policy.table(generation)
    let names = Set(
      compiled.chains.map(\.name) + compiled.sets.map(\.name) + compiled.counters.map(\.name))
    return live.part { names.contains($0) }.problems(from: compiled.part { _ in true }).isEmpty
  }

  @Test(arguments: StoppingTransport.Moment.allCases)
  func `kernel: an update killed at any message leaves the old or the new generation whole`(
    moment: StoppingTransport.Moment
  ) throws {
    var boundary = 0
    var sawOld = 0
    var sawNew = 0
    var isFinished = false
    while !isFinished {
      boundary += 1
      isFinished = try Kernel.inNamespace {
        var session = try Kernel.session()
        _ = try session.install(old.table)
        var killed = NetfilterSession(
          StoppingTransport(try NetlinkSocket.open(), atBoundary: boundary, moment))
        let outcome = try? killed.install(new.table)
        let live = try #require(try session.readTable(family: .inet, name: "weir"))
        #expect(live.chains.filter { $0.hook != nil }.map(\.name) == ["output"])
        if isWhole(live, old) { sawOld += 1 } else { sawNew += 1 }
        #expect(isWhole(live, old) || isWhole(live, new), "boundary \(boundary)")
        _ = try session.install(new.table)
        let after = try #require(try session.readTable(family: .inet, name: "weir"))
        #expect(isWhole(after, new))
        #expect(after.generations.count == 1)
        #expect(after.sets.filter { $0.name.hasPrefix("addresses/") }.count == 1)
        return outcome != nil && outcome?.cleaningError == nil
      }
      try #require(boundary < 500)
    }
    #expect(sawOld > 20)
    #expect(sawNew > 5)
  }

  @Test(arguments: StoppingTransport.Moment.allCases)
  func `kernel: a first installation killed at any message hooks nothing or everything`(
    moment: StoppingTransport.Moment
  ) throws {
    var boundary = 0
    var sawNothing = 0
    var isFinished = false
    while !isFinished {
      boundary += 1
      isFinished = try Kernel.inNamespace {
        var session = try Kernel.session()
        var killed = NetfilterSession(
          StoppingTransport(try NetlinkSocket.open(), atBoundary: boundary, moment))
        let outcome = try? killed.install(new.table)
        if let live = try session.readTable(family: .inet, name: "weir") {
          let isHooked = live.chains.contains { $0.hook != nil }
          #expect(isWhole(live, new) == isHooked, "boundary \(boundary)")
          if !isHooked { sawNothing += 1 }
        }
        _ = try session.install(new.table)
        let after = try #require(try session.readTable(family: .inet, name: "weir"))
        #expect(isWhole(after, new))
        #expect(after.generations.count == 1)
        return outcome != nil
      }
      try #require(boundary < 500)
    }
    #expect(sawNothing > 5)
  }

  @Test(arguments: 0..<3)
  func `kernel: lost replies are settled by reading back, whichever transaction they were for`(
    answered: Int
  ) throws {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.install(old.table)
      var losing = NetfilterSession(
        LosingTransport(try NetlinkSocket.open(), answeredBatches: answered))
      let outcome = try losing.install(new.table)
      #expect(outcome.generation == 2)
      let live = try #require(try session.readTable(family: .inet, name: "weir"))
      #expect(isWhole(live, new))
    }
  }

  @Test(arguments: 1...3)
  func `kernel: a change of somebody else between reading and a transaction is noticed`(
    batch: Int
  ) throws {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.install(old.table)
      var isPending = true
      var disturbed = NetfilterSession(
        InterferingTransport(try NetlinkSocket.open()) { number in
          guard number == batch, isPending else { return }
          isPending = false
          _ = try? Kernel.nft("add", "table", "inet", "other")
        })
      let outcome = try disturbed.install(new.table)
      #expect(!isPending)
      #expect(outcome.generation >= 2)
      let live = try #require(try session.readTable(family: .inet, name: "weir"))
      #expect(isWhole(live, new))
      #expect(live.generations.count == 1)
    }
  }

  @Test func `kernel: somebody who never stops changing the ruleset ends the attempts`() throws {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.install(old.table)
      var disturbed = NetfilterSession(
        InterferingTransport(try NetlinkSocket.open()) { number in
          _ = try? Kernel.nft("add", "table", "inet", "other\(number)")
        })
      let error = InstallError.keepsChanging(
        attempts: 8, standing: .previous(generation: 1))
      #expect(throws: error) { try disturbed.install(new.table) }
      let live = try #require(try session.readTable(family: .inet, name: "weir"))
      #expect(isWhole(live, old))
    }
  }
}
