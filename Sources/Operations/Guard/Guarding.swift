import Bytecode
public import LinuxSystem
import NetfilterLink
import PolicyLanguage
import RuleCompiler

/// What to guard.
public struct GuardRequest: Sendable {
  /// The policy, where it is in force, and how its names are resolved.
  public var apply: ApplyRequest
  /// Whether the policy is put in force again when somebody changed it.
  public var restores = false
  /// For how long an address of a name stays after its last answer.
  public var graceSeconds: UInt32 = 60
  /// The feeds file whose lists are kept fresh; nil for none.
  public var feeds: String?
  /// Where questions about the guard's state are answered; nil for nowhere.
  public var status: StatusServer.Place?
  /// Reads the policy anew, for SIGHUP and when a file of it changed.
  public var reload: @Sendable () throws -> LoadedPolicy

  /// Guards a policy.
  public init(
    apply: ApplyRequest, reload: @escaping @Sendable () throws -> LoadedPolicy
  ) {
    self.apply = apply
    self.reload = reload
  }
}

/// Watches over a policy until SIGTERM or SIGINT; the rules stand whatever becomes of the process.
///
/// Each change that anybody makes to the rules of the namespace is told with who made it; weir's table
/// is compared with what weir would install, and the claims of an audit with what they were. Names are
/// renewed before their answers end. Between events nothing runs.
///
/// - Parameters:
///   - request: what, and whether to restore.
///   - log: is called with each event.
/// - Throws: ``OperationFailure`` when the policy is not in force at the start and is not to be put in
///   force, or when the kernel's changes cannot be listened to.
public func guardPolicy(
  _ request: GuardRequest, log: (GuardEvent) -> Void
) throws(OperationFailure) {
  let tally = EventTally()
  let counted = { (event: GuardEvent) in
    tally.counts[event.event.rawValue, default: 0] += 1
    log(event)
  }
  var watch = try PolicyWatch(request, tally)
  try watch.start(counted)
  while try watch.step(counted) {}
}

/// How many events there were, by kind.
private final class EventTally {
  var counts: [String: Int] = [:]
}

/// The state of a guard between two events.
private struct PolicyWatch {
  private var request: GuardRequest
  private var compiled: CompiledPolicy
  private let signals: ServiceSignals
  private let monitor: RulesetMonitor
  private let manager = ServiceManager()
  /// The answers of the last audit, by claim.
  private var answers: [ClaimKind: ClaimAnswer] = [:]
  private var renewal = NameRenewal()
  /// The addresses that names had lately.
  private var memory: NameMemory?
  /// When an audit may run again.
  private var nextAudit: UInt64 = 0
  /// Whether a change came while no audit could run.
  private var owesAudit = false
  /// Tells when a file of the policy changed.
  private let files: FileWatch
  private var feeds: FeedKeeper?
  private var denials: DenialLogger?
  private var server: StatusServer?
  private let tally: EventTally
  private let started = ProcessFacts.secondsSince1970()
  private var hasDrifted = false
  private var quotas = QuotaKeeper()
  /// An edition that would open something, until it is confirmed.
  private var held: (policy: LoadedPolicy, compiled: CompiledPolicy)?
  /// When the policy was restored lately.
  private var restorations: [UInt64] = []

  /// Changes of one moment are looked at together.
  private static let quietMilliseconds = 50
  /// So often the guard waits for quiet.
  private static let mostWaits = 10
  /// At least so long between two audits.
  private static let auditNanoseconds: UInt64 = 2_000_000_000
  /// So many restorations within a minute, and the guard gives way.
  private static let mostRestorations = 5

  init(_ request: GuardRequest, _ tally: EventTally) throws(OperationFailure) {
    self.request = request
    self.tally = tally
    compiled = compile(request.apply.policy.policy, tableName: request.apply.target.table)
    memory = NameMemory(graceSeconds: request.graceSeconds)
    do {
      signals = try ServiceSignals()
      files = try FileWatch()
      server = try request.status.map { place throws(LinuxError) in try StatusServer(place) }
    } catch {
      throw OperationFailure(error.exitStatus, "\(error)")
    }
    monitor = try request.apply.target.withSession { _ in try RulesetMonitor() }
    if let path = request.feeds { feeds = try FeedKeeper(path) }
  }

  private var now: UInt64 { ProcessFacts.monotonicNanoseconds() }

  private func event(
    _ kind: GuardEvent.Kind, by author: String? = nil, _ details: [String]
  ) -> GuardEvent {
    GuardEvent(time: ProcessFacts.secondsSince1970(), event: kind, by: author, details: details)
  }

