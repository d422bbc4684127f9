import Operations

/// An audit report for people.
enum AuditText {
  /// At most so many findings of one claim are shown; the JSON form has all that were kept.
  private static let shown = 20

  static func render(_ report: AuditReport) -> String {
    var lines = [
      Style.bold("policy \(report.policy)") + "  digest \(report.policyDigest.prefix(16))",
      "rules \(report.rulesetDigest.prefix(16)), generation \(report.generation), \(report.scope)",
      "kernel \(report.kernel), \(report.source)", "",
    ]
    if let scope = report.packetsOf { lines.insert("packets of \(scope)", at: 1) }
    for claim in report.claims { lines += describe(claim) }
    lines += ["", Style.bold("clauses")]
    let width = report.clauses.map(\.clause.count).max() ?? 0
    for row in report.clauses {
      lines.append(
        "  \(row.clause.padding(to: width))  \(style(row.answer)(row.answer))  (\(row.detail))")
    }
    lines += ["", Style.bold("ways around packet rules")]
    let wayWidth = report.waysAround.map(\.way.count).max() ?? 0
    for row in report.waysAround {
      let status = style(row.status)(row.status)
      let first = row.details.first.map { ": \(clean($0))" } ?? ""
      lines.append("  \(row.way.padding(to: wayWidth))  \(status)\(first)")
      lines += row.details.dropFirst().prefix(shown).map { "      \(clean($0))" }
      if row.details.count > shown + 1 {
        lines.append("      and \(row.details.count - shown - 1) more")
      }
      if row.status != "absent" {
        lines.append("      allows: \(row.allows)")
        lines.append("      advice: \(row.advice)")
      }
    }
    lines += ["", verdict(report)]
    return lines.joined(separator: "\n") + "\n"
  }

  private static func describe(_ claim: AuditClaim) -> [String] {
    let name = claim.claim.rawValue.padding(to: 20)
    var lines = [
      "  \(name) \(style(claim.answer.rawValue)(claim.answer.rawValue)): \(claim.statement)"
    ]
    for finding in claim.findings.prefix(shown) {
      lines.append("    \(Style.bad("finding")) \(clean(finding.message))")
      if let packet = finding.packet { lines.append("      packet   \(packet)") }
      if !finding.facts.isEmpty {
        lines.append("      with     \(finding.facts.joined(separator: ", "))")
      }
      if let bytes = finding.bytes { lines.append("      bytes    \(bytes)") }
      for step in finding.path { lines.append("      path     \(clean(step.text))") }
      if let clause = finding.clause {
        lines.append("      clause   \(clause)" + (finding.at.map { ", \($0)" } ?? ""))
      }
      if let process = finding.process { lines.append("      process  \(clean(process))") }
      if let confirmation = finding.confirmation {
        lines.append("      replay   \(describe(confirmation))")
      }
    }
    if claim.findings.count > shown {
      lines.append("    and \(claim.findings.count - shown) more")
    }
    lines += claim.causes.prefix(shown).map { "    \(Style.warning("cannot decide")) \(clean($0))" }
    if claim.causes.count > shown {
      lines.append("    and \(claim.causes.count - shown) more causes")
    }
    lines += claim.assumptions.map { "    assumes \(clean($0))" }
    return lines
  }

  private static func describe(_ confirmation: Confirmation) -> String {
    switch confirmation.agrees {
    case true?: Style.good("confirmed") + ": \(confirmation.seen)"
    case false?: Style.bad("model and kernel DISAGREE") + ": \(confirmation.seen)"
    case nil: Style.warning("not tried") + ": \(confirmation.seen)"
    }
  }

  private static func style(_ answer: String) -> Style {
    switch answer {
    case "holds", "proved", "absent": .good
    case "fails": .bad
    default: .warning
    }
  }

  private static func verdict(_ report: AuditReport) -> String {
    switch report.status {
    case .good: Style.good("Every claim holds.")
    case .finding: Style.bad("A claim fails: this host does not hold the policy.")
    default: Style.warning("Not decided: see the causes above.")
    }
  }

  /// Text from a kernel or a policy without what a terminal would act on.
  static func clean(_ text: String) -> String {
    String(
      text.unicodeScalars.map {
        $0.properties.generalCategory == .control ? "\u{fffd}" : Character($0)
      })
  }
}
