import FeedTransfer
import Foundation
import Hashing
import LinuxSystem
import NetworkTypes
import PolicyLanguage

/// Which list files to make anew.
public struct FeedRequest: Sendable {
  /// The lists.
  let feeds: FeedFile
  /// Whether lists that are not due are left alone.
  public var onlyDue = false
  /// Whether an edition is believed that is older, smaller or of another age than it should be, or
  /// that takes the place of a damaged file.
  public var accepts = false

  /// Reads a feeds file.
  ///
  /// - Throws: ``OperationFailure`` with every diagnostic: 66 when there is no such file, else 65.
  public init(path: String) throws(OperationFailure) {
    let (feeds, diagnostics) = FeedFileParser.parse(path: path, source: PolicyFiles())
    guard let feeds else {
      let isMissing = diagnostics.contains { $0.code == .fileMissing }
      throw OperationFailure(isMissing ? .notFound : .badData, diagnostics.render())
    }
    self.feeds = feeds
  }
}

/// Fetches published lists, and puts what is believed in their list files.
///
/// Each file is replaced whole or not at all, and stays the last good edition whatever was published
/// since. No right is needed but that to write the files.
///
/// - Parameters:
///   - request: which.
///   - progress: is called with one line of text before each download.
/// - Returns: what became of each list.
public func updateFeeds(_ request: FeedRequest, progress: (String) -> Void = { _ in }) -> FeedReport
{
  FeedReport(
    feeds: request.feeds.name,
    lists: request.feeds.lists.map { FeedUpdate($0, request).run(progress) })
}

/// Tells how old the list files of a feeds file are; fetches nothing.
///
/// - Returns: `fresh` or `due`, `missing` for one that is not usable.
public func listFeeds(_ request: FeedRequest) -> FeedReport {
  FeedReport(
    feeds: request.feeds.name,
    lists: request.feeds.lists.map { list in
      switch FeedListFile.read(list.path) {
      case .missing: FeedReport.List(path: list.path, .missing, "it was never fetched")
      case .unusable(let reason): FeedReport.List(path: list.path, .missing, reason)
      case .good(let file):
        if file.isDue(list, at: ProcessFacts.secondsSince1970()) {
          FeedReport.List(path: list.path, .due).telling(file)
        } else {
          FeedReport.List(path: list.path, .fresh).telling(file)
        }
      }
    })
}

/// One list file's way to its next edition.
private struct FeedUpdate {
  private let list: FeedList
  private let request: FeedRequest
  private let now = ProcessFacts.secondsSince1970()

  /// The widest ranges that are believed to be one publisher's.
  private static let shortest4 = 8
  private static let shortest6 = 16
  /// A publisher's clock may be so far ahead.
  private static let aheadSeconds = 86_400
  private static let shownRanges = 100

  init(_ list: FeedList, _ request: FeedRequest) {
    self.list = list
    self.request = request
  }

  private enum Setback: Error {
    case failed(String)
    case refused(String)
  }

  func run(_ progress: (String) -> Void) -> FeedReport.List {
    let state = FeedListFile.read(list.path)
    var last: FeedListFile?
    switch state {
    case .missing: break
    case .good(let file):
      last = file
      if request.onlyDue, !file.isDue(list, at: now) {
        return FeedReport.List(path: list.path, .fresh).telling(file)
      }
    case .unusable(let reason):
      guard request.accepts else {
        return FeedReport.List(
          path: list.path, .refused, "\(reason); --accept puts the published list in its place")
      }
    }
    do throws(Setback) {
      let next = try fetch(progress)
      try check(next, against: last)
      do throws(LinuxError) {
        try WholeFile.write([next.text()[...]], to: list.path, isPublic: true)
      } catch {
        throw .failed("\(error)")
      }
      let isSame = last?.addresses == next.addresses
      var report = FeedReport.List(path: list.path, isSame ? .unchanged : .updated).telling(next)
      let old = last?.addresses ?? AddressSet()
      report.added = shown(next.addresses.subtracting(old))
      report.removed = shown(old.subtracting(next.addresses))
      return report
    } catch {
      var report =
        switch error {
        case .failed(let reason): FeedReport.List(path: list.path, .failed, reason)
        case .refused(let reason): FeedReport.List(path: list.path, .refused, reason)
        }
      if let last { report = report.telling(last) }
      return report
    }
  }

  private func shown(_ addresses: AddressSet) -> [String] {
    addresses.blocks.prefix(Self.shownRanges).map { "\($0)" }
  }

