import NetworkTypes

/// Values in the spelling of the policy language, the inverse of the readers.
enum PolicyText {
  static func list(_ items: [String]) -> String { "[" + items.joined(separator: ", ") + "]" }

  /// A block, quoted where YAML would take a colon of it for its own.
  static func item(_ block: AddressBlock) -> String {
    let text = block.description
    let isClear =
      !text.hasPrefix(":") && !text.hasSuffix(":")
      && !zip(text.utf8, text.utf8.dropFirst()).contains { $0 == (0x3a, 0x20) }
    return isClear ? text : "\"\(text)\""
  }

  /// `off`, or the number in the largest unit that divides it: 600 → `10m`.
  static func duration(_ seconds: Int?) -> String {
    guard let seconds else { return "off" }
    for (unit, size) in [("d", 86400), ("h", 3600), ("m", 60)] where seconds % size == 0 {
      return "\(seconds / size)\(unit)"
    }
    return "\(seconds)s"
  }

  static func logRate(_ rate: LogRate?) -> String {
    rate.map { "\($0.count)/\($0.period.rawValue)" } ?? "off"
  }

  static func sourcePorts(_ ports: PortSet?) -> String {
    switch ports {
    case nil: "any"
    case PortSet.ephemeral: "ephemeral"
    case let ports?: list(ports.intervals.map(range))
    }
  }

  static func ports(_ matches: [PortMatch]) -> String {
    list(
      matches.flatMap { match -> [String] in
        let prefix = match.ipProtocol.map { "\($0)/" } ?? ""
        guard let ports = match.ports else { return [match.ipProtocol?.description ?? ""] }
        return ports.intervals.map { prefix + range($0) }
      })
  }

  private static func range(_ interval: Interval<UInt16>) -> String {
    interval.first == interval.last ? "\(interval.first)" : "\(interval.first)-\(interval.last)"
  }

  /// A double-quoted YAML scalar on one line.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  /// The lines of one entry, its place behind the first.
  static func lines(of entry: Entry) -> [(text: String, origin: String?)] {
    var lines: [(String, String?)] = [("  - clause: \(entry.clause)", "\(entry.location)")]
    if let destination = entry.destination {
      lines.append(("    to: \(list(destination.items))", nil))
    }
    if let ports = entry.ports { lines.append(("    port: \(self.ports(ports))", nil)) }
    if let citation = entry.citation { lines.append(("    cite: \(quoted(citation))", nil)) }
    return lines
  }
}
