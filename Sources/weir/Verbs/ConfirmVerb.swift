import ArgumentParser
import Operations

struct ConfirmVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "confirm",
    abstract: "Keep the policy that is on trial.",
    discussion: """
      After `weir apply --confirm 60s`, within that time. One transaction keeps the
      policy, or fails as a whole when the time is up. Exit code 1 when no trial
      runs, or none any more: then what was in force before the trial is in force.

      EXAMPLES
        sudo weir apply policy.yaml --confirm 60s
        sudo weir confirm
      """)

  @OptionGroup var target: TargetOptions

  @Option(help: "text or json.")
  var format: ReportFormat = .text

  func run() {
    Console.finish {
      let report = try confirm(try target.parsed())
      for warning in report.warnings { Console.complain("weir: warning: \(warning)") }
      switch format {
      case .text:
        let before = report.previousGeneration.map { ", in place of generation \($0)" } ?? ""
        Console.write(
          "table \(report.table): generation \(report.generation),"
            + " \(report.policy ?? "without a comment"), is confirmed\(before)\n")
      case .json: Console.write(try Console.json(report))
      }
      return .good
    }
  }
}

extension TrialReport {
  /// What happens when the time is up, for people.
  var outlook: String {
    let then =
      fallback.map { "generation \($0) is in force again" }
      ?? (opensAfterwards ? "every packet passes" : "every packet is dropped")
    return "on trial: unless confirmed within \(secondsLeft) s, \(then)"
  }
}
