public import NetworkTypes

/// A checked policy: what the user wrote, with every default filled in and every group resolved.
///
/// Only ``PolicyLanguage`` makes one from text; values of this type hold no invalid combination.
public struct Policy: Hashable, Sendable {
  /// The name, lower case letters, digits and dashes; at most 64 characters.
  public var name: String
  /// One sentence for people.
  public var about: String?
  /// Protocols that may be used at all (clause `protocols`), ascending; the effective list.
  public var protocols: Sourced<[IPProtocol]>
  /// Whether others may open flows to this host (clause `listen`).
  public var inbound: Sourced<Decision>
  /// Local ports that outbound flows may use (clause `bind`); nil means any.
  public var sourcePorts: Sourced<PortSet?>
  /// Seconds after which an idle flow is reclaimed (clause `idle`); nil means never.
  public var idleSeconds: Sourced<Int?>
  /// What a denied application sees.
  public var onDeny: Sourced<DenialAnswer>
  /// How many denied packets of each clause are logged; nil for none.
  public var denialLog: Sourced<LogRate?>
  /// What happens to an outbound flow that no entry matches (clause `default`).
  public var defaultDecision: Sourced<Decision>
  /// What the host cannot do without, in order; asked right after the protocols.
  public var essentials: [EssentialException]
  /// Exceptions, in order; they win over every entry of ``deny``.
  public var allow: [Entry]
  /// Denials, in order.
  public var deny: [Entry]
  /// The policy's own test connections.
  public var tests: [PolicyTest]
  /// The address groups that the policy's files define, in the order read.
  public var groups: [GroupDefinition]
  /// Clause → the document and section it implements, from `sources:`; also for clauses that no
  /// packet rule enforces (`transfer`, `billing`, `sockopt`).
  public var citations: [String: String]

  /// Makes a policy from checked parts.
  public init(
    name: String,
    about: String? = nil,
    protocols: Sourced<[IPProtocol]>,
    inbound: Sourced<Decision>,
    sourcePorts: Sourced<PortSet?>,
    idleSeconds: Sourced<Int?>,
    onDeny: Sourced<DenialAnswer>,
    denialLog: Sourced<LogRate?> = Sourced(nil),
    defaultDecision: Sourced<Decision>,
    essentials: [EssentialException] = [],
    allow: [Entry],
    deny: [Entry],
    tests: [PolicyTest],
    groups: [GroupDefinition] = [],
    citations: [String: String] = [:]
  ) {
    self.name = name
    self.about = about
    self.protocols = protocols
    self.inbound = inbound
    self.sourcePorts = sourcePorts
    self.idleSeconds = idleSeconds
    self.onDeny = onDeny
    self.denialLog = denialLog
    self.defaultDecision = defaultDecision
    self.essentials = essentials
    self.allow = allow
    self.deny = deny
    self.tests = tests
    self.groups = groups
    self.citations = citations
  }

  /// Clauses that weir itself uses; an entry may not take one of these names.
  ///
  /// `protocols`, `listen`, `bind`, `idle` and `default` come from keys of the policy; the others
  /// name what packets are denied for that are no flow at all.
  public static let reservedClauses =
    [
      "protocols", "listen", "bind", "idle", "default", "no-flow", "fragment", "routing-header",
      "link-control", "transfer", "billing", "sockopt",
    ] + EssentialException.clauses
}

/// A named address group as a policy's file defines it.
public struct GroupDefinition: Hashable, Sendable {
  /// Its name.
  public var name: String
  /// Its items as written, each in the policy language's flow style.
  public var items: [String]
  /// Where it was written.
  public var location: SourceLocation

  /// Makes a definition.
  public init(name: String, items: [String], location: SourceLocation) {
    self.name = name
    self.items = items
    self.location = location
  }
}

/// A value with the place it was written at; `location` is nil for a built-in default.
public struct Sourced<Value: Hashable & Sendable>: Hashable, Sendable {
  /// The value.
  public var value: Value
  /// Where it was written; nil when nobody wrote it and the default stands.
  public var location: SourceLocation?
  /// The document that demands it, as the policy cites it.
  public var citation: String?

  /// Pairs a value with its origin.
  public init(_ value: Value, at location: SourceLocation? = nil, citation: String? = nil) {
    self.value = value
    self.location = location
    self.citation = citation
  }
}

/// What the application behind a denied flow sees.
public enum DenialAnswer: String, Hashable, Sendable, CaseIterable {
  /// It fails at once: TCP reset, else ICMP administratively prohibited.
  case reject
  /// It waits in vain.
  case drop
}

/// So many log lines in so long.
public struct LogRate: Hashable, Sendable {
  /// The unit of time that the rate is for.
  public enum Period: String, Hashable, Sendable, CaseIterable {
    /// A second.
    case second
    /// A minute.
    case minute
    /// An hour.
    case hour
    /// A day.
    case day

