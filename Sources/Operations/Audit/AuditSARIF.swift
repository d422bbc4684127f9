/// An audit as SARIF 2.1.0, the form that code hosts read.
///
/// One rule a claim; one result a finding, at the policy line that it breaks where it has one; a
/// claim that is not decided is one result of level `warning`.
public struct AuditSARIF: Encodable, Sendable {
  struct Text: Encodable { let text: String }
  struct RuleEntry: Encodable {
    let id: String
    let shortDescription: Text
  }
  struct Driver: Encodable {
    let name = "weir"
    let version: String
    let rules: [RuleEntry]
    enum CodingKeys: String, CodingKey { case name, version, rules }
  }
  struct Tool: Encodable { let driver: Driver }
  struct Artifact: Encodable { let uri: String }
  struct Region: Encodable {
    let startLine: Int
    let startColumn: Int
  }
  struct Physical: Encodable {
    let artifactLocation: Artifact
    let region: Region
  }
  struct Logical: Encodable { let fullyQualifiedName: String }
  struct Location: Encodable {
    let physicalLocation: Physical?
    let logicalLocations: [Logical]?
  }
  struct Result: Encodable {
    let ruleId: String
    let level: String
    let message: Text
    let locations: [Location]
  }
  struct Run: Encodable {
    let tool: Tool
    let results: [Result]
  }

  let schema = "https://json.schemastore.org/sarif-2.1.0.json"
  let version = "2.1.0"
  let runs: [Run]

  enum CodingKeys: String, CodingKey {
    case schema = "$schema"
    case version, runs
  }

  /// The SARIF form of a report.
  ///
  /// - Parameters:
  ///   - report: the report.
  ///   - toolVersion: weir's own version.
  public init(_ report: AuditReport, toolVersion: String) {
    let rules = ClaimKind.allCases.map {
      RuleEntry(id: $0.rawValue, shortDescription: Text(text: $0.statement))
    }
    var results: [Result] = []
    for claim in report.claims {
      for finding in claim.findings {
        results.append(
          Result(
            ruleId: claim.claim.rawValue, level: claim.answer == .fails ? "error" : "warning",
            message: Text(text: finding.sentence), locations: finding.locations))
      }
      if claim.answer == .unknown, claim.findings.isEmpty {
        let why = claim.causes.joined(separator: "; ")
        results.append(
          Result(
            ruleId: claim.claim.rawValue, level: "warning",
            message: Text(text: "cannot decide whether \(claim.statement): \(why)"),
            locations: []))
      }
    }
    runs = [
      Run(tool: Tool(driver: Driver(version: toolVersion, rules: rules)), results: results)
    ]
  }
}

extension AuditFinding {
  /// The message with the packet, the deciding rule and the process.
  fileprivate var sentence: String {
    var parts = [message]
    if let packet { parts.append("packet: \(packet)") }
    if let last = path.last { parts.append("decided by: \(last.text)") }
    if let process { parts.append("process: \(process)") }
    return parts.joined(separator: "; ")
  }

  fileprivate var locations: [AuditSARIF.Location] {
    var found: [AuditSARIF.Location] = []
    if let at, let place = AuditSARIF.Physical(at) {
      found.append(.init(physicalLocation: place, logicalLocations: nil))
    }
    if let last = path.last {
      let name = "\(last.table)/\(last.chain)" + (last.handle.map { "/\($0)" } ?? "")
      found.append(
        .init(physicalLocation: nil, logicalLocations: [.init(fullyQualifiedName: name)]))
    }
    return found
  }
}

extension AuditSARIF.Physical {
  /// `file:line:column`; nil for built-in policies, which no repository has.
  fileprivate init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count >= 3, let line = Int(parts[parts.count - 2]),
      let column = parts.last.flatMap({ Int($0) }),
      line > 0, column > 0
    else { return nil }
    let file = parts.dropLast(2).joined(separator: ":")
    guard !file.hasPrefix("builtin:") else { return nil }
    self.init(
      artifactLocation: .init(uri: file), region: .init(startLine: line, startColumn: column))
  }
}
