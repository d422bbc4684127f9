import Bytecode
import LinuxSystem
import NameResolution
import NetworkTypes

/// The addresses that a policy's names had lately, for services that renew them.
///
/// Clients go on with an answer while it holds, and with a connection's address for longer. So an
/// address stays in the rules for the time that its last answer holds, and a grace.
struct NameMemory {
  private var live: [String: LiveAddresses] = [:]
  /// How long an address outlives its last answer.
  private let graceSeconds: UInt32

  /// Remembers nothing yet.
  init(graceSeconds: UInt32) { self.graceSeconds = graceSeconds }

  /// Adds what names were answered now to what they were answered before.
  ///
  /// A name that some family went unanswered for, or that has no usable address, keeps all that it has.
  ///
  /// - Parameters:
  ///   - answers: accepted addresses by name.
  ///   - reports: the names, with the seconds for which the answers hold.
  ///   - now: seconds on the monotonic clock.
  /// - Returns: every address that may still be used, by name.
  mutating func adding(
    _ answers: [String: [IPAddress]], _ reports: [NameReport],
    now: UInt64 = ProcessFacts.monotonicNanoseconds() / 1_000_000_000
  ) -> [String: [IPAddress]] {
    var usable = answers
    for report in reports {
      let isWhole = !report.isEmpty && report.unanswered.isEmpty
      let next = (live[report.name] ?? LiveAddresses()).renewed(
        with: answers[report.name] ?? [], timeToLive: report.timeToLiveSeconds ?? 0,
        grace: graceSeconds, now: now, keepsAll: !isWhole)
      live[report.name] = next
      usable[report.name] = next.addresses
    }
    return usable
  }

  /// Takes in addresses that the rules have from before the service began, for the grace.
  ///
  /// - Parameters:
  ///   - sets: those of the installed table.
  ///   - generation: the one in force.
  ///   - now: seconds on the monotonic clock.
  mutating func note(
    _ sets: [NamedSet], of generation: Int,
    now: UInt64 = ProcessFacts.monotonicNanoseconds() / 1_000_000_000
  ) {
    guard live.isEmpty else { return }
    for set in sets {
      let parts = set.name.split(separator: "/", maxSplits: 2)
      guard parts.count == 3, parts[0] == "g\(generation)",
        parts[1] == "name4" || parts[1] == "name6"
      else { continue }
      live[String(parts[2])] =
        (live[String(parts[2])] ?? LiveAddresses()).renewed(
          with: set.singleAddresses.sorted(), timeToLive: 0, grace: graceSeconds, now: now)
    }
  }
}

/// When a service asks for names again.
struct NameRenewal {
  /// The moment, in nanoseconds on the monotonic clock; nil for never.
  private(set) var due: UInt64?
  /// How often names went unanswered since they were last answered.
  private(set) var silences = 0

  /// Plans the next time.
  mutating func plan(afterSeconds seconds: Int?) {
    due = seconds.map { ProcessFacts.monotonicNanoseconds() + UInt64($0) * 1_000_000_000 }
  }

  /// Plans the next time at two thirds of what the answers hold for, five seconds to an hour; never
  /// where there are no names.
  mutating func plan(after names: [NameReport]) {
    let hold = names.compactMap(\.timeToLiveSeconds).min().map(Int.init)
    plan(
      afterSeconds: names.isEmpty ? nil : hold.map { min(max($0 * 2 / 3, 5), 3600) } ?? 3600)
    silences = 0
  }

  /// Plans to ask again after 5 s, then after twice as long each time, up to a minute.
  mutating func retry() {
    plan(afterSeconds: min(5 << min(silences, 8), 60))
    silences += 1
  }
}