    /// Its length.
    public var seconds: UInt64 {
      switch self {
      case .second: 1
      case .minute: 60
      case .hour: 3600
      case .day: 86_400
      }
    }
  }

  /// How many, 1 to 10000.
  public var count: Int
  /// In which time.
  public var period: Period

  /// Makes a rate.
  public init(_ count: Int, per period: Period) {
    self.count = count
    self.period = period
  }
}

/// One entry of `allow:` or `deny:`.
public struct Entry: Hashable, Sendable {
  /// What the entry says.
  public var decision: Decision
  /// Its name: lower case letters, digits and dashes; counters, reports and explanations use it.
  public var clause: String
  /// Which remote addresses it is about; nil means all.
  public var destination: Destination?
  /// Which protocols and ports it is about; nil means all.
  ///
  /// Never empty.
  public var ports: [PortMatch]?
  /// Where it was written.
  public var location: SourceLocation
  /// The document and section that it implements, as the policy cites it.
  public var citation: String?

  /// Makes an entry.
  public init(
    decision: Decision,
    clause: String,
    destination: Destination? = nil,
    ports: [PortMatch]? = nil,
    location: SourceLocation,
    citation: String? = nil
  ) {
    self.decision = decision
    self.clause = clause
    self.destination = destination
    self.ports = ports
    self.location = location
    self.citation = citation
  }
}

/// Ports of one protocol, or of every protocol that has ports.
public struct PortMatch: Hashable, Sendable {
  /// The protocol; nil means all of the policy's protocols that have ports.
  public var ipProtocol: IPProtocol?
  /// The remote ports; nil means "all of this protocol" (`tcp`, `icmp`), never empty.
  public var ports: PortSet?

  /// Makes a match.
  public init(ipProtocol: IPProtocol?, ports: PortSet?) {
    self.ipProtocol = ipProtocol
    self.ports = ports
  }
}

/// Remote addresses: what is known when the policy is read, and what only a host can tell.
public struct Destination: Hashable, Sendable {
  /// The addresses known by number, of both families, merged.
  ///
  /// IPv4 members also stand for their NAT64 form 64:ff9b::a.b.c.d; see ``contains(_:)``.
  public var addresses: AddressSet
  /// Names whose answers belong to the destination while weir keeps them resolved.
  public var names: [NameReference]
  /// Whether every link's directed broadcast address belongs to it (group `broadcast`).
  public var includesLinkBroadcast: Bool
  /// IPv4 addresses whose ISATAP form (interface identifier `::0:5efe:a.b.c.d` or
  /// `::200:5efe:a.b.c.d`, any /64) belongs to it as well (group `private`).
  public var isatapEmbedded: IntervalSet<UInt32>
  /// The items as written, each in the policy language's flow style (`private`, `10.0.0.0/8`).
  public var items: [String]

  /// Makes a destination.
  public init(
    addresses: AddressSet = .init(),
    names: [NameReference] = [],
    includesLinkBroadcast: Bool = false,
    isatapEmbedded: IntervalSet<UInt32> = .init(),
    items: [String] = []
  ) {
    self.addresses = addresses
    self.names = names
    self.includesLinkBroadcast = includesLinkBroadcast
    self.isatapEmbedded = isatapEmbedded
    self.items = items
  }
}

/// `{name: smtp.gmail.com, within: google}`: the name's own answers, while they lie in `within`.
public struct NameReference: Hashable, Sendable {
  /// The host name, lower case, without a final dot.
  public var name: String
  /// Answers outside are refused.
  ///
  /// Default: globally reachable unicast addresses.
  public var within: AddressSet
  /// What the policy called `within`, for messages.
  public var withinText: String
  /// Where it was written.
  public var location: SourceLocation

  /// Makes a reference.
  public init(name: String, within: AddressSet, withinText: String, location: SourceLocation) {
    self.name = name
    self.within = within
    self.withinText = withinText
    self.location = location
  }
}

/// One line of `tests:`: a flow, what must happen to it, and optionally which clause decides.
public struct PolicyTest: Hashable, Sendable {
  /// The expected decision.
  public var expected: Decision
  /// The flow.
  public var flow: Flow
  /// The host name to reach instead of `flow.remoteAddress` (which is then 0.0.0.0), if any.
  public var remoteName: String?
  /// The clause that must decide, if the test names one.
  public var clause: String?
  /// Where it was written.
  public var location: SourceLocation

  /// Makes a test.
  public init(
    expected: Decision, flow: Flow, remoteName: String? = nil, clause: String? = nil,
    location: SourceLocation
  ) {
    self.expected = expected
    self.flow = flow
    self.remoteName = remoteName
    self.clause = clause
    self.location = location
  }
}
