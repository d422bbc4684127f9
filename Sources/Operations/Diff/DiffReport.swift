/// Which side of a difference lets packets pass.
public enum DiffSideName: String, Encodable, Sendable, CaseIterable {
  /// The first side.
  case a = "A"
  /// The second side.
  case b = "B"
}

/// A region of packets that pass on one side and are held back on the other, with one of them.
public struct DifferingRegion: Encodable, Sendable {
  /// The region in one line, as `ipv4, new, tcp, dport 8080`.
  public let region: String
  /// One packet of it as `weir explain` reads it.
  public let packet: String
  /// Its bytes from the IP header on, hexadecimal.
  public let bytes: String?
  /// What the packet is beyond its addresses: conntrack state, mark, interface and the like.
  public let facts: [String]
  /// The rules that it meets on side A; the last one decides.
  public let rulesInA: [PathStep]
  /// The rules that it meets on side B; the last one decides.
  public let rulesInB: [PathStep]
}

/// All packets of one way and family that one side lets pass and the other one does not.
public struct Difference: Encodable, Sendable {
  /// `egress`, `forwarding` or `ingress`.
  public let way: String
  /// `ipv4` or `ipv6`.
  public let family: String
  /// The side that lets them pass.
  public let passesIn: DiffSideName
  /// Some of them, region by region.
  public let regions: [DifferingRegion]
  /// How many regions there may be beside these, at most.
  public let moreRegions: Double
}

/// What a side of a comparison is.
public struct DiffSource: Encodable, Sendable {
  /// `policy`, `snapshot` or `live`.
  public let kind: String
  /// The policy or file as it was named.
  public let name: String
}

/// Where two rulesets differ in what they let pass.
public struct DiffReport: Encodable, Sendable {
  /// Version of this form.
  public let version = 1
  /// Version of the model that decided; see ``AuditReport/modelVersion``.
  public let model = AuditReport.modelVersion
  /// The first side.
  public let a: DiffSource
  /// The second side.
  public let b: DiffSource
  /// The ways that were compared.
  public var ways: [String]
  /// What differs for certain, seen by the analysis and by the interpreter.
  public var differences: [Difference] = []
  /// Why something is not decided; empty when everything is.
  public var causes: [String] = []
  /// What is taken for granted.
  public var assumptions: [String] = []
  /// What the policies' parser had to say, rendered for people; no part of the encoded form.
  public var warnings: [String] = []

  enum CodingKeys: String, CodingKey {
    case version, model, a, b, ways, differences, causes, assumptions
  }

  /// 0 when it is proved that nothing differs, 1 when something does, 2 when that is not decided.
  public var status: ExitStatus {
    !differences.isEmpty ? .finding : causes.isEmpty ? .good : .unknown
  }
}
