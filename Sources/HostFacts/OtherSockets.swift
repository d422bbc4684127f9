/// A packet socket: sees and sends whole frames, past every `inet` rule.
///
/// Source: `struct packet_diag_msg`, `linux/packet_diag.h`; `/proc/net/packet`.
public struct PacketSocket: Hashable, Sendable, Codable {
  /// The number in `socket:[…]`.
  public var inode: UInt64
  /// `SOCK_RAW` 3, `SOCK_DGRAM` 2, `SOCK_PACKET` 10.
  public var type: UInt8
  /// The EtherType it receives, host order: 0x0003 all, 0 none (it can still send).
  public var etherType: UInt16
  /// The link it is bound to; nil for all.
  public var link: Int32?
  /// Who made it; nil where the kernel did not say.
  public var user: UInt32?
  /// Processes that have it open.
  public var owners: Fact<[HostProcess]>

  /// Makes a socket.
  public init(
    inode: UInt64, type: UInt8, etherType: UInt16, link: Int32? = nil, user: UInt32? = nil,
    owners: Fact<[HostProcess]> = .unknown("not looked for")
  ) {
    self.inode = inode
    self.type = type
    self.etherType = etherType
    self.link = link
    self.user = user
    self.owners = owners
  }
}

/// An AF_XDP socket: sends frames past every hook, netdev egress too.
///
/// Source: `struct xdp_diag_msg`, `linux/xdp_diag.h`.
public struct XDPSocket: Hashable, Sendable, Codable {
  /// The number in `socket:[…]`.
  public var inode: UInt64
  /// The link it is bound to; nil where the kernel did not say.
  public var link: Int32?
  /// Processes that have it open.
  public var owners: Fact<[HostProcess]>

  /// Makes a socket.
  public init(
    inode: UInt64, link: Int32? = nil, owners: Fact<[HostProcess]> = .unknown("not looked for")
  ) {
    self.inode = inode
    self.link = link
    self.owners = owners
  }
}

/// How many sockets of a protocol the namespace has, whoever owns them.
///
/// Not every protocol keeps count: zero sockets of AF_VSOCK says nothing.
///
/// Source: `/proc/net/protocols`, `proto_seq_printf`, `net/core/sock.c`.
public struct SocketCount: Hashable, Sendable, Codable {
  /// The kernel's name, such as `PACKET`, `XDP` or `AF_VSOCK`.
  public var name: String
  /// The sockets, or -1 where the protocol does not count them.
  public var count: Int

  /// Makes a count.
  public init(name: String, count: Int) {
    self.name = name
    self.count = count
  }
}

/// A Unix socket that a process listens on under a name.
///
/// Source: `/proc/net/unix`, `unix_seq_show`, `net/unix/af_unix.c`.
public struct UnixListener: Hashable, Sendable, Codable {
  /// The path, or `@name` in the abstract name space.
  public var path: String
  /// The number in `socket:[…]`.
  public var inode: UInt64
  /// Processes that have it open.
  public var owners: Fact<[HostProcess]>

  /// Makes a listener.
  public init(
    path: String, inode: UInt64, owners: Fact<[HostProcess]> = .unknown("not looked for")
  ) {
    self.path = path
    self.inode = inode
    self.owners = owners
  }
}

/// A socket of a protocol that the kernel lists nowhere, such as AF_VSOCK or CAN.
///
/// Found among the open files of processes by `system.sockprotoname`: the kernel's own count of such
/// sockets may stay at zero. Source: `sockfs_xattr_get`, `net/socket.c`.
public struct UnlistedSocket: Hashable, Sendable, Codable {
  /// The kernel's name of the protocol, as in ``SocketCount/name``.
  public var protocolName: String
  /// The number in `socket:[…]`.
  public var inode: UInt64
  /// Whether it belongs to the namespace that was read; nil where that cannot be seen.
  public var isHere: Bool?
  /// Processes that have it open.
  public var owners: [HostProcess]

  /// Makes a socket.
  public init(protocolName: String, inode: UInt64, isHere: Bool?, owners: [HostProcess]) {
    self.protocolName = protocolName
    self.inode = inode
    self.isHere = isHere
    self.owners = owners
  }
}
