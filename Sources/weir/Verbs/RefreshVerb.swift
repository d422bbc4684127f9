import ArgumentParser
import Operations

struct RefreshVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "refresh",
    abstract: "Renew the addresses of an installed policy's names, in place.",
    discussion: """
      A name that no longer resolves keeps its addresses; the exit code is then 1.

      EXAMPLES
        sudo weir refresh app-engine-sockets --netns jail
        sudo weir refresh policy.yaml --resolver 192.0.2.53
      """)

  @OptionGroup var argument: PolicyArgument
  @OptionGroup var request: RequestOptions

  @Option(help: "text or json.")
  var format: ReportFormat = .text

  func run() {
    Console.finish {
      let report = try refresh(try request.parsed(argument))
      switch format {
      case .text: Console.write(render(report))
      case .json: Console.write(try Console.json(report))
      }
      return report.status
    }
  }

  private func render(_ report: RefreshReport) -> String {
    var lines = [
      report.changed.isEmpty
        ? "no address changed" : "changed: \(report.changed.joined(separator: ", "))"
    ]
    for name in report.names { lines += name.lines }
    lines += report.kept.map { "  \($0) keeps its old addresses" }
    return lines.joined(separator: "\n") + "\n"
  }
}