  // MARK: Start

  mutating func start(_ log: (GuardEvent) -> Void) throws(OperationFailure) {
    // Before anything is read: what changes from then on is heard.
    follow(request.apply.policy.files, log)
    _ = try? monitor.changes()
    let differences = try drift()
    if !differences.isEmpty {
      guard request.restores else {
        throw OperationFailure(
          .finding,
          "the policy is not in force: \(differences[0]); apply it first, or guard with --restore")
      }
      try restore(differences, by: nil, log)
    }
    audit(log, isFirst: true)
    renewal.plan(afterSeconds: compiled.names.isEmpty ? nil : 0)
    listenToDenials(log)
    let texts = answers.sorted { $0.key.rawValue < $1.key.rawValue }.map {
      "\($0.key.rawValue) \($0.value.rawValue)"
    }
    log(event(.started, [edition] + texts))
    manager?.tell("READY=1\nSTATUS=guards \(request.apply.policy.policy.name)")
  }

  // MARK: Steps

  /// Waits for something to happen, and deals with it; false when it is time to end.
  mutating func step(_ log: (GuardEvent) -> Void) throws(OperationFailure) -> Bool {
    let places = [
      monitor.descriptor, signals.number, files.number, feeds?.number, denials?.number,
    ]
    let ready = Waiting.untilReadable(
      places.compactMap(\.self) + (server?.numbers ?? []), milliseconds: patience)
    manager?.tell("WATCHDOG=1")
    for asked in signals.take() {
      switch asked {
      case .stop:
        manager?.tell("STOPPING=1")
        log(event(.stopped, ["the rules stay in force"]))
        return false
      case .reload: reload(log)
      }
    }
    if ready.contains(monitor.descriptor) { look(log) }
    let time = now
    if let (kind, details) = feeds?.step(at: time) { log(event(kind, details)) }
    if ready.contains(files.number) { reread(log) }
    tellDenials(log)
    if let (kind, text) = quotas.roll(request.apply.target) { log(event(kind, [text])) }
    answerQuestions()
    if owesAudit, now >= nextAudit { audit(log) }
    if let due = renewal.due, now >= due { renew(log) }
    return true
  }

  /// Milliseconds until something is due; nil for never.
  private var patience: Int? {
    var due: [UInt64] = []
    if let moment = renewal.due { due.append(moment) }
    due.append(quotas.due)
    if owesAudit { due.append(nextAudit) }
    if let feeds { due.append(feeds.deadline) }
    let wait = due.min().map { $0 > now ? Int(($0 - now) / 1_000_000) + 1 : 0 }
    return [wait, manager?.watchdogMilliseconds].compactMap(\.self).min()
  }

  /// Changes of others: weir's table first, the whole host when it may be.
  private mutating func look(_ log: (GuardEvent) -> Void) {
    var authors: Set<String> = []
    var isForeign = false
    func take() {
      do throws(KernelError) {
        for change in try monitor.changes() where change.processID != ProcessFacts.processID {
          isForeign = true
          authors.insert(change.author)
        }
      } catch {
        isForeign = true
        authors.insert("somebody: too many changes at once to hear who")
      }
    }
    take()
    // What comes in one go is looked at once, but nobody keeps the guard from looking.
    for _ in 0..<PolicyWatch.mostWaits {
      let more = Waiting.untilReadable(
        [monitor.descriptor], milliseconds: PolicyWatch.quietMilliseconds)
      if more.isEmpty { break }
      take()
    }
    guard isForeign else { return }
    defer { listenToDenials(log) }
    let author = authors.sorted().joined(separator: ", ")
    do throws(OperationFailure) {
      let differences = try drift()
      hasDrifted = !differences.isEmpty
      if !differences.isEmpty, let held, try drift(from: held.compiled).isEmpty {
        adopt(held.policy, held.compiled)
        log(event(.reloaded, by: author, [edition]))
      } else if differences.isEmpty {
        log(event(.changed, by: author, ["weir's table is as it was"]))
      } else {
        log(event(.drift, by: author, Array(differences.prefix(20))))
        if request.restores { try restore(differences, by: author, log) }
      }
    } catch {
      log(event(.failed, by: author, [error.message]))
    }
    owesAudit = true
  }

