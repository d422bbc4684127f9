import ArgumentParser
import Operations

struct DiffVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Show which packets two policies, snapshots or hosts treat differently.",
    discussion: """
      Each side is a policy, a snapshot file, a file of nft text (nft:FILE, or a
      name that ends in .nft, loaded into a namespace made for it), or `live` for
      the running kernel.
      Decides for all packets at once: what differs is told by region, with one
      packet each and the rules on both sides that decide it; that nothing
      differs is a proof. Drop and reject are one and the same here. Nothing is
      changed or sent.

      EXAMPLES
        weir diff old.yaml new.yaml
        weir diff policy.yaml host.weir
        sudo weir diff policy.yaml live --netns jail
        weir diff old.nft nft:/etc/nftables.conf

      EXIT CODES
        0 no difference, proved   1 a difference   2 cannot decide
      """)

  @Argument(help: "A policy, a snapshot file, a file of nft text, or live.", completion: .file())
  var a: String

  @Argument(help: "The same, to compare with.", completion: .file())
  var b: String

  @OptionGroup var target: TargetOptions
  @OptionGroup var pins: PinOptions

  @Option(help: "text or json.")
  var format: ReportFormat = .text

  func validate() throws {
    guard target.netns == nil || a == "live" || b == "live" else {
      throw ValidationError("--netns is where `live` is read; no side is live")
    }
  }

  func run() {
    Console.finish {
      var request = DiffRequest(a, b)
      request.target = try target.parsed()
      request.pins = try pins.parsed()
      let progress = ProgressLine()
      let report = try diff(request) { progress.show($0) }
      progress.clear()
      for warning in report.warnings { Console.complain(warning) }
      switch format {
      case .text: Console.write(DiffText.render(report))
      case .json: Console.write(try Console.json(report))
      }
      return report.status
    }
  }
}

/// A comparison for people.
enum DiffText {
  static func render(_ report: DiffReport) -> String {
    var lines = [
      "A  \(report.a.kind) \(report.a.name)", "B  \(report.b.kind) \(report.b.name)",
      "compared: \(report.ways.joined(separator: ", "))", "",
    ]
    for difference in report.differences {
      let other = difference.passesIn == .a ? "B" : "A"
      lines.append(
        "\(difference.way), \(difference.family): passes in \(difference.passesIn.rawValue), "
          + "not in \(other)")
      for region in difference.regions {
        lines.append("  " + Style.bold(region.region))
        lines.append("    packet   \(region.packet)")
        if !region.facts.isEmpty {
          lines.append("    with     \(region.facts.joined(separator: ", "))")
        }
        lines += region.rulesInA.map { "    A        \(AuditText.clean($0.text))" }
        lines += region.rulesInB.map { "    B        \(AuditText.clean($0.text))" }
      }
      if difference.moreRegions > 0 {
        lines.append("  and up to \(Int(min(difference.moreRegions, 1e15))) more regions")
      }
      lines.append("")
    }
    lines += report.causes.map { Style.warning("cannot decide") + " \(AuditText.clean($0))" }
    lines += report.assumptions.map { "assumes \(AuditText.clean($0))" }
    lines.append(verdict(report))
    return lines.joined(separator: "\n") + "\n"
  }

  private static func verdict(_ report: DiffReport) -> String {
    switch report.status {
    case .good: Style.good("No difference: every packet that passes by one side passes by both.")
    case .finding: Style.bad("They differ.")
    default: Style.warning("Not decided: see the causes above.")
    }
  }
}
