import Bytecode
import LinuxSystem
import NetfilterLink
import RuleCompiler

/// Gives a scope a quota, or another one; what it has sent in this window stays counted.
///
/// - Parameters:
///   - scope: whose; nil for everything that leaves the namespace.
///   - limit: how much.
///   - target: where.
/// - Returns: all quotas, read back.
/// - Throws: ``OperationFailure``: the scope does not exist, or the kernel refused.
public func setQuota(
  _ scope: Scope?, _ limit: QuotaLimit, in target: InstallTarget
) throws(OperationFailure) -> QuotaReport {
  try target.changeQuotas { live in
    let found = try scope?.find()
    let now = ProcessFacts.secondsSince1970()
    var next = LiveQuota(found, limit, at: now)
    if let old = live.first(where: { $0.isSame(as: next) }), old.windowNumber == next.windowNumber {
      next.binding.consumed = old.binding.consumed
    }
    return live.filter { !$0.isSame(as: next) } + [next]
  }
}

/// Takes quotas away.
///
/// - Parameters:
///   - scopes: whose, with nil for the namespace's own; nil for all.
///   - target: where.
/// - Returns: those that remain.
/// - Throws: ``OperationFailure`` (66) when one has none; nothing is changed then.
public func removeQuotas(
  _ scopes: [Scope?]?, in target: InstallTarget
) throws(OperationFailure) -> QuotaReport {
  try target.changeQuotas { live in
    guard let scopes else { return [] }
    let comments = scopes.map { scope in
      scope.map { (try? $0.find())?.scope.comment ?? $0.comment } ?? LiveQuota.host
    }
    for comment in comments where !live.contains(where: { $0.binding.comment == comment }) {
      throw OperationFailure(.notFound, "\(comment) has no quota; nothing was changed")
    }
    return live.filter { !comments.contains($0.binding.comment) }
  }
}

/// Begins quotas anew whose window is over.
///
/// A clock that went back by less than a window begins nothing anew.
///
/// - Parameter target: where.
/// - Returns: all quotas, and how many began anew.
/// - Throws: ``OperationFailure``.
public func rollQuotas(
  _ target: InstallTarget
) throws(OperationFailure) -> (report: QuotaReport, begun: Int) {
  var begun = 0
  let report = try target.changeQuotas { live in
    let now = ProcessFacts.secondsSince1970()
    begun = 0
    return live.map { quota in
      guard let next = quota.begunAnew(at: now) else { return quota }
      begun += 1
      return next
    }
  }
  return (report, begun)
}

/// Lists the quotas.
///
/// - Parameter target: where.
/// - Returns: the quotas; none is an answer too.
/// - Throws: ``OperationFailure`` when the table is somebody else's, or cannot be read.
public func quotas(of target: InstallTarget) throws(OperationFailure) -> QuotaReport {
  try target.withSession { session in
    let (quotas, _, table) = try session.liveQuotas(target.quotas)
    return QuotaReport(target.quotas, quotas, table)
  }
}

/// Brings back quotas from a report of another time, as after a reboot: those of scopes that are there.
///
/// What was sent counts where the window is still the same. Quotas that are there stay as they are.
///
/// - Parameters:
///   - saved: the report.
///   - target: where.
/// - Returns: all quotas, and the scopes that are not there.
/// - Throws: ``OperationFailure``.
public func restoreQuotas(
  _ saved: QuotaReport, in target: InstallTarget
) throws(OperationFailure) -> (report: QuotaReport, missing: [String]) {
  var missing: [String] = []
  let report = try target.changeQuotas { live in
    missing = []
    let now = ProcessFacts.secondsSince1970()
    var all = live
    for row in saved.quotas {
      let scope = Scope(kind: row.kind, name: row.name)
      var found: FoundScope?
      if row.kind != LiveQuota.host {
        guard let there = try? scope?.find() else {
          missing.append("\(row.kind) \(row.name)")
          continue
        }
        found = there
      }
      let limit = QuotaLimit(row)
      var quota = LiveQuota(found, limit, at: now)
      if row.windowStarted == quota.windowStarted { quota.binding.consumed = row.consumedBytes }
      if !all.contains(where: { $0.isSame(as: quota) }) { all.append(quota) }
    }
    return all
  }
  return (report, missing)
}

/// A quota as the kernel holds it.
struct LiveQuota: Hashable {
  var binding: QuotaBinding
  var window: QuotaLimit.Window?
  var windowNumber: Int?

  /// What the namespace's own quota is called.
  static let host = "host"

