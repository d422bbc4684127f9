import LinuxSystem
import NetfilterLink

/// What to keep bound.
public struct ScopeWatchRequest: Sendable {
  /// Reads the site, at the start and for SIGHUP.
  public var read: @Sendable () throws -> ScopeRequest
  /// Whether the table is made again when somebody changed it.
  public var restores = false

  /// Watches a site.
  public init(read: @escaping @Sendable () throws -> ScopeRequest) { self.read = read }
}

/// Keeps the scopes of a site bound until SIGTERM or SIGINT; the rules stand whatever becomes of the
/// process.
///
/// One that comes is bound, a cgroup that was made anew is bound again, one that went is taken out: at
/// once for cgroups, every two seconds for the rest. Names are renewed before their answers end. What
/// anybody changes in the table is told.
///
/// - Parameters:
///   - request: the site, and whether to restore.
///   - log: is called with each event.
/// - Throws: ``OperationFailure`` when the site cannot be bound at the start.
public func watchScopes(
  _ request: ScopeWatchRequest, log: (GuardEvent) -> Void
) throws(OperationFailure) {
  var watch = try ScopeWatch(request)
  try watch.start(log)
  while watch.step(log) {}
}

private struct ScopeWatch {
  private let request: ScopeWatchRequest
  private var site: ScopeRequest
  private let signals: ServiceSignals
  private let monitor: RulesetMonitor
  private let manager = ServiceManager()
  /// Where each scope was when it was bound; nil for one that was nowhere.
  private var places: [FoundScope?] = []
  /// Tells when cgroups are made and removed.
  private let folders: FileWatch
  /// The addresses that names had lately, by policy.
  private var memory: [String: NameMemory]? = [:]
  private var renewal = NameRenewal()
  private var quotas = QuotaKeeper()
  /// What each name was answered last.
  private var addresses: [String: [String]] = [:]
  /// What was told of the scopes that could not be bound, so that it is told once.
  private var lastFailure: String?

  /// So often scopes are looked for.
  private static let lookMilliseconds = 2000

  init(_ request: ScopeWatchRequest) throws(OperationFailure) {
    self.request = request
    site = try ScopeWatch.read(request)
    do {
      signals = try ServiceSignals()
      folders = try FileWatch(seesNew: true)
    } catch {
      throw OperationFailure(error.exitStatus, "\(error)")
    }
    monitor = try site.target.withSession { _ in try RulesetMonitor() }
  }

  private static func read(
    _ request: ScopeWatchRequest
  ) throws(OperationFailure) -> ScopeRequest {
    do {
      var site = try request.read()
      site.leavesOutMissing = true
      return site
    } catch let failure as OperationFailure {
      throw failure
    } catch {
      throw OperationFailure(.internalError, "\(error)")
    }
  }

  private func event(
    _ kind: GuardEvent.Kind, by author: String? = nil, _ details: [String]
  ) -> GuardEvent {
    GuardEvent(time: ProcessFacts.secondsSince1970(), event: kind, by: author, details: details)
  }

  // MARK: Steps

  mutating func start(_ log: (GuardEvent) -> Void) throws(OperationFailure) {
    let now = try look()
    try bindAll()
    places = now
    log(event(.started, [summary] + missing))
    manager?.tell("READY=1\nSTATUS=\(summary)")
  }

  /// Waits for something to happen, and deals with it; false when it is time to end.
  mutating func step(_ log: (GuardEvent) -> Void) -> Bool {
    let ready = Waiting.untilReadable(
      [monitor.descriptor, signals.number, folders.number],
      milliseconds: ScopeWatch.lookMilliseconds)
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
    if ready.contains(monitor.descriptor) { hear(log) }
    _ = folders.hasChanged()
    follow(log)
    if let due = renewal.due, ProcessFacts.monotonicNanoseconds() >= due { renew(log) }
    if let (kind, text) = quotas.roll(site.target) { log(event(kind, [text])) }
    return true
  }

