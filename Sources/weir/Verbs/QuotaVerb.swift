import ArgumentParser
import Foundation
import Operations

struct QuotaVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quota",
    abstract: "Say how many bytes a scope may send; deny what is beyond.",
    discussion: """
      Counts what sockets of a cgroup or user send, what is forwarded from a link,
      or with --host everything, without the loopback; when the quota is spent,
      packets are denied (TCP reset, ICMP prohibited) until its window is over.
      A table of its own behind those that judge: what these deny is not counted.

      Windows begin with the hour, day or week of UTC. `weir guard` begins quotas
      anew; without it, run `weir quota roll` from a timer.

      EXAMPLES
        sudo weir quota set 10GiB/day --cgroup tenants.slice/a
        sudo weir quota set none/day --user ci      count alone
        sudo weir quota set 1TB --host
        sudo weir quota list
        sudo weir quota list --format json > quotas.json
        sudo weir quota restore quotas.json         after a reboot
      """,
    subcommands: [Set.self, List.self, Roll.self, Remove.self, Restore.self])

  struct Set: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "set",
      abstract: "Give a scope a quota, or another one.",
      discussion: """
        What the scope has sent in this window stays counted.

        EXAMPLES
          sudo weir quota set 500MB/hour --interface tap0
        """)

    @Argument(help: "Bytes and window, like 10GiB/day; none to count alone.")
    var quota: String
    @OptionGroup var scope: QuotaScopeOptions
    @OptionGroup var target: TargetOptions
    @Option(help: "text or json.")
    var format: ReportFormat = .text

    func run() {
      Console.finish {
        let all = scope.all
        guard all.count == 1 else {
          throw OperationFailure(.usage, "give one of --cgroup, --user, --interface and --host")
        }
        let report = try setQuota(all[0], QuotaLimit(quota), in: target.parsed())
        _ = try QuotaVerb.show(report, format)
        return .good
      }
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list",
      abstract: "List the quotas and what is left of them.",
      discussion: """
        Exit code 1 when one is spent, or when somebody changed the table.

        EXAMPLES
          sudo weir quota list --format json
        """)

    @OptionGroup var target: TargetOptions
    @Option(help: "text or json.")
    var format: ReportFormat = .text

    func run() {
      Console.finish { try QuotaVerb.show(try quotas(of: target.parsed()), format) }
    }
  }

  struct Roll: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "roll",
      abstract: "Begin quotas anew whose window is over.",
      discussion: """
        EXAMPLES
          sudo weir quota roll
        """)

    @OptionGroup var target: TargetOptions

    func run() {
      Console.finish {
        let (_, begun) = try rollQuotas(target.parsed())
        Console.write("\(begun) began anew\n")
        return .good
      }
    }
  }

  struct Remove: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "remove",
      abstract: "Take quotas away; what was counted is gone.",
      discussion: """
        EXAMPLES
          sudo weir quota remove --user ci
          sudo weir quota remove --all
        """)

    @OptionGroup var scope: QuotaScopeOptions
    @Flag(help: "Every quota.")
    var all = false
    @OptionGroup var target: TargetOptions
    @Option(help: "text or json.")
    var format: ReportFormat = .text

    func run() {
      Console.finish {
        let scopes = scope.all
        guard all != !scopes.isEmpty else {
          throw OperationFailure(
            .usage, "give --cgroup, --user, --interface or --host, or --all alone")
        }
        let report = try removeQuotas(all ? nil : scopes, in: target.parsed())
        _ = try QuotaVerb.show(report, format)
        return .good
      }
    }
  }

  struct Restore: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "restore",
      abstract: "Bring back quotas that were listed as JSON.",
      discussion: """
        What was sent counts where the window is still the same. Quotas that are
        there stay as they are. Exit code 1 when a scope is not there.

        EXAMPLES
          sudo weir quota restore quotas.json
        """)

    @Argument(help: "What `weir quota list --format json` wrote.")
    var file: String
    @OptionGroup var target: TargetOptions
    @Option(help: "text or json.")
    var format: ReportFormat = .text

    func run() {
      Console.finish {
        guard let data = FileManager.default.contents(atPath: file) else {
          throw OperationFailure(.notFound, "'\(file)' cannot be read")
        }
        guard let saved = try? JSONDecoder().decode(QuotaReport.self, from: data),
          saved.version == 1
        else {
          throw OperationFailure(.badData, "'\(file)' is no list of quotas")
        }
        let (report, missing) = try restoreQuotas(saved, in: target.parsed())
        for scope in missing { Console.complain("weir: there is no \(scope); it has no quota") }
        _ = try QuotaVerb.show(report, format)
        return missing.isEmpty ? .good : .finding
      }
    }
  }

  fileprivate static func show(
    _ report: QuotaReport, _ format: ReportFormat
  ) throws -> ExitStatus {
    switch format {
    case .text: Console.write(report.text)
    case .json: Console.write(try Console.json(report))
    }
    return report.status
  }
}

/// Whose quota.
struct QuotaScopeOptions: ParsableArguments {
  @OptionGroup var scopes: ScopeOptions
  @Flag(help: "Everything that leaves.")
  var host = false

  /// Nil for the host.
  var all: [Scope?] { scopes.all.map(Optional.some) + (host ? [nil] : []) }
}

extension QuotaReport {
  fileprivate var text: String {
    let count = quotas.count == 1 ? "1 quota" : "\(quotas.count) quotas"
    return "table \(table): \(count)\n"
      + quotas.map { row in
        let limit = row.limitBytes.map { " of \($0)" } ?? ""
        let window = row.window.map { ", each \($0)" } ?? ""
        let name = row.name.isEmpty ? row.kind : "\(row.kind) \(row.name)"
        return
          "  \(name): \(row.consumedBytes)\(limit) bytes\(window)\(row.isSpent ? ", SPENT" : "")\n"
      }.joined() + differences.map { "  changed by somebody: \($0)\n" }.joined()
  }
}
