import Foundation
import Operations

/// Colour on a terminal, plain text elsewhere.
enum Style: String {
  case good = "32"
  case bad = "31"
  case warning = "33"
  case bold = "1"

  private static let isTerminal =
    isatty(FileHandle.standardOutput.fileDescriptor) == 1
    && ProcessInfo.processInfo.environment["NO_COLOR"] == nil

  /// The text in this style, if standard output shows styles.
  func callAsFunction(_ text: String) -> String {
    Style.isTerminal ? "\u{1b}[\(rawValue)m\(text)\u{1b}[0m" : text
  }
}

/// A verification report for people.
enum VerifyText {
  static func render(_ report: VerifyReport) -> String {
    var lines = [Style.bold("policy \(report.policy)") + "  digest \(report.digest.prefix(16))"]
    if report.scope != .host { lines.append("as in force for \(report.scope.words)") }
    if let kernel = report.kernel { lines.append("kernel \(kernel)") }
    lines.append("")
    for rung in report.rungs { lines += describe(rung) }
    lines += ["", Style.bold("clauses")]
    let width = report.clauses.map(\.clause.count).max() ?? 0
    for row in report.clauses {
      let name = row.clause.padding(toLength: width, withPad: " ", startingAt: 0)
      let count = row.probes > 0 ? ", \(row.probes) probes" : ""
      lines.append("  \(name)  \(style(row.answer)(row.answer.rawValue))\(count)  (\(row.detail))")
    }
    lines += ["", verdict(report)]
    return lines.joined(separator: "\n") + "\n"
  }

  private static func describe(_ rung: RungReport) -> [String] {
    let name = rung.rung.rawValue.padding(toLength: 12, withPad: " ", startingAt: 0)
    if rung.outcome == .skipped {
      return ["  \(name) \(Style.warning("skipped")): \(rung.note ?? "")"]
    }
    let style = rung.outcome == .agrees ? Style.good : .bad
    var lines = [
      "  \(name) \(style(rung.outcome.rawValue)): \(rung.allowed) allowed, \(rung.denied) denied"
        + (rung.disagreementCount > 0 ? ", \(rung.disagreementCount) disagree" : "")
        + (rung.undecidedCount > 0 ? ", \(rung.undecidedCount) undecided" : "") + speed(rung)
        + (rung.note.map { "; \($0)" } ?? "")
    ]
    for item in rung.disagreements.prefix(20) {
      lines.append("    \(Style.bad("disagrees")) \(item.probe)  [\(item.origin)]")
      lines.append("      expected \(item.expected), seen: \(item.seen)")
      if let packet = item.packet { lines.append("      packet \(packet)") }
      lines += item.rules.map { "      \($0)" }
    }
    lines += rung.undecided.prefix(20).map { "    \(Style.warning("undecided")) \($0)" }
    return lines
  }

  private static func speed(_ rung: RungReport) -> String {
    guard rung.durationNanoseconds > 0 else { return "" }
    let milliseconds = rung.durationNanoseconds / 1_000_000
    return " in \(milliseconds) ms"
  }

  private static func style(_ answer: ClauseStatus.Answer) -> Style {
    switch answer {
    case .verified: .good
    case .fails: .bad
    case .unknown, .notAPacketRule, .notEnforced: .warning
    }
  }

  private static func verdict(_ report: VerifyReport) -> String {
    switch report.status {
    case .good: Style.good("All rungs agree.")
    case .finding: Style.bad("The rungs disagree: the rules do not enforce the policy.")
    default: Style.warning("Not decided: a rung did not run, or a probe proved nothing.")
    }
  }
}

extension VerifiedScope {
  fileprivate var words: String {
    switch self {
    case .host: "a network namespace"
    case .cgroup: "a cgroup"
    case .user: "a user"
    case .interface: "a link"
    }
  }
}

/// A verification report as JUnit XML: one suite a rung, one case a finding.
enum VerifyJUnit {
  static func render(_ report: VerifyReport) -> String {
    var lines = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>"]
    lines.append("<testsuites name=\"weir verify \(escape(report.policy))\">")
    for rung in report.rungs {
      let skipped = rung.outcome == .skipped ? 1 : 0
      lines.append(
        "  <testsuite name=\"\(rung.rung.rawValue)\" tests=\"\(max(rung.tried, skipped))\""
          + " failures=\"\(rung.disagreementCount)\""
          + " skipped=\"\(skipped + rung.undecidedCount)\">")
      if rung.outcome == .skipped {
        lines.append(
          "    <testcase name=\"\(rung.rung.rawValue)\"><skipped message=\""
            + "\(escape(rung.note ?? ""))\"/></testcase>")
      } else if rung.allowed + rung.denied > 0 {
        lines.append("    <testcase name=\"\(rung.allowed + rung.denied) probes agree\"/>")
      }
      for item in rung.disagreements {
        lines.append(
          "    <testcase name=\"\(escape(item.probe))\"><failure message=\"expected "
            + "\(escape(item.expected)), seen: \(escape(item.seen))\"/></testcase>")
      }
      for text in rung.undecided {
        lines.append(
          "    <testcase name=\"\(escape(text))\"><skipped message=\"undecided\"/></testcase>")
      }
      lines.append("  </testsuite>")
    }
    lines.append("</testsuites>")
    return lines.joined(separator: "\n") + "\n"
  }

  private static func escape(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
  }
}
