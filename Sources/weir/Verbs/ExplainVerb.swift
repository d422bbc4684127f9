import ArgumentParser
import Operations

struct ExplainVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Say what a policy decides about a flow, by which clause and which rule.",
    discussion: """
      A flow is [in|out] PROTOCOL [from END] [to] END; an END is address:port,
      [v6]:port, :port, or name:port.

      EXAMPLES
        weir explain app-engine-sockets udp 8.8.8.8:53
        weir explain app-engine-sockets "tcp [2001:db8::1]:443"
        weir explain app-engine-sockets in tcp from 192.0.2.1 to :22
        weir explain policy.yaml tcp smtp.gmail.com:587 --format json
      """)

  @OptionGroup var argument: PolicyArgument

  @Argument(help: "The flow, as one argument or several words.")
  var flow: [String]

  @Option(help: "text or json.")
  var format: ReportFormat = .text

  @OptionGroup var pins: PinOptions

  func run() {
    Console.finish {
      let explanation = try explain(
        flow.joined(separator: " "), under: try argument.load(), pins: try pins.parsed())
      switch format {
      case .text: Console.write(render(explanation))
      case .json: Console.write(try Console.json(explanation))
      }
      return .good
    }
  }

  private func render(_ item: Explanation) -> String {
    let style: Style = item.decision == "allow" ? .good : .bad
    var lines = [
      "\(item.flow): \(style(item.decision))",
      "  clause    \(item.clause)",
      "  written   \(item.at ?? "built in")",
    ]
    if let citation = item.citation { lines.append("  document  \(citation)") }
    if let note = item.note { lines.append("  name      \(note)") }
    for (index, rule) in item.rules.enumerated() {
      lines.append((index == 0 ? "  rules     " : "            ") + rule)
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