  init(_ found: FoundScope?, _ limit: QuotaLimit, at now: Int) {
    window = limit.window
    windowNumber = limit.window?.number(at: now)
    binding = QuotaBinding(
      dimension: found?.dimension, key: found?.key ?? [], object: "",
      bytes: limit.bytes ?? QuotaLimit.unlimited, consumed: 0,
      comment: found?.scope.comment ?? Self.host)
    binding.object = name
  }

  /// Reads an object and the element that leads to it.
  init?(_ object: NamedObject, dimension: ScopeDimension?, key: [UInt8]) {
    guard case .quota(let quota) = object.content else { return nil }
    let words = object.name.split(separator: "/")
    guard words.count >= 3, let last = words.last else { return nil }
    window = QuotaLimit.Window(rawValue: String(words[words.count - 2]))
    windowNumber = window == nil ? nil : Int(last)
    binding = QuotaBinding(
      dimension: dimension, key: key, object: object.name, bytes: quota.bytes,
      consumed: quota.consumed, comment: object.comment ?? "")
  }

  /// `cgroup/2/0000000000000c2a/day/20784`: another window is another object.
  private var name: String {
    let place = quotaMapName(binding.dimension).dropFirst("quota/".count)
    let key = binding.key.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    return
      "\(place)/\(key.isEmpty ? "all" : key)/\(window?.rawValue ?? "ever")/\(windowNumber ?? 0)"
  }

  var windowStarted: Int? {
    windowNumber.flatMap { number in window.map { number * $0.seconds } }
  }

  /// Whether it is for the same scope, under whichever key.
  func isSame(as other: LiveQuota) -> Bool {
    binding.comment == other.binding.comment
      || binding.dimension == other.binding.dimension && binding.key == other.binding.key
  }

  /// The same quota in the window of now; nil while its own lasts.
  func begunAnew(at now: Int) -> LiveQuota? {
    guard let window, let windowNumber else { return nil }
    let current = window.number(at: now)
    guard current > windowNumber || current < windowNumber - 1 else { return nil }
    var next = self
    next.windowNumber = current
    next.binding.consumed = 0
    next.binding.object = next.name
    return next
  }
}

extension QuotaLimit {
  fileprivate init(_ row: QuotaReport.Row) {
    bytes = row.limitBytes
    window = row.window.flatMap(Window.init(rawValue:))
  }
}

extension InstallTarget {
  /// The table of the quotas.
  var quotas: TableIdentifier { TableIdentifier(family: .inet, name: "\(table)-quotas") }

  /// Changes which quotas there are, in one transaction that is valid for what was read only.
  ///
  /// Quotas that stay are not touched, and go on counting.
  fileprivate func changeQuotas(
    _ body: ([LiveQuota]) throws -> [LiveQuota]
  ) throws(OperationFailure) -> QuotaReport {
    let place = quotas
    return try withSession { session in
      for _ in 0..<16 {
        let (live, generation, table) = try session.liveQuotas(place)
        let wanted = try body(live)
        // What somebody changed is made anew whole, with what was counted.
        let isChanged = !live.differences(of: table).isEmpty
        let changes =
          isChanged
          ? [.deleteTable] + wanted.changes(from: [], in: nil, named: place.name)
          : wanted.changes(from: live, in: table, named: place.name)
        guard !changes.isEmpty else { return QuotaReport(place, live, table) }
        do throws(KernelError) {
          try session.commit(changes, to: place.family, place.name, ifGeneration: generation)
        } catch {
          guard error.isWorthAnotherAttempt else { throw error }
          continue
        }
        let (found, _, after) = try session.liveQuotas(place)
        let expected = Set(wanted.map { $0.withoutCount })
        guard Set(found.map { $0.withoutCount }) == expected,
          (after == nil) == wanted.isEmpty, found.differences(of: after).isEmpty
        else {
          throw OperationFailure(
            .unknown, "table \(place) was read back otherwise than it was sent")
        }
        return QuotaReport(place, found, after)
      }
      throw OperationFailure(
        .unknown, "the rules of this namespace keep changing; nothing was changed")
    }
  }
}

extension LiveQuota {
  fileprivate var withoutCount: LiveQuota {
    var quota = self
    quota.binding.consumed = 0
    return quota
  }
}

extension [LiveQuota] {
  /// How a table differs from what holds these quotas, as sentences; none for no table.
  fileprivate func differences(of table: Table?) -> [String] {
    guard let table else { return [] }
    return table.differences(from: quotaTable(named: table.name, map(\.binding)))
      .map(\.description)
  }

