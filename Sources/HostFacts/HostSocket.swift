public import NetworkTypes

/// The sockets of one protocol, both families.
public struct SocketTable: Hashable, Sendable, Codable {
  /// `tcp`, `udp`, `udplite`, `raw`, `icmp`, `sctp`, `mptcp`.
  public var kind: Kind
  /// The sockets, in order of family, address and port.
  public var sockets: Fact<[HostSocket]>

  /// Which sockets a table lists.
  public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    /// `IPPROTO_TCP`.
    case tcp
    /// `IPPROTO_UDP`.
    case udp
    /// `IPPROTO_UDPLITE`.
    case udplite
    /// `SOCK_RAW`, any protocol.
    case raw
    /// Echo sockets, `SOCK_DGRAM` with `IPPROTO_ICMP` or `IPPROTO_ICMPV6`.
    case icmp
    /// `IPPROTO_SCTP`.
    case sctp
    /// `IPPROTO_MPTCP`; its subflows are TCP sockets.
    case mptcp
  }

  /// Makes a table.
  public init(kind: Kind, sockets: Fact<[HostSocket]>) {
    self.kind = kind
    self.sockets = sockets
  }
}

/// A socket of the IPv4 or IPv6 family.
///
/// Source: `struct inet_diag_msg`, `linux/inet_diag.h`; `/proc/net/raw`, `net/ipv4/raw.c`.
public struct HostSocket: Hashable, Sendable, Codable {
  /// The layer-4 protocol.
  public var ipProtocol: IPProtocol
  /// `TCP_ESTABLISHED` 1 … `TCP_NEW_SYN_RECV` 12; unconnected datagram sockets are 7, closed.
  public var state: UInt8
  /// Its own address; 0.0.0.0 or :: for any.
  public var localAddress: IPAddress
  /// Its own port; 0 for none, or the protocol number of a raw socket.
  public var localPort: UInt16
  /// The other end's address; zero for none.
  public var remoteAddress: IPAddress
  /// The other end's port; 0 for none.
  public var remotePort: UInt16
  /// The link it is bound to; nil for none.
  public var link: Int32?
  /// Who made it, in the reader's user namespace.
  public var user: UInt32
  /// The number in `socket:[…]`; 0 when no process owns it any more.
  public var inode: UInt64
  /// The mark its packets carry; nil where the kernel did not say (it needs CAP_NET_ADMIN).
  public var mark: UInt32?
  /// The cgroup it was made in, by inode number; nil where the kernel did not say.
  public var cgroup: UInt64?
  /// Whether an IPv6 socket takes IPv6 only; nil where the kernel did not say.
  public var isIPv6Only: Bool?
  /// Processes that have it open.
  public var owners: Fact<[HostProcess]>

  /// Makes a socket.
  public init(
    ipProtocol: IPProtocol, state: UInt8, localAddress: IPAddress, localPort: UInt16,
    remoteAddress: IPAddress, remotePort: UInt16 = 0, link: Int32? = nil, user: UInt32 = 0,
    inode: UInt64 = 0, mark: UInt32? = nil, cgroup: UInt64? = nil, isIPv6Only: Bool? = nil,
    owners: Fact<[HostProcess]> = .unknown("not looked for")
  ) {
    self.ipProtocol = ipProtocol
    self.state = state
    self.localAddress = localAddress
    self.localPort = localPort
    self.remoteAddress = remoteAddress
    self.remotePort = remotePort
    self.link = link
    self.user = user
    self.inode = inode
    self.mark = mark
    self.cgroup = cgroup
    self.isIPv6Only = isIPv6Only
    self.owners = owners
  }

  /// `TCP_LISTEN`.
  public static let listenState: UInt8 = 10
  /// `TCP_CLOSE`: for datagram and raw sockets, not connected.
  public static let unconnectedState: UInt8 = 7

  /// Whether it takes what others send unasked.
  ///
  /// TCP and SCTP in state LISTEN; datagram sockets with a port and no other end.
  public var isListening: Bool {
    switch ipProtocol {
    case .tcp, .sctp, .dccp: state == HostSocket.listenState
    default: state == HostSocket.unconnectedState && localPort != 0
    }
  }

  /// Whether it talks to one other end.
  public var isConnected: Bool {
    remoteAddress != .v4(0) && remoteAddress != .v6(0) && state != HostSocket.listenState
  }
}
