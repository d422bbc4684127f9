import ArgumentParser
import Operations

struct MeterVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "meter",
    abstract: "Count the bytes that leave and enter, each once.",
    discussion: """
      A table of its own behind all others, which decides nothing: what any rule
      drops is not counted, nor what stays on the loopback. It goes on counting
      whatever policy is applied or removed, until it is stopped or the machine
      is. Bytes are those from the IP header on; where the network card cuts
      large packets, their headers count once.

      Without an option it shows the counters; exit code 1 when no meter runs.

      EXAMPLES
        sudo weir meter --start
        sudo weir meter
        sudo weir meter --netns jail --format json
      """)

  @OptionGroup var target: TargetOptions

  @Flag(help: "Start counting; one that runs goes on.")
  var start = false

  @Flag(help: "Stop counting; the numbers are gone.")
  var stop = false

  @Option(help: "text or json.")
  var format: ReportFormat = .text

  func validate() throws {
    if start && stop { throw ValidationError("--start and --stop exclude each other") }
  }

  func run() {
    Console.finish {
      let place = try target.parsed()
      if stop {
        Console.write(try stopMeter(place) ? "the meter is stopped\n" : "no meter ran\n")
        return .good
      }
      let report = try start ? startMeter(place) : readMeter(place)
      switch format {
      case .text: Console.write(render(report))
      case .json: Console.write(try Console.json(report))
      }
      return report.status
    }
  }

  private func render(_ report: MeterReport) -> String {
    guard report.isRunning else {
      return "table \(report.table): \(report.differences.joined(separator: "; "))\n"
        + "weir meter --start begins to count\n"
    }
    let rows = report.rows.map { row in
      "  \(row.direction) \(row.family): \(row.packets) packets, \(row.bytes) bytes\n"
    }
    return "table \(report.table) counts\n" + rows.joined()
  }
}
