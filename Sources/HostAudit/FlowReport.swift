public import HostFacts
public import NetworkTypes
public import PolicyMeaning

/// Which conversations are going on, and whether the policy allows each.
public struct FlowReport: Hashable, Sendable {
  /// Conversations that the policy denies.
  public var outside: [LiveFlow]
  /// Conversations of which it cannot be said.
  public var undecided: [LiveFlow]
  /// Conversations that the policy allows.
  public var within: [LiveFlow]
  /// What could not be read, and why.
  public var unknowns: [String]

  /// The claim: live connections and conntrack entries are within the policy.
  public var status: ClaimStatus {
    ClaimStatus(hasFailures: !outside.isEmpty, hasUnknowns: !undecided.isEmpty || !unknowns.isEmpty)
  }
}

/// A conversation that is going on.
public struct LiveFlow: Hashable, Sendable {
  /// Where it was seen.
  public enum Source: String, Hashable, Sendable {
    /// A socket alone.
    case socket
    /// The kernel's table of tracked connections.
    case conntrack
  }

  /// Where it was seen.
  public var source: Source
  /// The conversation, as who opened it sees it: its remote end is where packets leave to, after
  /// any translation of the destination.
  public var flow: Flow
  /// Whether it goes through this host rather than from or to it.
  public var isForwarded: Bool
  /// The destination that was asked for, where it was translated into another.
  public var askedAddress: IPAddress?
  /// What the policy says.
  public var ruling: Ruling
  /// The processes that have its socket open.
  public var owners: Fact<[HostProcess]>
  /// The helper that watches it, such as `ftp`.
  public var helper: String?
  /// Why it is undecided; nil where it is not.
  public var doubt: String?
  /// The entry of the kernel's table, where it is tracked.
  public var entry: ConntrackEntry?
  /// The connected sockets of this namespace at its ends: none where nobody here has one, two
  /// where both ends are here.
  public var sockets: [HostSocket] = []
}
