/// One line of a guard's log.
public struct GuardEvent: Encodable, Sendable {
  /// What happened.
  public enum Kind: String, Encodable, Sendable {
    /// The guard watches, and the policy is in force.
    case started
    /// Somebody changed rules; weir's table is as it was.
    case changed
    /// Weir's table is not what weir installed any more.
    case drift
    /// A claim about the host is answered otherwise than before.
    case claim
    /// The policy was put in force again.
    case restored
    /// Another edition of the policy was put in force.
    case reloaded
    /// The policy's files changed, and what they say now would open something: not put in force.
    case held
    /// Published lists have another edition.
    case fetched
    /// Quotas began anew with their window.
    case quotas
    /// Scopes came, went, or were made anew, and are bound as their site says.
    case bound
    /// A packet was denied, and the policy asks for lines about that.
    case denied
    /// Names have new addresses.
    case refreshed
    /// Something could not be done; what was in force is in force.
    case failed
    /// The guard ends; the rules stay.
    case stopped
  }

  /// Seconds since 1970.
  public let time: Int
  /// What happened.
  public let event: Kind
  /// Who changed rules, `nft (pid 4711)`; nil where nobody did or nobody knows.
  public let by: String?
  /// The details, one sentence each.
  public let details: [String]
  /// The packet of a ``Kind/denied``; nil for every other event.
  public var denial: DenialReport?

  enum CodingKeys: String, CodingKey { case time, event, by, details, denial }
}
