/// What `socket` can load.
///
/// Source: `enum nft_socket_keys`.
public enum SocketKey: UInt32, Hashable, Sendable, CaseIterable {
  /// Whether the socket takes packets for any address, 1 byte.
  case transparent = 0
  /// The socket's mark, 4 bytes host order.
  case mark = 1
  /// Whether the socket is bound to no address, 1 byte.
  case wildcard = 2
  /// The id of the socket's cgroup, 8 bytes host order.
  case cgroupv2 = 3

  /// The word nft(8) uses.
  public var keyword: String {
    switch self {
    case .transparent: "transparent"
    case .mark: "mark"
    case .wildcard: "wildcard"
    case .cgroupv2: "cgroupv2"
    }
  }

  /// How many bytes the load writes.
  public var lengthBytes: Int {
    switch self {
    case .transparent, .wildcard: 1
    case .mark: 4
    case .cgroupv2: 8
    }
  }
}

/// Loads a fact about the socket that the packet belongs to; breaks without one.
///
/// Source: `nft_socket_eval`, `net/netfilter/nft_socket.c`.
public struct SocketLoad: Hashable, Sendable {
  /// What to load.
  public var key: SocketKey
  /// For `cgroupv2` which ancestor, counted from the root, 1 first.
  public var level: UInt32
  /// Where to.
  public var destination: Register

  /// Makes it.
  public init(
    _ key: SocketKey, level: UInt32 = 0, into destination: Register
  ) {
    self.key = key
    self.level = level
    self.destination = destination
  }
}
