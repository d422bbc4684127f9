import ArgumentParser
import Operations

struct ReapVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reap",
    abstract: "Destroy TCP sockets that have been idle for as long as the policy says.",
    discussion: """
      The rules in force make conntrack forget idle flows; this also takes the
      sockets from their programs, which read an aborted connection, and tells
      the other ends by a reset. Idle is a connection without data either way;
      keep-alive probes are no data. Your own connection stays. Of UDP sockets
      the kernel keeps no time: they are counted and left.

      Exit code 1 when something idle could not be destroyed.

      EXAMPLES
        sudo weir reap                       as the policy in force says
        sudo weir reap --idle 10m --dry-run
        sudo weir reap --netns jail --format json
      """)

  @OptionGroup var target: TargetOptions

  @Option(
    help: ArgumentHelp(
      "After how long without data, instead of what the policy says.", valueName: "90s|10m|2h"))
  var idle: String?

  @Flag(help: "Say what would be done, and change nothing.")
  var dryRun = false

  @Flag(help: "Destroy your own connections, too.")
  var force = false

  @Option(help: "text or json.")
  var format: ReportFormat = .text

  func run() {
    Console.finish {
      var request = ReapRequest()
      request.target = try target.parsed()
      request.idleSeconds = try idle.map { try shortTime($0, "--idle") }
      request.isDryRun = dryRun
      request.isForced = force
      let report = try reap(request)
      for text in report.unknowns { Console.complain("weir: \(text)") }
      switch format {
      case .text: Console.write(render(report))
      case .json: Console.write(try Console.json(report))
      }
      return report.status
    }
  }

  private func render(_ report: ReapReport) -> String {
    var lines = [
      "idle for \(report.idleSeconds) s or more: \(report.rows.count); in use: \(report.busyCount)"
    ]
    lines += report.rows.map {
      "  \($0.socket), \($0.silentSeconds) s, \($0.process): \($0.outcome.rawValue)"
    }
    if report.datagramCount > 0 {
      lines.append(
        "  \(report.datagramCount) connected UDP sockets, of which no time is known: left")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
