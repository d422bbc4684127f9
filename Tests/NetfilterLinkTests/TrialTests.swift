import Bytecode
import Glibc
import NetworkTypes
import TestSupport
import Testing

@testable import NetfilterLink

private let weir = TableIdentifier(family: .inet, name: "weir")

/// A policy on trial, which the kernel itself undoes.
///
/// Times are some hundred milliseconds: long for an installation, short for a test.
@Suite(.enabled(if: Kernel.isThere, Kernel.reason))
struct TrialTests {
  private static let long: UInt64 = 600_000
  private static let short: UInt64 = 300

  private let old = SamplePolicy()
  private let new = SamplePolicy(ports: [80])

  private func live(_ session: inout NetfilterSession<NetlinkSocket>) throws -> Table {
    try #require(try session.readTable(family: .inet, name: "weir"))
  }

  /// Waits until no trial runs; a trial of ``short`` has ended long before that.
  private func waitForEnd(_ session: inout NetfilterSession<NetlinkSocket>) throws {
    for _ in 0..<200 {
      if try live(&session).runningTrial == nil { return }
      usleep(10_000)
    }
    Issue.record("the trial does not end")
  }

  @Test func `kernel: a trial is in force, and what stood is there whole`() throws {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.install(old.table)
      let before = try live(&session)
      let outcome = try session.install(trialMilliseconds: Self.long, new.table)
      #expect(outcome.generation == 2)
      #expect(outcome.previous == 1)
      #expect(outcome.trial?.timeoutMilliseconds == Self.long)
      let status = try #require(try session.status(of: weir))
      #expect(status.generation == 2)
      #expect(status.standingGeneration == 1)
      #expect(status.leftovers == [])
      let left = try #require(status.trial).remainingMilliseconds
      #expect(left > Self.long - 60_000 && left <= Self.long)
      let isOld = { (name: String) in GenerationName.generation(of: name) == 1 }
      let now = try live(&session)
      #expect(now.part(where: isOld).isSame(as: before.part(where: isOld)))
      #expect(now.settled.drift(from: new.table)?.differences == [])
      #expect(now.withoutTrial.drift(from: old.table)?.differences == [])
    }
  }

  @Test func `kernel: when the time is up, what stood is in force again, exactly as it was`() throws
  {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.install(old.table)
      let before = try Kernel.nft("list", "ruleset")
      _ = try session.install(trialMilliseconds: Self.short, new.table)
      #expect(try live(&session).generationInForce == 2)
      try waitForEnd(&session)
      let status = try #require(try session.status(of: weir))
      #expect(status.generation == 1)
      #expect(status.trial == nil)
      #expect(status.leftovers == [2])
      // The next installation sweeps what was on trial, however lately it ended.
      #expect(try session.install(old.table).isUnchanged)
      expectSameText(try Kernel.nft("list", "ruleset"), before)
    }
  }

  @Test func `kernel: a first trial that is not confirmed leaves every packet to pass`() throws {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      let outcome = try session.install(trialMilliseconds: Self.short, new.table)
      #expect(outcome.previous == nil)
      let during = try #require(try session.status(of: weir))
      #expect(during.generation == 1)
      #expect(during.isOpen)
      try waitForEnd(&session)
      let after = try #require(try session.status(of: weir))
      #expect(after.generation == nil)
      #expect(after.isOpen)
      #expect(after.leftovers == [1])
      _ = try session.install(old.table)
      let stands = try #require(try session.status(of: weir))
      #expect(stands.standingGeneration == 1)
      #expect(stands.policyComment == "policy sample private")
      #expect(!stands.isOpen)
      #expect(stands.leftovers == [])
    }
  }

  @Test func `kernel: a confirmed trial stays, and what stood before it is gone`() throws {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.install(old.table)
      _ = try session.install(trialMilliseconds: Self.long, new.table)
      let outcome = try session.confirmTrial(of: weir)
      #expect(outcome == InstallOutcome(generation: 2, previous: 1, isUnchanged: false))
      let now = try live(&session)
      #expect(now.generations == [2])
      #expect(now.drift(from: new.table) == TableDrift(generation: 2, trial: nil, differences: []))
      #expect(try session.install(new.table).isUnchanged)
    }
  }

  @Test func `kernel: a confirmed first trial is a first installation`() throws {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.install(new.table)
      let clean = try Kernel.nft("list", "ruleset")
      _ = try session.remove(weir)
      _ = try session.install(trialMilliseconds: Self.long, new.table)
      _ = try session.confirmTrial(of: weir)
      expectSameText(try Kernel.nft("list", "ruleset"), clean)
    }
  }

  @Test func `kernel: to confirm too late is an error that says what is in force`() throws {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      let nothing = InstallError.noTrial(weir, standing: .nothing, left: [])
      #expect(throws: nothing) { try session.confirmTrial(of: weir) }
      _ = try session.install(old.table)
      _ = try session.install(trialMilliseconds: Self.short, new.table)
      try waitForEnd(&session)
      let before = try Kernel.nft("list", "ruleset")
      let late = InstallError.noTrial(weir, standing: .previous(generation: 1), left: [2])
      #expect(throws: late) { try session.confirmTrial(of: weir) }
      expectSameText(try Kernel.nft("list", "ruleset"), before)
    }
  }

  @Test func `kernel: a trial that ends between reading and confirming is not half confirmed`()
    throws
  {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.install(old.table)
      _ = try session.install(trialMilliseconds: Self.short, new.table)
      var slow = NetfilterSession(
        InterferingTransport(try NetlinkSocket.open()) { _ in usleep(UInt32(Self.short) * 1100) })
      let late = InstallError.noTrial(weir, standing: .previous(generation: 1), left: [2])
      #expect(throws: late) { try slow.confirmTrial(of: weir) }
      #expect(try live(&session).standingGeneration == 1)
    }
  }

  @Test func `kernel: a second trial takes the place of the first, over what stood`() throws {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.install(old.table)
      _ = try session.install(trialMilliseconds: Self.long, new.table)
      let third = SamplePolicy(ports: [22])
      let outcome = try session.install(trialMilliseconds: Self.short, third.table)
      #expect(outcome.generation == 3)
      #expect(outcome.previous == 1)
      #expect(try live(&session).generations == [1, 3])
      try waitForEnd(&session)
      #expect(try live(&session).generationInForce == 1)
    }
  }

  @Test func `kernel: the same policy on trial again has its time anew`() throws {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.install(old.table)
      _ = try session.install(trialMilliseconds: Self.long / 10, new.table)
      let outcome = try session.install(trialMilliseconds: Self.long, new.table)
      #expect(outcome.generation == 2)
      let trial = try #require(try live(&session).runningTrial)
      #expect(trial.timeoutMilliseconds == Self.long)
      #expect(trial.remainingMilliseconds > Self.long / 2)
      #expect(try live(&session).generations == [1, 2])
    }
  }

  @Test func `kernel: to install what is on trial for good confirms it`() throws {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.install(old.table)
      _ = try session.install(trialMilliseconds: Self.long, new.table)
      let outcome = try session.install(new.table)
      #expect(outcome == InstallOutcome(generation: 2, previous: 1, isUnchanged: false))
      #expect(try live(&session).generations == [2])
    }
  }

  @Test(arguments: [nil, 600_000])
  func `kernel: to install what stands ends the trial at once`(milliseconds: UInt64?) throws {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.install(old.table)
      let before = try Kernel.nft("list", "ruleset")
      _ = try session.install(trialMilliseconds: Self.long, new.table)
      let outcome = try session.install(trialMilliseconds: milliseconds, old.table)
      #expect(outcome == InstallOutcome(generation: 1, previous: 1, isUnchanged: false))
      expectSameText(try Kernel.nft("list", "ruleset"), before)
      #expect(try session.install(trialMilliseconds: milliseconds, old.table).isUnchanged)
    }
  }

  @Test func `kernel: removing during a trial removes both generations`() throws {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.install(old.table)
      _ = try session.install(trialMilliseconds: Self.long, new.table)
      #expect(try session.remove(weir))
      #expect(try session.status(of: weir) == nil)
    }
  }

  @Test func `kernel: what a trial falls back to must be as it was, or the swap is undone`() throws
  {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.install(old.table)
      let error = InstallError.notProven(
        .swapped, differences: ["no"], standing: .previous(generation: 1))
      #expect(throws: error) {
        try session.install(
          trialMilliseconds: Self.long, proof: { stage, _ in stage == .swapped ? "no" : nil },
          new.table)
      }
      let now = try live(&session)
      #expect(now.runningTrial == nil)
      #expect(now.withoutTrial.drift(from: old.table)?.differences == [])
    }
  }

  @Test func `kernel: half a trial is no trial, and the next installation heals it`() throws {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.install(old.table)
      _ = try Kernel.nft(
        "add element inet weir generation/out { ipv4 timeout 1h : goto g1/out }")
      let now = try live(&session)
      #expect(now.runningTrial == nil)
      #expect(now.drift(from: old.table)?.differences.count == 1)
      #expect(throws: InstallError.self) { try session.confirmTrial(of: weir) }
      _ = try session.install(old.table)
      #expect(try live(&session).drift(from: old.table)?.differences == [])
    }
  }

  @Test func `kernel: maps of a shape that cannot expire are made anew by an installation`() throws
  {
    try Kernel.inNamespace {
      var session = try Kernel.session()
      _ = try session.install(old.table)
      _ = try Kernel.nft(
        "-f", "-",
        input: """
          flush chain inet weir output
          delete map inet weir generation/out
          add map inet weir generation/out { type nf_proto : verdict; elements = { * : goto g1/out }; }
          add rule inet weir output meta nfproto vmap @generation/out
          add rule inet weir output counter drop
          """)
      #expect(try live(&session).drift(from: old.table)?.differences.count == 1)
      let outcome = try session.install(trialMilliseconds: Self.long, new.table)
      #expect(outcome.trial != nil)
      #expect(try live(&session).withoutTrial.standingGeneration == 1)
    }
  }

  @Test(arguments: StoppingTransport.Moment.allCases)
  func `kernel: killed at any message, a trial is in force whole or not at all`(
    moment: StoppingTransport.Moment
  ) throws {
    var boundary = 0
    var seen = (old: 0, new: 0)
    var isFinished = false
    while !isFinished {
      boundary += 1
      isFinished = try Kernel.inNamespace {
        var session = try Kernel.session()
        _ = try session.install(old.table)
        var killed = NetfilterSession(
          StoppingTransport(try NetlinkSocket.open(), atBoundary: boundary, moment))
        let outcome = try? killed.install(trialMilliseconds: Self.long, new.table)
        let now = try live(&session)
        // Whatever happened, the kernel falls back to what stood.
        #expect(now.withoutTrial.drift(from: old.table)?.differences == [], "\(boundary)")
        if now.runningTrial == nil {
          seen.old += 1
        } else {
          seen.new += 1
          #expect(now.settled.drift(from: new.table)?.differences == [], "\(boundary)")
        }
        return outcome != nil
      }
      try #require(boundary < 500)
    }
    #expect(seen.old > 20)
    #expect(seen.new > 2)
  }

  @Test(arguments: StoppingTransport.Moment.allCases)
  func `kernel: killed at any message, a confirmation keeps the trial or leaves it running`(
    moment: StoppingTransport.Moment
  ) throws {
    var boundary = 0
    var seen = (running: 0, confirmed: 0)
    var isFinished = false
    while !isFinished {
      boundary += 1
      isFinished = try Kernel.inNamespace {
        var session = try Kernel.session()
        _ = try session.install(old.table)
        _ = try session.install(trialMilliseconds: Self.long, new.table)
        var killed = NetfilterSession(
          StoppingTransport(try NetlinkSocket.open(), atBoundary: boundary, moment))
        let outcome = try? killed.confirmTrial(of: weir)
        let now = try live(&session)
        #expect(now.settled.drift(from: new.table)?.differences == [], "\(boundary)")
        if now.runningTrial == nil {
          seen.confirmed += 1
        } else {
          seen.running += 1
          #expect(now.withoutTrial.drift(from: old.table)?.differences == [], "\(boundary)")
        }
        return outcome != nil && outcome?.cleaningError == nil
      }
      try #require(boundary < 500)
    }
    #expect(seen.running > 3)
    #expect(seen.confirmed > 3)
  }
}
