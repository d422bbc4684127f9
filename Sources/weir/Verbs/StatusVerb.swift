import ArgumentParser
import Operations

struct StatusVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show which policy is in force, and what each clause has denied.",
    discussion: """
      Exit code 0 when rules are in force, 1 when none are.

      EXAMPLES
        sudo weir status --netns jail        a trial that runs, with the time left
        sudo weir status --format json
      """)

  @OptionGroup var target: TargetOptions

  @Option(help: "text or json.")
  var format: ReportFormat = .text

  func run() {
    Console.finish {
      let report = try status(of: try target.parsed())
      switch format {
      case .text: Console.write(render(report))
      case .json: Console.write(try Console.json(report))
      }
      return report.status
    }
  }

  private func render(_ report: StatusReport) -> String {
    guard report.isInstalled else { return "table \(report.table) is not installed\n" }
    let generation = report.generation.map { "generation \($0)" } ?? "no generation"
    var lines = [
      "table \(report.table): "
        + (report.isInForce
          ? "\(generation) in force, \(report.policy ?? "without a comment")"
          : Style.bad("not in force"))
    ]
    if let trial = report.trial { lines.append("  \(Style.warning(trial.outlook))") }
    if report.isOpen {
      lines.append(
        "  \(Style.bad("every packet passes")): a first trial has ended unconfirmed")
    }
    if !report.leftovers.isEmpty {
      let list = report.leftovers.map(String.init).joined(separator: ", ")
      lines.append(
        "  left over from a killed apply or an ended trial, unreachable: generation \(list)")
    }
    let width = report.denials.map(\.clause.count).max() ?? 0
    for row in report.denials {
      let name = row.clause.padding(to: width)
      lines.append("  \(name)  \(row.packets) packets, \(row.bytes) bytes denied")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension String {
  /// The text with blanks behind it up to a width.
  func padding(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
