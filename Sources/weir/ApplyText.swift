import Operations

extension ChangesReport {
  /// So many regions of a way, family and side are shown.
  private static let mostRegions = 2
  /// So many causes are shown, and so many characters of a line.
  private static let mostCauses = 2
  private static let mostCharacters = 150

  /// What will change, for people, before anything is done; nothing where it was not asked for.
  var preview: String {
    guard let expected else { return "" }
    var lines: [String] = []
    for difference in expected.differences {
      let gain = difference.passesIn == .b ? "will pass" : "will no longer pass"
      lines.append("\(difference.way), \(difference.family): \(Style.bold(gain))")
      for region in difference.regions.prefix(ChangesReport.mostRegions) {
        lines.append("  " + ChangesReport.clipped(region.region))
        lines.append("    such as  \(region.packet)")
        let now = difference.passesIn == .b ? region.rulesInA.last : region.rulesInB.last
        if let now {
          let word = difference.passesIn == .b ? "held by" : "stopped by"
          lines.append(ChangesReport.clipped("    \(word)  \(AuditText.clean(now.text))"))
        }
      }
      let more =
        difference.moreRegions
        + Double(max(0, difference.regions.count - ChangesReport.mostRegions))
      if more > 0 { lines.append("  and up to \(Int(min(more, 1e15))) more regions") }
    }
    let causes = expected.causes
    lines += causes.prefix(ChangesReport.mostCauses).map {
      ChangesReport.clipped("\(Style.warning("cannot decide")) \(AuditText.clean($0))")
    }
    if causes.count > ChangesReport.mostCauses {
      lines.append(
        "and \(causes.count - ChangesReport.mostCauses) more that cannot be decided;"
          + " --format json lists them")
    }
    if lines.isEmpty { lines.append("no packet will change verdict") }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func clipped(_ line: String) -> String {
    line.count <= mostCharacters ? line : line.prefix(mostCharacters) + " …"
  }

  /// Whether it came so, in one line; nil where nothing was to be compared.
  var outcome: String? {
    if let omission {
      return omission == "not asked for" ? nil : "  changed verdicts are not compared: \(omission)"
    }
    switch isAsExpected {
    case true?: return "  read back, the rules change the verdict of exactly these packets"
    case false?:
      return "  read back, the rules change other verdicts than were announced: somebody else"
        + " changed rules meanwhile; weir audit tells what holds now"
    case nil: return nil
    }
  }
}