  /// The changes that make a table's quotas these.
  fileprivate func changes(from live: [LiveQuota], in table: Table?, named name: String) -> [Change]
  {
    let wanted = quotaTable(named: name, map(\.binding))
    guard let table else { return isEmpty ? [] : [.addTable(wanted)] + Change.filling(wanted) }
    if isEmpty { return [.deleteTable] }
    // Only what is not counting already is sent anew.
    let kept = Set(live.map(\.withoutCount)).intersection(map(\.withoutCount))
    let gone = live.filter { !kept.contains($0.withoutCount) }
    let come = filter { !kept.contains($0.withoutCount) }
    func elements(_ quotas: [LiveQuota]) -> [NamedSet] {
      Set(quotas.map(\.binding.dimension)).map { dimension in
        var set =
          wanted.sets.first { $0.name == quotaMapName(dimension) }
          ?? table.sets.first { $0.name == quotaMapName(dimension) }
          ?? NamedSet(name: quotaMapName(dimension), key: [], content: .elements([]))
        set.content = .elements(
          quotas.filter { $0.binding.dimension == dimension }.flatMap(\.binding.elements))
        return set
      }
    }
    var changes = elements(gone).map(Change.deleteElements)
    changes += gone.map { .deleteObject($0.binding.namedObject) }
    let missing = wanted.chains.filter { chain in
      chain.hook != nil && !table.chains.contains { $0.name == chain.name }
    }
    let newSets = wanted.sets.filter { set in !table.sets.contains { $0.name == set.name } }
    changes += come.map { .addObject($0.binding.namedObject) }
    changes += newSets.map(Change.addSet)
    changes += elements(come).map(Change.addElements)
    changes += missing.map(Change.addChain) + Change.rules(of: missing, in: wanted)
    // Kinds of scope that have no quota any more.
    let chains = table.chains.map(\.name).filter { name in
      !wanted.chains.contains { $0.name == name }
    }
    changes += chains.map(Change.flushChain) + chains.map(Change.deleteChain)
    changes += table.sets.filter { set in !wanted.sets.contains { $0.name == set.name } }
      .map { .deleteSet($0.name) }
    return changes
  }
}

extension NetfilterSession where Transport: ~Copyable {
  /// The quotas that a table holds; none where it is not there.
  fileprivate mutating func liveQuotas(
    _ place: TableIdentifier
  ) throws -> (quotas: [LiveQuota], generation: UInt32, table: Table?) {
    let snapshot = try readSnapshot(of: place)
    guard let table = snapshot.ruleset.tables.first else { return ([], snapshot.generation, nil) }
    guard table.comment == CompiledPolicy.tableComment else {
      throw OperationFailure(.finding, "table \(place) is not weir's; nothing was changed")
    }
    var found: [LiveQuota] = []
    let objects = Dictionary(table.objects.map { ($0.name, $0) }) { first, _ in first }
    for set in table.sets {
      guard case .elements(let elements) = set.content else { continue }
      var dimension: ScopeDimension?
      if set.name != quotaMapName(nil) {
        let name = "scope/" + set.name.dropFirst("quota/".count) + "/out"
        dimension = ScopeDimension(outwardMap: name)
        guard dimension != nil else { continue }
      }
      for element in elements {
        guard let object = element.object.flatMap({ objects[$0] }),
          let quota = LiveQuota(
            object, dimension: dimension, key: dimension == nil ? [] : element.key)
        else { continue }
        if !found.contains(where: { $0.binding.object == quota.binding.object }) || dimension != nil
        {
          found.append(quota)
        }
      }
    }
    return (found, snapshot.generation, table)
  }
}

extension QuotaReport {
  init(_ place: TableIdentifier, _ quotas: [LiveQuota], _ live: Table?) {
    table = "\(place)"
    differences = quotas.differences(of: live)
    self.quotas = quotas.map { quota in
      let scope = Scope(comment: quota.binding.comment)
      let isLimited = quota.binding.bytes < QuotaLimit.unlimited
      return Row(
        kind: scope?.kind ?? LiveQuota.host, name: scope?.name ?? "",
        limitBytes: isLimited ? quota.binding.bytes : nil,
        consumedBytes: quota.binding.consumed, window: quota.window?.rawValue,
        windowStarted: quota.windowStarted,
        isSpent: isLimited && quota.binding.consumed >= quota.binding.bytes)
    }.sorted { ($0.kind, $0.name) < ($1.kind, $1.name) }
  }
}