  /// Binds every scope of the site that is there.
  private mutating func bindAll() throws(OperationFailure) {
    // Before anything is looked for: what is made from then on is heard.
    let root = ControlGroup.root() ?? ""
    _ = folders.follow(
      site.scopes.compactMap { one in
        guard case .cgroup(let path) = one.scope else { return nil }
        return path.hasPrefix(root + "/") ? path : "\(root)/\(path)"
      })
    let names = try bind(site, remembering: &memory).names
    let isAnswered = names.allSatisfy { !$0.isEmpty && $0.unanswered.isEmpty }
    if isAnswered { renewal.plan(after: names) } else { renewal.retry() }
    addresses = Dictionary(names.map { ($0.name, $0.accepted) }, uniquingKeysWith: { $1 })
  }

  /// Asks for names again, and gives policies their new addresses.
  private mutating func renew(_ log: (GuardEvent) -> Void) {
    let before = addresses
    do throws(OperationFailure) {
      try bindAll()
      let changed = addresses.filter { $0.value != before[$0.key] }.keys.sorted()
      if !changed.isEmpty {
        log(event(.refreshed, changed.map { "\($0) has other addresses" }))
      }
    } catch {
      log(event(.failed, ["names: \(error.message)"]))
      renewal.retry()
    }
  }

  private var summary: String {
    "\(places.count { $0 != nil }) of \(site.scopes.count) scopes are bound"
  }

  private var missing: [String] {
    zip(places, site.scopes).filter { $0.0 == nil }.map { "\($0.1.scope.text) is not there" }
  }

  private func look() throws(OperationFailure) -> [FoundScope?] {
    try site.places().map { try? $0.get() }
  }

  /// Binds what came and what was made anew, and takes out what went.
  private mutating func follow(_ log: (GuardEvent) -> Void) {
    do throws(OperationFailure) {
      let now = try look()
      guard now != places else { return }
      var details: [String] = []
      for (index, scope) in site.scopes.map(\.scope).enumerated() where now[index] != places[index]
      {
        details.append(
          now[index] == nil
            ? "\(scope.text) is gone"
            : places[index] == nil
              ? "\(scope.text) is there" : "\(scope.text) was made anew")
      }
      try bindAll()
      places = now
      lastFailure = nil
      log(event(.bound, details + [summary]))
    } catch {
      guard lastFailure != error.message else { return }
      lastFailure = error.message
      log(event(.failed, [error.message]))
    }
  }

  /// Changes of others.
  private mutating func hear(_ log: (GuardEvent) -> Void) {
    var authors: Set<String> = []
    do throws(KernelError) {
      for change in try monitor.changes() where change.processID != ProcessFacts.processID {
        authors.insert(change.author)
      }
    } catch {
      authors.insert("somebody: too many changes at once to hear who")
    }
    guard !authors.isEmpty else { return }
    let author = authors.sorted().joined(separator: ", ")
    do throws(OperationFailure) {
      let report = try scopes(of: site.target)
      var differences = report.differences
      differences += try policyDifferences(from: site)
      if report.scopes.count != places.count(where: { $0 != nil }) {
        differences.append(
          "\(report.scopes.count) scopes are bound, not \(places.count { $0 != nil })")
      }
      guard !differences.isEmpty else { return }
      log(event(.drift, by: author, Array(differences.prefix(20))))
      guard request.restores else { return }
      let now = try look()
      try bindAll()
      places = now
      log(event(.restored, by: author, [summary]))
    } catch {
      log(event(.failed, by: author, [error.message]))
    }
  }

  /// Reads the site again; a bad one changes nothing.
  private mutating func reload(_ log: (GuardEvent) -> Void) {
    manager?.tell("RELOADING=1")
    defer { manager?.tell("READY=1") }
    let before = site
    do throws(OperationFailure) {
      site = try ScopeWatch.read(request)
      let now = try look()
      try bindAll()
      places = now
      log(event(.reloaded, [summary] + missing))
    } catch {
      site = before
      log(event(.failed, ["reload: \(error.message)"]))
    }
  }
}
