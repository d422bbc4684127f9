import Foundation
import LinuxSystem
import PolicyLanguage

/// Has the list files of a feeds file made anew when they are due, by a process of its own.
struct FeedKeeper {
  private let path: String
  private var child: OwnChild?
  private var started: UInt64 = 0
  /// When the next run is due, on the monotonic clock.
  private(set) var due: UInt64 = 0
  /// How often in a row something was refused or failed.
  private var setbacks = 0
  /// What was told of each list, so that it is told once.
  private var told: [String: String] = [:]

  private static let second: UInt64 = 1_000_000_000
  /// A run that takes longer is ended.
  private static let longestSeconds: UInt64 = 1800

  init(_ path: String) throws(OperationFailure) {
    _ = try FeedRequest(path: path)
    self.path = path
  }

  /// The list files and when their editions were fetched.
  var files: [GuardStatus.Feed] {
    ((try? FeedRequest(path: path))?.feeds.lists ?? []).map { list in
      guard case .good(let file) = FeedListFile.read(list.path) else {
        return GuardStatus.Feed(path: list.path, fetched: nil)
      }
      return GuardStatus.Feed(path: list.path, fetched: file.edition.fetched)
    }
  }

  /// The descriptor of a run to wait on; nil where none runs.
  var number: Int32? { child?.number }

  /// What is due next: a run, or the end of one that takes too long.
  var deadline: UInt64 { child == nil ? due : started + Self.longestSeconds * Self.second }

  /// Starts a run that is due, and reads one that has ended.
  ///
  /// - Returns: an event where there is something to tell: its kind and sentences.
  mutating func step(at now: UInt64) -> (GuardEvent.Kind, [String])? {
    guard let child else {
      guard now >= due else { return nil }
      do throws(LinuxError) {
        self.child = try OwnChild(["feeds", "update", path, "--due", "--format", "json"])
        started = now
      } catch {
        plan(at: now, hadSetback: true)
        return (.failed, ["feeds: \(error)"])
      }
      return nil
    }
    if let (output, code) = child.ended() {
      self.child = nil
      return read(output, code, at: now)
    }
    if now >= started + Self.longestSeconds * Self.second {
      child.kill()
      self.child = nil
      plan(at: now, hadSetback: true)
      return (.failed, ["feeds: not done after \(Self.longestSeconds) seconds, ended"])
    }
    return nil
  }

  private mutating func read(
    _ output: [UInt8], _ code: Int32?, at now: UInt64
  ) -> (GuardEvent.Kind, [String])? {
    guard let report = try? JSONDecoder().decode(FeedReport.self, from: Data(output)) else {
      plan(at: now, hadSetback: true)
      return (.failed, ["feeds: ended with \(code.map { "code \($0)" } ?? "a signal")"])
    }
    plan(at: now, hadSetback: report.status != .good)
    var news: [String] = []
    var setbacks: [String] = []
    for list in report.lists {
      let before = told.updateValue("\(list.outcome) \(list.reason)", forKey: list.path)
      switch list.outcome {
      case .updated:
        news.append(
          "\(list.path): \(list.added.summary("added")), \(list.removed.summary("removed"))")
      case .refused, .failed, .missing, .due:
        if before != told[list.path] {
          setbacks.append("\(list.path): \(list.outcome.rawValue): \(list.reason)")
        }
      case .unchanged, .fresh: break
      }
    }
    if !setbacks.isEmpty { return (.failed, setbacks + news) }
    return news.isEmpty ? nil : (.fetched, news)
  }

  /// After a setback in a minute, then after twice as long each time, up to an hour; else when the
  /// first list is due.
  private mutating func plan(at now: UInt64, hadSetback: Bool) {
    setbacks = hadSetback ? setbacks + 1 : 0
    let seconds = hadSetback ? min(60 << min(setbacks - 1, 6), 3600) : secondsUntilDue
    due = now + UInt64(seconds) * Self.second
  }

  private var secondsUntilDue: Int {
    let now = ProcessFacts.secondsSince1970()
    guard let lists = try? FeedRequest(path: path).feeds.lists else { return 60 }
    let waits = lists.map { list -> Int in
      guard case .good(let file) = FeedListFile.read(list.path), !file.isDue(list, at: now) else {
        return 60
      }
      return file.edition.fetched + list.everySeconds - now
    }
    // At least every hour, for clocks that jump.
    return min(max(waits.min() ?? 3600, 1), 3600)
  }
}

extension [String] {
  fileprivate func summary(_ verb: String) -> String {
    let shown = prefix(3).joined(separator: ", ")
    return isEmpty ? "none \(verb)" : "\(count)\(count >= 100 ? " or more" : "") \(verb): \(shown)"
  }
}
