import Bytecode
import LinuxSystem
import NetworkTypes
import PolicyLanguage
import PolicyMeaning
import RandomPolicies
import RuleCompiler
import Testing

@testable import Operations

/// Policies that are in force for a scope, through readers that share no code with the compiler.
///
/// A cgroup is of the whole process; `weir verify --scope cgroup` is tried as a command.
@Suite struct ScopedAgreementTests {
  private struct Subject {
    let plan: VerifyPlan
    let stage: VerifyStage
    var table: Table

    init(_ policy: Policy, _ scope: VerifiedScope, cap: Int) {
      plan = VerifyPlan(policy, pins: NamePins(), cap: cap, scope: scope)
      stage = VerifyStage(scope)
      let compiled = compile(policy, tableName: "weir-scopes")
      table = stage.table(compiled, answers: plan.names.addresses.mapValues { $0.sorted() })
    }

    func model() -> RungReport { plan.interpreterRung(table, stage, clock: { 0 }) }

    func everyPacket() -> RungReport {
      plan.symbolicRung(table, stage, readBack: .unavailable("model"), clock: { 0 })
    }

    func packets() throws -> RungReport {
      try plan.packetRung(loading: Kernel.load, table: table, stage) { _, _ in }
    }
  }

  @Test(arguments: [VerifiedScope.cgroup, .user, .interface], 0..<16 as Range<UInt64>)
  func `property: a scope's packets are decided like the reference, clause by clause`(
    scope: VerifiedScope, seed: UInt64
  ) throws {
    let subject = Subject(RandomPolicy.make(seed: seed), scope, cap: 1000)
    let report = subject.model()
    #expect(report.disagreements.first.map { "\($0)" } == nil)
    #expect(report.undecided.first == nil)
    #expect(report.tried > 100)
  }

  @Test(
    .enabled(if: Kernel.canMakeNamespaces, Kernel.reason),
    arguments: [VerifiedScope.user, .interface], 0..<6 as Range<UInt64>)
  func `kernel: property: the kernel decides a scope's packets like the reference`(
    scope: VerifiedScope, seed: UInt64
  ) throws {
    let report = try Subject(RandomPolicy.make(seed: seed), scope, cap: 1000).packets()
    #expect(report.disagreements.first.map { "\($0)" } == nil)
    #expect(report.tried > 100)
  }

  @Test(arguments: [VerifiedScope.cgroup, .user, .interface])
  func `a scope that its map does not lead to its policy is found, packet by packet and for all`(
    scope: VerifiedScope
  ) throws {
    var subject = Subject(try loadPolicy("app-engine-sockets").policy, scope, cap: 1000)
    #expect(subject.model().outcome == .agrees)
    #expect(subject.everyPacket().outcome == .agrees)
    let map = try #require(subject.stage.binding?.dimension.mapName)
    #expect(
      subject.table.change(set: "\(map)/out") {
        $0 = [SetElement(key: $0[0].key.map { ~$0 }, verdict: $0[0].verdict)]
      })
    #expect(subject.model().outcome == .disagrees)
    #expect(subject.everyPacket().outcome == .disagrees)
  }

  @Test(
    .enabled(if: Kernel.canMakeNamespaces, Kernel.reason),
    arguments: [VerifiedScope.user, .interface])
  func `kernel: a scope that its map does not lead to its policy is shown`(
    scope: VerifiedScope
  ) throws {
    var subject = Subject(try loadPolicy("app-engine-sockets").policy, scope, cap: 1000)
    #expect(try subject.packets().outcome == .agrees)
    let map = try #require(subject.stage.binding?.dimension.mapName)
    #expect(subject.table.change(set: "\(map)/out") { $0 = [] })
    #expect(try subject.packets().outcome == .disagrees)
  }

  @Test(.enabled(if: Kernel.canMakeNamespaces && !UserNamespace.isNeeded, "needs root"))
  func `kernel: a table that judges everybody fails the clause transfer`() throws {
    var subject = Subject(try loadPolicy("app-engine-sockets").policy, .user, cap: 1000)
    let agreed = try subject.packets()
    #expect(agreed.denialsByClause["transfer"] == 64)
    #expect(agreed.allowancesByClause["transfer"] == 64)
    #expect(
      subject.table.change("out/user") { rules in
        guard let last = rules.indices.last else { return }
        rules[last] = Rule([.immediate(.verdict(.goto("g1/out")))])
      })
    let report = try subject.packets()
    #expect(report.disagreements.allSatisfy { $0.origin.hasPrefix("a socket from elsewhere") })
    #expect(report.disagreementCount == 64)
  }

  @Test(.enabled(if: Kernel.canMakeNamespaces && !UserNamespace.isNeeded, "needs root"))
  func `kernel: fragments of a scope's raw socket belong to it when they are put together`() throws
  {
    let subject = Subject(try loadPolicy("public-internet-only").policy, .user, cap: 100)
    let sandbox = try subject.stage.inhabit { try PacketSandbox() }
    let places: [(IPAddress, isAllowed: Bool)] = [
      (.v4(0x9765_0145), true), (.v4(0x0a00_0001), false),
      (.v6(0x2a04_4e42 << 96 | 645), true), (.v6(0xfd00 << 112 | 1), false),
    ]
    func leaves(_ place: IPAddress) throws -> Bool {
      for fragment in Self.fragments(to: place) { _ = try sandbox.send(fragment) }
      // The link speaks of its own now and then.
      let field = place.family == .ipv4 ? 16..<20 : 24..<40
      return sandbox.departures(waitMilliseconds: 100).contains {
        $0.count > field.upperBound && Array($0[field]) == place.networkOrderBytes
      }
    }
    for (place, _) in places { #expect(try leaves(place), "without rules, \(place)") }
    try sandbox.filter.run { try Kernel.load(subject.table) }
    for (place, isAllowed) in places { #expect(try leaves(place) == isAllowed, "\(place)") }
  }

  /// A UDP datagram of 40 bytes to port 443 in two pieces.
  private static func fragments(to place: IPAddress) -> [[UInt8]] {
    let datagram: [UInt8] = [0x9c, 0x40, 1, 0xbb, 0, 40, 0, 0] + [UInt8](repeating: 7, count: 32)
    let addresses = SandboxAddresses()
    let source = addresses.inside(place.family).networkOrderBytes
    return [(0, 16), (16, 40)].map { first, end in
      let rest = end < 40
      switch place.family {
      case .ipv4:
        return [0x45, 0, 0, 0, 0, 77, rest ? 0x20 : 0, UInt8(first / 8), 64, 17, 0, 0] + source
          + place.networkOrderBytes + datagram[first..<end]
      case .ipv6:
        let length = UInt8(8 + end - first)
        return [0x60, 0, 0, 0, 0, length, 44, 64] + source + place.networkOrderBytes
          + [17, 0, 0, UInt8(first) | (rest ? 1 : 0), 0, 0, 0, 99] + datagram[first..<end]
      }
    }
  }

  @Test func `a flow that a scope's essential lets in is answered, and no other`() throws {
    for scope in [VerifiedScope.cgroup, .user] {
      let subject = Subject(try loadPolicy(Self.server).policy, scope, cap: 2000)
      let report = subject.model()
      #expect(report.outcome == .agrees)
      #expect(report.allowancesByClause["essential-ssh", default: 0] > 0)
      var broken = subject
      #expect(broken.table.change("g1/reply") { $0.removeFirst($0.count - 1) })
      #expect(broken.model().outcome == .disagrees)
    }
  }

  private static let server = #filePath.replacing(
    "Tests/OperationsTests/ScopedAgreementTests.swift", with: "examples/server.yaml")
}
