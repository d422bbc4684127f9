import Bytecode
import LinuxSystem
import NetfilterLink
import RuleCompiler

/// Seals links: packet sockets of the namespace send nothing by them any more.
///
/// A link that is sealed already stays so all the time, and gets what is asked for now.
///
/// - Parameters:
///   - links: their names.
///   - allowsDHCP: whether a DHCP client of user 0 may still ask.
///   - target: where.
/// - Returns: all sealed links, read back.
/// - Throws: ``OperationFailure`` (66) when a link is not there; nothing is changed then.
public func seal(
  _ links: [String], allowsDHCP: Bool, in target: InstallTarget
) throws(OperationFailure) -> SealReport {
  try target.changeSeals { live in try live.adding(links, allowsDHCP: allowsDHCP) }
}

/// What ``seal(_:allowsDHCP:in:)`` would have the kernel hold; nothing is changed.
///
/// - Parameters:
///   - links: their names.
///   - allowsDHCP: whether a DHCP client of user 0 may still ask.
///   - target: where.
/// - Returns: the table as nft(8) text.
/// - Throws: ``OperationFailure``, as ``seal(_:allowsDHCP:in:)``; also when nft(8) has no text for it.
public func sealText(
  _ links: [String], allowsDHCP: Bool, in target: InstallTarget
) throws(OperationFailure) -> String {
  let place = target.seal
  let wanted = try target.withSession { session in
    try session.liveSeals(place).links.adding(links, allowsDHCP: allowsDHCP)
  }
  do {
    return try Ruleset(tables: [sealTable(named: place.name, wanted)]).nftText()
  } catch {
    throw OperationFailure(.unsupported, "the table can be made, but not printed: \(error)")
  }
}

/// Takes seals away; what was counted is gone.
///
/// - Parameters:
///   - links: whose; nil for all.
///   - target: where.
/// - Returns: those that remain.
/// - Throws: ``OperationFailure`` (66) when one has none; nothing is changed then.
public func unseal(
  _ links: [String]?, in target: InstallTarget
) throws(OperationFailure) -> SealReport {
  try target.changeSeals { live in
    guard let links else { return [] }
    for link in links where !live.contains(where: { $0.name == link }) {
      throw OperationFailure(.notFound, "link '\(link)' is not sealed; nothing was changed")
    }
    return live.filter { !links.contains($0.name) }
  }
}

/// Lists the sealed links.
///
/// - Parameter target: where.
/// - Returns: the links; none is an answer too.
/// - Throws: ``OperationFailure`` when the table is somebody else's, or cannot be read.
public func seals(of target: InstallTarget) throws(OperationFailure) -> SealReport {
  let place = target.seal
  return try target.withSession { session in
    let (links, _, table) = try session.liveSeals(place)
    return try SealReport(place, links, table)
  }
}

extension InstallTarget {
  /// The table of the seals.
  var seal: TableIdentifier { TableIdentifier(family: .netdev, name: "\(table)-seal") }

  /// Changes which links are sealed, in one transaction that is valid for what was read only.
  ///
  /// Links that stay are not touched, and go on counting.
  fileprivate func changeSeals(
    _ body: ([SealedLink]) throws -> [SealedLink]
  ) throws(OperationFailure) -> SealReport {
    let place = seal
    return try withSession { session in
      for _ in 0..<16 {
        let (live, generation, table) = try session.liveSeals(place)
        let wanted = try body(live)
        let changes = wanted.changes(from: live, in: table, named: place.name)
        guard !changes.isEmpty else { return try SealReport(place, live, table) }
        do throws(KernelError) {
          try session.commit(changes, to: place.family, place.name, ifGeneration: generation)
        } catch {
          guard error.isWorthAnotherAttempt else { throw error }
          continue
        }
        let (found, _, after) = try session.liveSeals(place)
        guard found == wanted, (after == nil) == wanted.isEmpty,
          found.differences(of: after).isEmpty
        else {
          throw OperationFailure(
            .unknown, "table \(place) was read back otherwise than it was sent")
        }
        return try SealReport(place, found, after)
      }
      throw OperationFailure(
        .unknown, "the rules of this namespace keep changing; nothing was changed")
    }
  }
}

extension [SealedLink] {
  /// With more links, by name; each must be in the calling thread's namespace.
  fileprivate func adding(
    _ names: [String], allowsDHCP: Bool
  ) throws(OperationFailure) -> [SealedLink] {
    for name in names { _ = try Scope.interface(name).find() }
    let added = Set(names).map { SealedLink(name: $0, allowsDHCP: allowsDHCP) }
    return (filter { !names.contains($0.name) } + added).sorted { $0.name < $1.name }
  }

  /// How a table differs from what seals these links, as sentences; none for no table.
  fileprivate func differences(of table: Table?) -> [String] {
    guard let table else { return [] }
    return table.differences(from: sealTable(named: table.name, self)).map(\.description)
  }

  /// The changes that make a table seal these links.
  fileprivate func changes(
    from live: [SealedLink], in table: Table?, named name: String
  ) -> [Change] {
    let wanted = sealTable(named: name, self)
    let whole = isEmpty ? [] : [.addTable(wanted)] + Change.filling(wanted)
    guard table != nil else { return whole }
    // What somebody changed is made anew whole.
    guard !isEmpty, live.differences(of: table).isEmpty else { return [.deleteTable] + whole }
    let gone = live.filter { !contains($0) }
    let come = sealTable(named: name, filter { !live.contains($0) })
    let changes = gone.flatMap { link -> [Change] in
      [.flushChain(link.chain), .deleteChain(link.chain), .deleteCounter(link.counter)]
        + (link.allowsDHCP ? [.deleteCounter(link.dhcpCounter)] : [])
    }
    return changes + Change.filling(come)
  }
}

extension NetfilterSession where Transport: ~Copyable {
  /// The links that a table seals; none where it is not there.
  fileprivate mutating func liveSeals(
    _ place: TableIdentifier
  ) throws -> (links: [SealedLink], generation: UInt32, table: Table?) {
    let snapshot = try readSnapshot(of: place)
    guard let table = snapshot.ruleset.tables.first else { return ([], snapshot.generation, nil) }
    guard table.comment == CompiledPolicy.tableComment else {
      throw OperationFailure(.finding, "table \(place) is not weir's; nothing was changed")
    }
    return (SealedLink.links(in: table), snapshot.generation, table)
  }
}

extension SealReport {
  /// Must be made in the namespace of the links.
  fileprivate init(
    _ place: TableIdentifier, _ sealed: [SealedLink], _ live: Table?
  ) throws(LinuxError) {
    let here = try RouteSocket().links()
    let counters = Dictionary(
      (live?.counters ?? []).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    table = "\(place)"
    links = sealed.map { link in
      Row(
        link: link.name, isHere: here.contains { $0.name == link.name },
        allowsDHCP: link.allowsDHCP,
        droppedFrames: counters[link.counter]?.packets ?? 0,
        droppedBytes: counters[link.counter]?.bytes ?? 0,
        dhcpFrames: counters[link.dhcpCounter]?.packets ?? 0)
    }
    openLinks = here.filter { link in
      !link.isLoopback && !sealed.contains { $0.name == link.name }
    }.map(\.name)
    differences = sealed.differences(of: live)
  }
}
