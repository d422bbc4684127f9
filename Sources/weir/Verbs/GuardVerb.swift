import ArgumentParser
import Foundation
import Operations

struct GuardVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "guard",
    abstract: "Watch over a policy that is in force: changes of others, drift, names.",
    discussion: """
      Runs in the foreground until SIGTERM or SIGINT, with or without systemd
      (readiness and watchdog are told). The rules stand whatever becomes of it.

      Tells every change that anybody makes to the namespace's rules, with the
      program and its process id; compares weir's table with what weir would
      install; audits the host again and tells which claims are answered
      otherwise; renews names before their answers end. With --restore the
      policy is put in force again, at most five times a minute.

      A policy or list file that changes is read again: what it only shuts is put
      in force, what it would open is held until SIGHUP or weir apply confirms it.
      SIGHUP reads the policy again and installs it by the same checks as weir
      apply. With --feeds published lists are fetched when they are due. A policy
      with a `log:` has a line written for denied packets, with clause, user, cgroup
      and process as far as they can be told.

      EXAMPLES
        sudo weir guard policy.yaml
        sudo weir guard policy.yaml --restore --format json
        sudo weir guard policy.yaml --feeds feeds.yaml
        sudo weir guard policy.yaml --status 127.0.0.1:9753
      """)

  @OptionGroup var argument: PolicyArgument
  @OptionGroup var request: RequestOptions

  @Flag(help: "Put the policy in force again when somebody changed it.")
  var restore = false

  @OptionGroup var grace: GraceOption

  @Option(
    help: ArgumentHelp("Keep the lists of a feeds file fresh (weir feeds).", valueName: "file"))
  var feeds: String?

  @Option(
    help: ArgumentHelp(
      "Answer /metrics (Prometheus) and /status (JSON) over HTTP here: a path, or a port of 127.0.0.1 or [::1].",
      valueName: "place"))
  var status: String?

  @Option(help: "text or json, one line an event.")
  var format: ReportFormat = .text

  func run() {
    Console.finish {
      let argument = argument
      var watch = GuardRequest(apply: try request.parsed(argument)) { try argument.read() }
      watch.restores = restore
      watch.graceSeconds = try grace.parsed()
      watch.feeds = feeds
      watch.status = try status.map { try StatusPlace.parse($0) }
      try guardPolicy(watch) { $0.write(format) }
      return .good
    }
  }
}

/// For how long a service lets an address of a name stay.
struct GraceOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Let an address of a name stay for so long after its last answer ends.", valueName: "90s|10m")
  )
  var grace = "60s"

  /// Seconds.
  func parsed() throws -> UInt32 { UInt32(try shortTime(grace, "a grace")) }
}

extension GuardEvent {
  /// Writes one line.
  func write(_ format: ReportFormat) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let line = (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) }
    Console.write((format == .json ? line ?? text : text) + "\n")
  }

  /// One line for people.
  fileprivate var text: String {
    let author = by.map { ", by \($0)" } ?? ""
    return "\(event.rawValue)\(author): \(details.joined(separator: "; "))"
  }
}
