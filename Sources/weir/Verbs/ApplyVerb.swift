import ArgumentParser
import Operations

struct ApplyVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply",
    abstract: "Install a policy in the kernel, without a moment in which packets see half of it.",
    discussion: """
      Preloads the new rules unreferenced, reads them back, compares, swaps them
      in by one small transaction, reads back again, and removes the old ones.
      Killed at any moment, the old or the new rules are whole. Applying the same
      policy twice changes nothing.

      Needs CAP_NET_ADMIN in the namespace. Tables of others are never touched.

      With --confirm the policy is on trial: unless `weir confirm` is run within
      that time, the kernel itself goes back to the rules before, whatever became
      of weir. Without rules before, every packet passes again.

      Before it acts it shows which packets will change verdict, counting in every
      table of the host, and afterwards whether it came so. Policies with long
      lists are left out of that; `weir diff` compares them.

      Flows that are open and that the policy denies are ended: their sockets are
      destroyed, and conntrack forgets them. --keep-existing and a trial leave
      them alone. If the connection that you work through would be cut, nothing
      is done without --force. The same holds for what the host uses now and
      cannot do without for long: the resolvers in its resolv.conf that packets
      reach, DHCP where a client runs, the time servers that it speaks with.
      --without names those that it is to do without.

      EXAMPLES
        sudo weir apply policy.yaml --dry-run
        sudo weir apply policy.yaml --confirm 60s
        sudo weir apply app-engine-sockets --netns jail
        sudo weir apply app-engine-sockets --without resolver
        sudo weir apply policy.yaml --netns 4242 --resolve a.example=192.0.2.25
      """)

  @OptionGroup var argument: PolicyArgument
  @OptionGroup var request: RequestOptions

  @Flag(help: "Say what would be done, and change nothing.")
  var dryRun = false

  @Option(
    help: ArgumentHelp(
      "Put it on trial: undone after this time unless confirmed.", valueName: "90s|10m|2h"))
  var confirm: String?

  @Flag(help: "Do not look for the packets whose verdict changes.")
  var noDiff = false

  @Flag(help: "Let open flows that the policy denies go on until they end.")
  var keepExisting = false

  @Flag(help: "Install although your own connection, or what the host needs, would be cut.")
  var force = false

  @Option(
    help: ArgumentHelp(
      "What the host does without when the policy denies it; may be repeated.",
      valueName: "resolver|dhcp|ntp"))
  var without: [String] = []

  @Option(
    help: ArgumentHelp(
      "Where the host's resolvers stand, instead of the namespace's resolv.conf.",
      valueName: "file"))
  var resolvConf: String?

  @Flag(help: "Install although a name has no usable address; its exception stays shut.")
  var allowUnresolved = false

  @Option(help: "text or json.")
  var format: ReportFormat = .text

  func run() {
    Console.finish {
      var request = try request.parsed(argument)
      request.allowsUnresolved = allowUnresolved
      request.isDryRun = dryRun
      request.keepsExisting = keepExisting
      request.isForced = force
      try request.doWithout(without)
      request.resolverFile = resolvConf
      request.trialSeconds = try confirm.map { try trialSeconds($0) }
      request.showsChanges = !noDiff
      let report = try apply(request) { changes in
        if format == .text { Console.write(changes.preview) }
      }
      for warning in report.warnings { Console.complain("weir: warning: \(warning)") }
      switch format {
      case .text: Console.write(render(report))
      case .json: Console.write(try Console.json(report))
      }
      return .good
    }
  }

  private func render(_ report: ApplyReport) -> String {
    let digest = report.digest.prefix(16)
    var lines: [String]
    switch report.outcome {
    case .installed, .onTrial:
      let before = report.previousGeneration.map { ", in place of generation \($0)" } ?? ""
      lines = [
        "table \(report.table): policy \(report.policy) \(digest) is in force as generation"
          + " \(report.generation ?? 0)\(before); read back equal"
      ]
    case .unchanged:
      lines = ["table \(report.table): policy \(report.policy) \(digest) was in force already"]
    case .wouldInstall:
      let now = report.generation.map { "generation \($0) is in force" } ?? "nothing is installed"
      lines = ["table \(report.table): would install \(report.policy) \(digest); \(now)"]
    case .wouldNotChange:
      lines = ["table \(report.table): policy \(report.policy) \(digest) is in force already"]
    }
    if let trial = report.trial {
      lines.append("  generation \(trial.generation) is \(trial.outlook)")
    }
    if let line = report.changes.outcome { lines.append(line) }
    lines += report.flows.lines
    lines += report.essentials.lines
    for name in report.names { lines += name.lines }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension FlowsReport {
  /// So many flows are named; JSON has all.
  private static let rowLimit = 20

  /// What became of open flows, for people; nothing where there is nothing to say.
  var lines: [String] {
    var lines: [String] = []
    if trackedCount > 0 {
      lines.append("  \(trackedCount) open connections are known to conntrack now, and go on")
    }
    lines += FlowsReport.lines(denied, treatment.headline)
    lines += FlowsReport.lines(remaining, "still open, although they were to be ended")
    lines += unknowns.map { "  not decided: \($0)" }
    return lines
  }

  private static func lines(_ rows: [Row], _ headline: String) -> [String] {
    if rows.isEmpty { return [] }
    var lines = ["  open flows that the policy denies, \(headline): \(rows.count)"]
    lines += rows.prefix(rowLimit).map { row in
      "    \(row.flow), clause \(row.clause), \(row.process)"
        + (row.isForwarded ? ", forwarded" : "") + (row.isOperators ? ", your own" : "")
    }
    if rows.count > rowLimit {
      lines.append("    and \(rows.count - rowLimit) more; --format json lists them")
    }
    return lines
  }
}

extension EssentialReport {
  /// What the host uses, for people.
  fileprivate var lines: [String] {
    rows.map { row in
      "  \(row.essential) \(row.flow): \(row.decision), clause \(row.clause)"
    }
  }
}

extension FlowsReport.Treatment {
  fileprivate var headline: String {
    switch self {
    case .ended: "ended"
    case .kept: "left to go on"
    case .wouldEnd: "which would be ended"
    case .wouldKeep: "which would go on"
    }
  }
}

extension NameReport {
  /// The name with its addresses and what was refused, for people.
  var lines: [String] {
    let until = timeToLiveSeconds.map { ", for \($0) s" } ?? ""
    var lines = [
      "  \(name): \(accepted.isEmpty ? "no address" : accepted.joined(separator: ", "))\(until)"
    ]
    lines += refused.map { "    refused \($0)" }
    lines += failures.map { "    \($0)" }
    return lines
  }
}

/// Where to install.
struct TargetOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A network namespace: a name from /run/netns, a process id, or a path.",
      valueName: "name|pid|path"))
  var netns: String?

  @Option(help: "The name of the nftables table.")
  var table = "weir"

  /// The target, its table name checked.
  func parsed() throws -> InstallTarget {
    var target = InstallTarget()
    target.table = try tableName(table)
    target.namespace = netns
    return target
  }
}

/// Where to install, and how names are resolved.
struct RequestOptions: ParsableArguments {
  @OptionGroup var target: TargetOptions
  @OptionGroup var pins: PinOptions

  @Option(
    help: ArgumentHelp(
      "Ask this DNS server instead of the system's; may be repeated.",
      valueName: "address[:port]"))
  var resolver: [String] = []

  /// The request for a policy.
  func parsed(_ argument: PolicyArgument) throws -> ApplyRequest {
    var request = ApplyRequest(policy: try argument.load())
    request.target = try target.parsed()
    request.pins = try pins.parsed()
    request.servers = resolver
    return request
  }
}
