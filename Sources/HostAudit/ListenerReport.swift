public import HostFacts
public import PolicyMeaning

/// Which sockets take what others send unasked, and whether the policy admits them.
public struct ListenerReport: Hashable, Sendable {
  /// Sockets that the policy does not admit and that others can reach.
  public var beyond: [Listener]
  /// Sockets of which it cannot be said.
  public var undecided: [Listener]
  /// Sockets that the policy admits.
  public var admitted: [Listener]
  /// Sockets that only this namespace reaches, over its loopback.
  public var local: [Listener]
  /// Which sockets could not be read, and why.
  public var unknowns: [String]

  /// The claim: no socket listens beyond what the policy admits.
  public var status: ClaimStatus {
    ClaimStatus(hasFailures: !beyond.isEmpty, hasUnknowns: !undecided.isEmpty || !unknowns.isEmpty)
  }
}

/// A socket that takes what others send.
public struct Listener: Hashable, Sendable {
  /// The socket, with its owner.
  public var socket: HostSocket
  /// What the policy says about a flow that somebody opens to it.
  public var ruling: Ruling
  /// Why it is undecided; nil where it is not.
  public var doubt: String?
  /// Whether it takes IPv4 as well as IPv6; nil where the kernel did not say.
  public var takesIPv4: Bool?
}
