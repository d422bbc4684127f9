public import NetworkTypes

/// A rule that chooses a routing table.
///
/// Source: `struct fib_rule_hdr` and `FRA_*`, `linux/fib_rules.h`.
public struct RoutingRule: Hashable, Sendable, Codable {
  /// The family it is for.
  public var family: Family
  /// Lower is asked first.
  public var priority: UInt32
  /// `FR_ACT_*`: 1 table, 2 goto, 3 nop, 6 blackhole, 7 unreachable, 8 prohibit.
  public var action: UInt8
  /// The table to look in.
  public var table: UInt32
  /// The source, first address; nil for every one.
  public var source: IPAddress?
  /// The bits of the source.
  public var sourcePrefixLength: UInt8
  /// The destination, first address; nil for every one.
  public var destination: IPAddress?
  /// The bits of the destination.
  public var destinationPrefixLength: UInt8
  /// The type of service, 0 for every one.
  public var typeOfService: UInt8
  /// The packet mark to match; nil for every one.
  public var mark: UInt32?
  /// Which bits of the mark count.
  public var markMask: UInt32?
  /// The link that packets come in by, by name.
  public var inputLink: String?
  /// The link that the sender is bound to, by name.
  public var outputLink: String?
  /// The users whose sockets it is for.
  public var users: ClosedRange<UInt32>?
  /// The layer-4 protocol.
  public var ipProtocol: IPProtocol?
  /// Whether the match is turned round: `FIB_RULE_INVERT`.
  public var isInverted: Bool
  /// Matching attributes beyond these, by number: what the rule does is then not known.
  public var unknownAttributes: [UInt16]

  /// Makes a rule; it matches everything by default.
  public init(
    family: Family, priority: UInt32, action: UInt8 = 1, table: UInt32, source: IPAddress? = nil,
    sourcePrefixLength: UInt8 = 0, destination: IPAddress? = nil,
    destinationPrefixLength: UInt8 = 0, typeOfService: UInt8 = 0, mark: UInt32? = nil,
    markMask: UInt32? = nil, inputLink: String? = nil, outputLink: String? = nil,
    users: ClosedRange<UInt32>? = nil, ipProtocol: IPProtocol? = nil, isInverted: Bool = false,
    unknownAttributes: [UInt16] = []
  ) {
    self.family = family
    self.priority = priority
    self.action = action
    self.table = table
    self.source = source
    self.sourcePrefixLength = sourcePrefixLength
    self.destination = destination
    self.destinationPrefixLength = destinationPrefixLength
    self.typeOfService = typeOfService
    self.mark = mark
    self.markMask = markMask
    self.inputLink = inputLink
    self.outputLink = outputLink
    self.users = users
    self.ipProtocol = ipProtocol
    self.isInverted = isInverted
    self.unknownAttributes = unknownAttributes
  }
}