  /// Downloads everything; the lists of `from` together, less those of `minus`.
  private func fetch(_ progress: (String) -> Void) throws(Setback) -> FeedListFile {
    var sources: [FeedEdition.Source] = []
    var addresses = AddressSet()
    for (address, isMinus) in list.from.map({ ($0, false) }) + list.minus.map({ ($0, true) }) {
      progress("fetching \(address) …")
      let bytes: [UInt8]
      do throws(FeedTransfer.Failure) {
        bytes = try FeedTransfer.fetch(
          address, authorities: list.authorities, limitBytes: list.maxBytes)
      } catch {
        switch error {
        case .insecure:
          throw .refused("\(address): only https:// is believed, and http:// to 127.0.0.1 or [::1]")
        case .tooLarge(let limit):
          throw .refused("\(address): longer than \(limit) bytes; `max-bytes` sets the limit")
        case .failed(let problem): throw .failed("\(address): \(problem)")
        }
      }
      let published: PublishedList
      do throws(PublishedList.Problem) {
        published = try PublishedList(bytes, list.format, only: isMinus ? [] : list.only)
      } catch {
        throw .refused("\(address): \(error.text)")
      }
      var hash = SHA256()
      hash.update(contentsOf: bytes.span)
      sources.append(
        FeedEdition.Source(
          address: address, sha256: hash.hexDigest(), dated: published.dated,
          serial: published.serial))
      addresses =
        isMinus
        ? addresses.subtracting(published.addresses) : addresses.union(published.addresses)
    }
    return FeedListFile(
      edition: FeedEdition(fetched: now, sources: sources), addresses: addresses)
  }

  /// Whether what came can be what the publisher meant.
  private func check(_ next: FeedListFile, against last: FeedListFile?) throws(Setback) {
    if next.addresses.isEmpty { throw .refused("nothing is left of it after `minus`") }
    for block in next.addresses.blocks {
      let isWide =
        switch block {
        case .v4(let interval):
          interval.last - interval.first > UInt32.max >> UInt32(Self.shortest4)
        case .v6(let interval):
          interval.last - interval.first > UInt128.max >> UInt128(Self.shortest6)
        }
      if isWide { throw .refused("\(block) is wider than one publisher's addresses are") }
    }
    if list.isPublic, let global = BuiltIn.groups["global"]?.addresses,
      let block = next.addresses.subtracting(global).blocks.first
    {
      throw .refused("\(block) is no public address; `space: any` takes it")
    }
    guard !request.accepts else { return }
    for source in next.edition.sources {
      if let dated = source.dated {
        if dated > now + Self.aheadSeconds {
          throw .refused("\(source.address): dated in the future; its clock or this one is wrong")
        }
        if let limit = list.maxAgeSeconds, dated < now - limit {
          throw .refused(
            "\(source.address): made \((now - dated) / 86_400) days ago; `max-age` sets the limit")
        }
      }
      guard let before = last?.edition.sources.first(where: { $0.address == source.address }) else {
        continue
      }
      if let dated = source.dated, let old = before.dated, dated < old {
        throw .refused("\(source.address): older than the edition that the file has")
      }
      if let serial = source.serial, let old = before.serial, serial < old {
        throw .refused("\(source.address): edition \(serial), and the file has \(old)")
      }
    }
    guard let last else { return }
    for (family, old, new) in [
      ("IPv4 addresses", last.addresses.count4, next.addresses.count4),
      ("IPv6 addresses", last.addresses.count6, next.addresses.count6),
    ] where new < old * Double(100 - list.maxShrinkPercent) / 100 {
      throw .refused(
        "it has \(Int((1 - new / old) * 100)) per cent fewer \(family) than the file;"
          + " `max-shrink` sets the limit, --accept believes it once")
    }
  }
}

extension FeedListFile {
  /// Whether it is time for the next edition; also when the clock went back behind the last one.
  func isDue(_ list: FeedList, at now: Int) -> Bool {
    let isOtherFeed = edition.sources.map(\.address) != list.from + list.minus
    return isOtherFeed || now < edition.fetched || now - edition.fetched >= list.everySeconds
  }
}

extension FeedReport.List {
  fileprivate func telling(_ file: FeedListFile) -> FeedReport.List {
    var report = self
    report.addresses4 = Int(file.addresses.count4)
    report.networks6 = Int(clamping: Int64(file.addresses.count6 / 0x1p64))
    report.fetched = file.edition.fetched
    return report
  }
}

extension AddressSet {
  fileprivate var count4: Double {
    v4.intervals.reduce(0) { $0 + Double($1.last - $1.first) + 1 }
  }

  fileprivate var count6: Double {
    v6.intervals.reduce(0) { $0 + Double($1.last - $1.first) + 1 }
  }
}
