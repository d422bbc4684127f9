import Bytecode
import LinuxSystem
import NetfilterLink
import PolicyMeaning
import RuleCompiler
import Testing

@testable import Operations

/// A verifier that cannot fail proves nothing: every fault planted in the compiled rules is found,
/// by the model and by the real kernel, each on its own.
@Suite struct PlantedFaultTests {
  struct Subject: Sendable {
    let plan: VerifyPlan
    let table: Table
  }

  static let subject: Result<Subject, any Error> = Result {
    let policy = try loadPolicy("app-engine-sockets").policy
    let plan = VerifyPlan(policy, pins: NamePins(), cap: 6000)
    let table = compile(policy).table(answers: plan.names.addresses.mapValues { $0.sorted() })
    return Subject(plan: plan, table: table)
  }

  @Test func `without a fault the model agrees`() throws {
    let subject = try Self.subject.get()
    let report = subject.plan.interpreterRung(subject.table, clock: { 0 })
    #expect(report.outcome == .agrees)
    #expect(report.allowed > 1000)
    #expect(report.denied > 1000)
  }

  @Test func `every planted fault changes the table, and there are at least twenty`() throws {
    let subject = try Self.subject.get()
    let places = PlantedFault.all.filter { $0.planted(in: subject.table) != nil }
    #expect(places.map(\.name) == PlantedFault.all.map(\.name))
    #expect(Set(PlantedFault.all.map(\.name)).count >= 20)
  }

  @Test(arguments: PlantedFault.all)
  func `the model finds a planted fault`(fault: PlantedFault) throws {
    let subject = try Self.subject.get()
    let table = try #require(fault.planted(in: subject.table))
    let report = subject.plan.interpreterRung(table, clock: { 0 })
    #expect(report.outcome == .disagrees)
    #expect(report.disagreements.first?.probe.isEmpty == false)
  }

  @Test func `without a fault the rules let out and in what the policy allows, all packets`()
    throws
  {
    let subject = try Self.subject.get()
    let report = subject.plan.symbolicRung(
      subject.table, readBack: .unavailable("model"), clock: { 0 })
    #expect(report.outcome == .agrees)
    #expect(report.disagreements.first.map { "\($0)" } == nil)
    #expect(report.allowed > 3)
    #expect(report.denied > 10)
  }

  @Test(arguments: PlantedFault.all)
  func `the analysis of all packets finds a planted fault that changes a decision`(
    fault: PlantedFault
  ) throws {
    let subject = try Self.subject.get()
    let table = try #require(fault.planted(in: subject.table))
    let model = subject.plan.interpreterRung(table, clock: { 0 })
    // A fault may also give the right decision to the wrong clause, which only a walk can tell.
    let changed = model.disagreements.filter {
      $0.expected.split(separator: " ").first != $0.seen.split(separator: " ").first
    }
    let report = subject.plan.symbolicRung(table, readBack: .unavailable("model"), clock: { 0 })
    #expect((report.outcome == .disagrees) == !changed.isEmpty)
    #expect(changed.isEmpty || report.disagreements.first?.probe.isEmpty == false)
  }

  @Test func `rules that read back otherwise than they were compiled are found, all packets`()
    throws
  {
    let subject = try Self.subject.get()
    let fault = try #require(PlantedFault.all.first { $0.planted(in: subject.table) != nil })
    let read = Ruleset(tables: [try #require(fault.planted(in: subject.table))])
    let report = subject.plan.symbolicRung(
      subject.table, readBack: .rules(read), clock: { 0 })
    #expect(report.outcome == .disagrees)
    let same = subject.plan.symbolicRung(
      subject.table, readBack: .rules(Ruleset(tables: [subject.table])), clock: { 0 })
    #expect(same.outcome == .agrees)
    #expect(same.note?.hasSuffix("as read back from a kernel") == true)
  }

  @Test(.enabled(if: Kernel.canMakeNamespaces, Kernel.reason))
  func `kernel: without a fault packets and conversations agree`() throws {
    let subject = try Self.subject.get()
    let packets = try subject.plan.packetRung(
      loading: Kernel.load, table: subject.table
    ) { _, _ in }
    #expect(packets.outcome == .agrees)
    let conversations = try subject.plan.connectionRung(
      loading: Kernel.load, table: subject.table, cap: 500
    ) { _, _ in }
    #expect(conversations.outcome == .agrees)
  }

  @Test(.enabled(if: Kernel.canMakeNamespaces, Kernel.reason), arguments: PlantedFault.all)
  func `kernel: the kernel shows a planted fault`(fault: PlantedFault) throws {
    let subject = try Self.subject.get()
    let table = try #require(fault.planted(in: subject.table))
    let report =
      fault.isInbound
      ? try subject.plan.connectionRung(
        loading: Kernel.load, table: table, cap: 500
      ) { _, _ in }
      : try subject.plan.packetRung(
        loading: Kernel.load, table: table, isTraced: false
      ) { _, _ in }
    #expect(report.outcome == .disagrees)
  }
}

/// The kernel as tests use it.
enum Kernel {
  static let reason: Comment = "needs the right to make network namespaces"

  /// Whether this process may make network namespaces; a test process has threads, so an ordinary
  /// user has to start it in a user namespace.
  static let canMakeNamespaces = (try? NetworkNamespace.make()) != nil

  /// Loads a table into the namespace of the calling thread, which must be a throw-away one.
  @Sendable static func load(_ table: Table) throws {
    try NetworkNamespace.assertThrowAway()
    var session = NetfilterSession(try NetlinkSocket.open())
    try session.makeTable(table)
  }
}
