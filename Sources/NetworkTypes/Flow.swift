/// The direction of a flow, seen from the host that the policy guards.
public enum Direction: String, Hashable, Sendable, CaseIterable {
  /// Opened by the host.
  case outbound = "out"
  /// Opened by somebody else.
  case inbound = "in"
}

/// A conversation as a policy decides it: direction, protocol, both ends, and facts of the host.
///
/// Example: `udp 8.8.8.8:53` is outbound, protocol 17, remote 8.8.8.8 port 53.
public struct Flow: Hashable, Sendable {
  /// Who opened it.
  public var direction: Direction
  /// The layer-4 protocol.
  public var ipProtocol: IPProtocol
  /// The host's own address, when it matters.
  public var localAddress: IPAddress?
  /// The host's own port; nil means "one that the kernel chose".
  public var localPort: UInt16?
  /// The other end.
  public var remoteAddress: IPAddress
  /// The other end's port; nil for protocols without ports.
  public var remotePort: UInt16?
  /// Whether a route of the host calls the remote address the directed broadcast of a link.
  public var isLinkBroadcast: Bool

  /// Makes a flow; only protocol and remote address have no default.
  public init(
    direction: Direction = .outbound,
    ipProtocol: IPProtocol,
    localAddress: IPAddress? = nil,
    localPort: UInt16? = nil,
    remoteAddress: IPAddress,
    remotePort: UInt16? = nil,
    isLinkBroadcast: Bool = false
  ) {
    self.direction = direction
    self.ipProtocol = ipProtocol
    self.localAddress = localAddress
    self.localPort = localPort
    self.remoteAddress = remoteAddress
    self.remotePort = remotePort
    self.isLinkBroadcast = isLinkBroadcast
  }
}

/// What a policy says about a flow.
public enum Decision: String, Hashable, Sendable, CaseIterable {
  /// The flow may happen.
  case allow
  /// The flow must not happen.
  case deny
}
