public import Bytecode
public import NetworkTypes

/// What a packet's fate depends on besides the packet and the ruleset.
///
/// What is not stated is unknown: where it matters, the answer is "cannot decide".
public struct Surroundings: Sendable {
  /// A question to the routing table.
  public struct RouteQuery: Hashable, Sendable {
    /// From where; nil where the kernel does not ask by it.
    public var source: IPAddress
    /// To where.
    public var destination: IPAddress
    /// `meta mark` of the packet.
    public var mark: Fact<UInt32>
  }

  /// Its answer.
  public enum Route: Hashable, Sendable {
    /// To this host itself; a packet of this host takes the loopback device.
    case local(NetworkInterface)
    /// Out by a device.
    case device(NetworkInterface)
    /// Nowhere; the packet is dropped.
    case none
  }

  /// Whether the namespace tracks connections; unknown: exactly when the ruleset asks for it.
  public var isTracking: Fact<Bool> = .unknown
  /// Whether base chains of equal priority were registered in the order listed.
  ///
  /// The kernel's dump does not tell; then every order is tried.
  public var isListedAsRegistered = false
  /// Answers of the routing table, asked after address translation and by route chains.
  public var route: (@Sendable (RouteQuery) -> Fact<Route>)?
  /// The address that `masquerade` takes for a device.
  public var masqueradeAddress: (@Sendable (NetworkInterface, Family) -> Fact<IPAddress>)?
  /// Whether a stateful expression (`limit`, `quota`, `connlimit`) lets the packet go on.
  public var stateful: [ExpressionPlace: Bool] = [:]
  /// Milliseconds since the ruleset was read, for elements that expire; nil when unknown.
  public var elapsedMilliseconds: UInt64?
  /// The wall clock in nanoseconds since 1970, for `meta time`, `hour` and `day`.
  public var clockNanoseconds: UInt64?
  /// Whether sets that rules change still hold what was read.
  public var areDynamicSetsAsRead = false

  /// Nothing stated.
  public init() {}
}

/// One expression of a rule.
public struct ExpressionPlace: Hashable, Sendable {
  /// The table's family.
  public var family: TableFamily
  /// The table's name.
  public var table: String
  /// The chain's name.
  public var chain: String
  /// The rule's place in the chain, from 0.
  public var ruleIndex: Int
  /// The expression's place in the rule, from 0.
  public var expression: Int

  /// Names an expression.
  public init(
    family: TableFamily, table: String, chain: String, ruleIndex: Int, expression: Int
  ) {
    self.family = family
    self.table = table
    self.chain = chain
    self.ruleIndex = ruleIndex
    self.expression = expression
  }
}