  /// How weir's table differs from what weir would install.
  private func drift(
    from other: CompiledPolicy? = nil
  ) throws(OperationFailure) -> [String] {
    let target = request.apply.target
    let compiled = other ?? compiled
    return try target.withSession { session in
      guard let live = try session.readTable(family: .inet, name: target.table) else {
        return ["table \(target.identifier) is not there"]
      }
      guard let drift = live.drift(from: { compiled.table(generation: $0) }) else {
        return ["table \(target.identifier) is not weir's"]
      }
      return (live.flags & 1 != 0 ? ["table \(target.identifier) is dormant"] : [])
        + drift.differences
    }
  }

  private mutating func restore(
    _ differences: [String], by author: String?, _ log: (GuardEvent) -> Void
  ) throws(OperationFailure) {
    restorations = restorations.filter { now - $0 < 60_000_000_000 }
    guard restorations.count < PolicyWatch.mostRestorations else {
      log(
        event(
          .failed, by: author,
          ["restored \(restorations.count) times within a minute: somebody fights, given way"]))
      return
    }
    restorations.append(now)
    var again = request.apply
    again.showsChanges = false
    again.isForced = true
    again.allowsUnresolved = true
    let report = try apply(again)
    hasDrifted = false
    log(
      event(
        .restored, by: author, ["generation \(report.generation ?? 0) is in force; read back equal"]
      ))
  }

  /// Answers every claim, and tells those that are answered otherwise.
  private mutating func audit(_ log: (GuardEvent) -> Void, isFirst: Bool = false) {
    owesAudit = false
    nextAudit = now + PolicyWatch.auditNanoseconds
    var question = AuditRequest(policy: request.apply.policy)
    question.target = request.apply.target
    question.pins = request.apply.pins
    do throws(OperationFailure) {
      let report = try Operations.audit(question)
      var details: [String] = []
      for claim in report.claims {
        let before = answers.updateValue(claim.answer, forKey: claim.claim)
        guard !isFirst, before != claim.answer else { continue }
        details.append(
          "\(claim.claim.rawValue): \(before?.rawValue ?? "not asked") before,"
            + " \(claim.answer.rawValue) now")
        details += claim.findings.prefix(3).map { "\($0.message) \($0.packet ?? "")" }
        details += claim.causes.prefix(3)
      }
      let asked = Set(report.claims.map(\.claim))
      for (claim, before) in answers where !asked.contains(claim) {
        answers[claim] = nil
        details.append("\(claim.rawValue): \(before.rawValue) before, not there to be asked now")
      }
      if !details.isEmpty { log(event(.claim, details)) }
    } catch {
      log(event(.failed, ["audit: \(error.message)"]))
    }
  }

  // MARK: Names and editions

  /// Renews names, and plans the next time at two thirds of what the answers hold for.
  private mutating func renew(_ log: (GuardEvent) -> Void) {
    do throws(OperationFailure) {
      let report = try refresh(request.apply, remembering: &memory)
      if report.kept.isEmpty { renewal.plan(after: report.names) } else { renewal.retry() }
      if !report.changed.isEmpty {
        log(event(.refreshed, report.changed.map { "\($0) has other addresses" }))
      }
      if !report.kept.isEmpty {
        log(event(.failed, report.kept.map { "\($0) keeps its old addresses: no usable answer" }))
      }
    } catch {
      log(event(.failed, ["names: \(error.message)"]))
      renewal.retry()
    }
  }

  /// Reads the policy again and puts it in force by the same proof as `apply`.
  private mutating func reload(_ log: (GuardEvent) -> Void) {
    manager?.tell("RELOADING=1")
    defer { manager?.tell("READY=1") }
    do {
      try putInForce(try request.reload(), log)
    } catch {
      let text = (error as? OperationFailure)?.message ?? "\(error)"
      log(event(.failed, ["reload: \(text)"]))
    }
  }

  /// Watches the files of an edition, and tells of those that cannot be watched.
  private func follow(_ paths: [String], _ log: (GuardEvent) -> Void) {
    let unwatched = files.follow(paths)
    guard !unwatched.isEmpty else { return }
    log(event(.failed, unwatched.map { "\($0) cannot be watched for changes" }))
  }

