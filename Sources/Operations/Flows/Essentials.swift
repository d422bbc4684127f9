import HostAudit
import HostFacts
import LinuxSystem
import NetworkTypes
import PolicyLanguage
import PolicyMeaning

/// What the host uses now and cannot do without for long, and what the policy says of it.
public struct EssentialReport: Encodable, Sendable {
  /// One use.
  public struct Row: Encodable, Sendable {
    /// `resolver`, `dhcp` or `ntp`.
    public let essential: String
    /// The flow, as `weir explain` takes it.
    public let flow: String
    /// `allow` or `deny`.
    public let decision: String
    /// The clause that decides.
    public let clause: String
    /// Where it stands, `file:line:column`; nil for one that no line writes.
    public let at: String?

    enum CodingKeys: String, CodingKey {
      case essential, flow, decision, clause, at
    }
  }

  /// Every use that was found.
  public let rows: [Row]
  /// Why some may be missing.
  public let unknowns: [String]
  /// The essentials that may be cut.
  private let without: Set<String>
  /// Whether the resolvers are those of the machine, seen from another network namespace.
  private let isInherited: Bool

  enum CodingKeys: String, CodingKey { case rows, unknowns }

  /// Judges the host's own needs; changes nothing.
  init(
    _ host: HostState, _ flows: FlowReport, _ policy: Policy, _ names: NameAnswers,
    resolverFile: String, without: Set<String>
  ) {
    var unknowns: [String] = []
    var resolvers: [IPAddress] = []
    do throws(LinuxError) {
      resolvers = try ResolverFile.servers(resolverFile)
    } catch {
      unknowns.append("resolvers: \(error)")
    }
    rows = host.essentials(resolvers: resolvers, flows, judgedBy: policy, names: names).map {
      Row(
        essential: $0.essential.rawValue, flow: "\(FlowText($0.flow))",
        decision: $0.ruling.decision.rawValue,
        clause: $0.ruling.clause, at: $0.ruling.location.map { "\($0)" })
    }
    self.unknowns = unknowns
    self.without = without
    isInherited = ResolverFile.isInherited(resolverFile)
  }

  /// What would be cut that may not be, in words.
  var dangers: [String] {
    told { !(isInherited && $0.essential == Essential.resolver.rawValue) }
  }

  /// What would be cut, and may be of no use here: the machine's resolvers in a namespace of its own.
  var remarks: [String] {
    told { isInherited && $0.essential == Essential.resolver.rawValue }
  }

  private func told(_ test: (Row) -> Bool) -> [String] {
    rows.filter { $0.decision == "deny" && !without.contains($0.essential) && test($0) }.map {
      row in
      "\(Essential(rawValue: row.essential)?.title ?? row.essential), \(row.flow), would be cut: clause \(row.clause) denies it"
        + (row.at.map { " (\($0))" } ?? "")
    }
  }

  /// What to do about it.
  static let advice =
    "Name it under `essentials:` in the policy or with --essential, say that the host does without it (--without resolver, dhcp or ntp),"
    + " try it out with --confirm 60s, or cut it with --force"
}

extension Essential {
  /// What people call it.
  fileprivate var title: String {
    switch self {
    case .resolver: "a resolver of this host"
    case .dhcp: "DHCP renewal"
    case .ntp: "time synchronisation"
    }
  }
}