  /// Looks at files that changed: what they only shut is put in force, what they would open waits for
  /// SIGHUP, or for `weir apply`.
  private mutating func reread(_ log: (GuardEvent) -> Void) {
    // An editor writes in several steps, and a feed several lists.
    var isOurs = false
    for _ in 0..<PolicyWatch.mostWaits {
      guard files.hasChanged() else { break }
      isOurs = true
      _ = Waiting.untilReadable([files.number], milliseconds: PolicyWatch.quietMilliseconds * 4)
    }
    guard isOurs else { return }
    do {
      let next = try request.reload()
      follow(next.files, log)
      let compiled = compile(next.policy, tableName: request.apply.target.table)
      if compiled.digest == self.compiled.digest {
        if held != nil { log(event(.reloaded, [edition + ": unchanged"])) }
        held = nil
        return
      }
      if compiled.digest == held?.compiled.digest { return }
      let report = diff(
        from: request.apply.policy, to: next, request.apply.target, request.apply.pins)
      let opened = report.differences.filter { $0.passesIn == .b }.flatMap(\.regions).map {
        "\($0.region), for example \($0.packet)"
      }
      if opened.isEmpty, report.causes.isEmpty {
        try putInForce(next, log)
      } else {
        held = (next, compiled)
        let reasons = opened.prefix(5) + report.causes.prefix(3).map { "cannot decide: \($0)" }
        log(
          event(
            .held,
            ["the files would open what is shut; SIGHUP or weir apply confirms it"] + reasons))
      }
    } catch {
      let text = (error as? OperationFailure)?.message ?? "\(error)"
      log(event(.failed, ["files changed: \(text)"]))
    }
  }

  /// Puts an edition in force.
  private mutating func putInForce(
    _ policy: LoadedPolicy, _ log: (GuardEvent) -> Void
  ) throws(OperationFailure) {
    var next = request.apply
    next.policy = policy
    next.showsChanges = false
    let report = try apply(next)
    adopt(policy, compile(policy.policy, tableName: next.target.table))
    follow(policy.files, log)
    listenToDenials(log)
    log(event(.reloaded, [edition + ": \(report.outcome.rawValue)"]))
  }

  /// Guards an edition that is in force.
  private mutating func adopt(_ policy: LoadedPolicy, _ compiled: CompiledPolicy) {
    request.apply.policy = policy
    self.compiled = compiled
    held = nil
    hasDrifted = false
    memory = NameMemory(graceSeconds: request.graceSeconds)
    renewal.plan(afterSeconds: compiled.names.isEmpty ? nil : 0)
    owesAudit = true
  }

  // MARK: Denials and questions

  /// Listens when the policy asks for lines, and not when it does not.
  private mutating func listenToDenials(_ log: (GuardEvent) -> Void) {
    guard request.apply.policy.policy.denialLog.value != nil else {
      denials = nil
      return
    }
    guard denials == nil else { return }
    do throws(OperationFailure) {
      denials = try DenialLogger(request.apply.target)
    } catch {
      log(event(.failed, ["denied packets are not logged: \(error.message)"]))
    }
  }

  private mutating func tellDenials(_ log: (GuardEvent) -> Void) {
    let time = now
    for report in denials?.take(at: time) ?? [] {
      var line = event(.denied, [report.text])
      line.denial = report
      log(line)
    }
  }

  private func answerQuestions() {
    server?.serve(at: now) { path in
      switch path {
      case "/metrics": .init(type: "text/plain; version=0.0.4", text: status.metrics)
      case "/status": .init(type: "application/json", text: status.json)
      default: nil
      }
    }
  }

  private var status: GuardStatus {
    let target = request.apply.target
    let counters = try? target.withSession { session in
      try session.readCounters(family: .inet, table: target.table)
    }
    let denied = counters?.compactMap { counter -> GuardStatus.Denials? in
      guard counter.name.hasPrefix("deny/") else { return nil }
      return GuardStatus.Denials(
        clause: String(counter.name.dropFirst(5)), packets: counter.packets, bytes: counter.bytes)
    }
    let meter = try? readMeter(target)
    return GuardStatus(
      policy: request.apply.policy.policy.name, digest: compiled.digest,
      table: "\(target.identifier)", started: started, isInForce: !hasDrifted,
      isHeld: held != nil,
      claims: Dictionary(
        uniqueKeysWithValues: answers.map { ($0.key.rawValue, $0.value.rawValue) }),
      namesUnanswered: renewal.silences, events: tally.counts,
      denials: denied?.sorted { $0.clause < $1.clause },
      meter: meter?.isRunning == true ? meter?.rows ?? [] : [], feeds: feeds?.files ?? [],
      lines: denials.map { .init(told: $0.told, withheld: $0.withheld, lost: $0.lost) })
  }

  /// `policy web 0123456789abcdef`.
  private var edition: String {
    "policy \(request.apply.policy.policy.name) \(compiled.digest.prefix(16))"
  }
}

extension RulesetChange {
  /// Who made it.
  var author: String {
    let name = processName ?? "somebody"
    return processID.map { "\(name) (pid \($0))" } ?? name
  }
}
